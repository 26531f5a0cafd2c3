#include "train/optimise/gradient_sum.h"

#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/optimizer.h"
#include "tensor/parallel.h"

namespace rapt {
namespace {

std::byte* bytes_at(Tensor& tensor, Dim element) {
  return static_cast<std::byte*>(tensor.raw()) + static_cast<std::size_t>(element) * size_of(tensor.dtype());
}

// The bytes of elements [begin, end).
std::span<std::byte> bytes_of(Tensor& tensor, Dim begin, Dim end) {
  return {bytes_at(tensor, begin), static_cast<std::size_t>(end - begin) * size_of(tensor.dtype())};
}

// The gradient of a trained parameter, which no other variable shares.
Tensor own_gradient(const FlatParameters::Entry& entry) {
  Gradient& gradient = *entry.variable.gradient();
  if (gradient.borrowed && gradient.sum.defined()) gradient.sum = gradient.sum.clone();
  gradient.borrowed = false;
  return FlatParameters::gradient(entry);
}

void add_to(Tensor& sum, Dim at, const Tensor& other, Dim from, Dim n) {
  dispatch_float(sum.dtype(), [&]<typename T>() {
    T* const to = sum.data<T>() + at;
    kernels::add<T>(to, to, other.data<T>() + from, n);
  });
}

}  // namespace

ParameterShares::ParameterShares(const FlatParameters& parameters, int rank, int size)
    : parameters_(parameters), rank_(rank), size_(size) {
  for (std::size_t i = 0; i < parameters.entries().size(); ++i) {
    if (parameters.entries()[i].frozen) break;  // they come last
    const Dim n = parameters.entries()[i].variable.value().size();
    for (Dim begin = 0; begin < n; begin += kernels::kSumBlock) {
      pieces_.push_back({i, begin, std::min(n, begin + kernels::kSumBlock)});
    }
  }
}

// Each level halves the run: the partner of the higher rank keeps the upper half.
ParameterShares::Run ParameterShares::run(int rank, int shares) const {
  Run run{0, pieces_.size()};
  for (int distance = 1; distance < shares; distance *= 2) {
    const std::size_t middle = run.first + (run.last - run.first) / 2;
    ((rank & distance) != 0 ? run.first : run.last) = middle;
  }
  return run;
}

Dim ParameterShares::begin(Run run) const {
  if (run.first == pieces_.size()) return parameters_.trained_size();
  const ParameterPiece& piece = pieces_[run.first];
  return parameters_.entries()[piece.entry].begin + piece.begin;
}

Dim ParameterShares::end(Run run) const { return begin({run.last, run.last}); }

void ShardTree::add_shard() {
  std::vector<Tensor> shard;
  for (const FlatParameters::Entry& entry : parameters_.entries()) {
    shard.push_back(entry.frozen ? Tensor() : own_gradient(entry));
  }
  parameters_.drop_gradients();
  // As many sums of equal size meet as the shards' number has zeros at its end.
  for (std::size_t count = ++shards_; count % 2 == 0; count /= 2) {
    const std::vector<Tensor> earlier = std::move(sums_.back());
    sums_.pop_back();
    for (std::size_t i = 0; i < shard.size(); ++i) {
      if (shard[i].defined()) add_to(shard[i], 0, earlier[i], 0, shard[i].size());
    }
  }
  sums_.push_back(std::move(shard));
}

void ShardTree::complete(std::size_t entry) {
  const FlatParameters::Entry& parameter = parameters_.entries()[entry];
  if (parameter.frozen) return;
  Tensor gradient = own_gradient(parameter);
  for (std::size_t level = sums_.size(); level-- > 0;) {
    add_to(gradient, 0, sums_[level][entry], 0, gradient.size());
    sums_[level][entry] = Tensor();
  }
}

// Messages are long enough not to be slowed by their number, and short enough for the first to leave early.
TeamSum::TeamSum(FlatParameters& parameters, const ParameterShares& shares, Team& team)
    : parameters_(parameters), team_(team) {
  constexpr Dim kMost = Dim{1} << 20;
  for (int rank = 0; rank < team.size(); ++rank) {
    const ParameterShares::Run run = shares.owned(rank);
    for (std::size_t i = run.first; i < run.last; ++i) {
      const ParameterPiece& piece = shares.pieces()[i];
      const bool joins =
          i > run.first && parts_.back().entry == piece.entry && piece.end - parts_.back().begin <= kMost;
      if (joins) {
        parts_.back().end = piece.end;
      } else {
        parts_.push_back({.entry = piece.entry, .begin = piece.begin, .end = piece.end, .owner = rank, .received = {}});
      }
    }
  }
}

void TeamSum::begin(std::size_t entry) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].entry != entry || parts_[i].distance != 0) continue;
    parts_[i].distance = 1;
    open_.push_back(i);
  }
  advance();
}

void TeamSum::finish() {
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t waits = 0; !open_.empty(); ++waits) {
    const std::size_t before = open_.size();
    advance();
    if (open_.size() < before) waits = 0;
    if (!open_.empty()) team_.transport().rest(waits);
  }
  team_.transport().waited_since(start);
}

void TeamSum::advance() {
  std::erase_if(open_, [&](std::size_t i) { return move(i); });
}

// Whether this process or its partner keeps the part at this distance.
bool TeamSum::is_owned(const Part& part) const { return ((team_.rank() ^ part.owner) & part.distance) == 0; }

// Does what can be done for a part without waiting. Returns whether nothing is left: it was sent, or all was added.
//
// Only the first partners' parts wait for room. Those are sent whatever their receiver does, so room is always made;
// later ones are half as large together.
bool TeamSum::move(std::size_t index) {
  constexpr int kMostReceived = 8;  // parts at a time, which bounds their memory
  Part& part = parts_[index];
  Transport& transport = team_.transport();
  while (part.distance < team_.size()) {
    Tensor gradient = FlatParameters::gradient(parameters_.entries()[part.entry]);
    const std::span<std::byte> bytes = bytes_of(gradient, part.begin, part.end);
    const int partner = team_.rank() ^ part.distance, tag = static_cast<int>(index) + 1;
    const bool receives = is_owned(part), is_first = part.distance == 1;
    if (part.request < 0) {
      if (receives && is_first && receiving_ == kMostReceived) return false;
      if (receives) {
        receiving_ += is_first ? 1 : 0;
        part.received = Tensor::empty({part.end - part.begin}, parameters_.dtype());
        part.request = transport.begin_receive(partner, tag, part.received.raw(), bytes.size());
      } else {
        part.request = transport.begin_send(partner, tag, bytes.data(), bytes.size());
      }
    }
    if (!transport.done(part.request)) return false;
    part.request = -1;
    if (!receives) return true;
    receiving_ -= is_first ? 1 : 0;
    add_to(gradient, part.begin, part.received, 0, part.end - part.begin);
    part.received = Tensor();
    part.distance *= 2;
  }
  return true;
}

void collect_from_team(Tensor& buffer, const ParameterShares& shares, Team& team) {
  for (int distance = team.size() / 2; distance > 0; distance /= 2) {
    const ParameterShares::Run mine = shares.kept(distance), theirs = shares.given(distance);
    team.exchange(team.rank() ^ distance, bytes_of(buffer, shares.begin(mine), shares.end(mine)),
                  bytes_of(buffer, shares.begin(theirs), shares.end(theirs)));
  }
}

Tensor whole_for_leader(Tensor& owned, const ParameterShares& shares, Team& team) {
  if (!team.leads()) {
    team.exchange(0, bytes_of(owned, 0, owned.size()), {});
    return {};
  }
  Tensor whole = Tensor::empty({shares.end({0, shares.pieces().size()})}, owned.dtype());
  const Dim begin = shares.begin(shares.owned());
  std::ranges::copy(bytes_of(owned, 0, owned.size()), bytes_of(whole, begin, begin + owned.size()).begin());
  for (int rank = 1; rank < team.size(); ++rank) {
    const ParameterShares::Run run = shares.owned(rank);
    team.exchange(rank, {}, bytes_of(whole, shares.begin(run), shares.end(run)));
  }
  return whole;
}

std::vector<std::uint64_t> hash_parts(Tensor& weights, const ParameterShares& shares) {
  std::vector<std::uint64_t> hashes;
  for (int rank = 0; rank < shares.processes(); ++rank) {
    const ParameterShares::Run run = shares.owned(rank);
    const std::span<std::byte> bytes = bytes_of(weights, shares.begin(run), shares.end(run));
    hashes.push_back(XXH3_64bits(bytes.data(), bytes.size()));
  }
  return hashes;
}

std::optional<Disagreement> find_disagreement(const std::vector<std::vector<std::uint64_t>>& hashes) {
  for (std::size_t owner = 0; owner < hashes.size(); ++owner) {
    for (std::size_t rank = 0; rank < hashes.size(); ++rank) {
      if (hashes[rank][owner] == hashes[owner][owner]) continue;
      return Disagreement{.rank = static_cast<int>(rank), .owner = static_cast<int>(owner)};
    }
  }
  return std::nullopt;
}

double gradient_norm(const FlatParameters& parameters, const ParameterShares& shares, Team& team) {
  const std::vector<ParameterPiece>& pieces = shares.pieces();
  std::vector<double> sums(pieces.size());
  const ParameterShares::Run mine = shares.owned();
  parallel_for(static_cast<Dim>(mine.last - mine.first), [&](Dim piece) {
    const std::size_t i = mine.first + static_cast<std::size_t>(piece);
    const Tensor& gradient = parameters.entries()[pieces[i].entry].variable.grad();
    if (!gradient.defined()) return;
    dispatch_float(parameters.dtype(), [&]<typename T>() {
      sums[i] = kernels::sum_of_squares<T>(gradient.data<T>() + pieces[i].begin, pieces[i].end - pieces[i].begin);
    });
  });
  for (int distance = team.size() / 2; distance > 0; distance /= 2) {
    const auto part = [&](ParameterShares::Run run) {
      return std::as_writable_bytes(std::span(sums).subspan(run.first, run.last - run.first));
    };
    team.exchange(team.rank() ^ distance, part(shares.kept(distance)), part(shares.given(distance)));
  }
  // One parameter after the other, piece by piece, as one process adds them.
  double total = 0;
  for (std::size_t i = 0; i < pieces.size();) {
    double of_parameter = 0;
    const std::size_t entry = pieces[i].entry;
    for (; i < pieces.size() && pieces[i].entry == entry; ++i) of_parameter += sums[i];
    total += of_parameter;
  }
  return std::sqrt(total);
}

double gradient_norm(const FlatParameters& parameters) {
  return gradient_norm(parameters, ParameterShares(parameters, 0, 1), Team::alone());
}

double tree_sum(std::vector<double> values) {
  for (; values.size() > 1; values.resize(values.size() / 2)) {
    for (std::size_t i = 0; i < values.size() / 2; ++i) values[i] = values[2 * i] + values[2 * i + 1];
  }
  return values.front();
}

}  // namespace rapt
