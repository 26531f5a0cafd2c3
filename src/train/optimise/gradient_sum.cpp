#include "train/optimise/gradient_sum.h"

#include <algorithm>
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

void add_to(Tensor& sum, Dim at, const Tensor& other, Dim from, Dim n) {
  dispatch_float(sum.dtype(), [&]<typename T>() {
    T* const to = sum.data<T>() + at;
    kernels::add<T>(to, to, other.data<T>() + from, n);
  });
}

// Pieces of a run joined to messages of at most `most` elements, each within one parameter.
std::vector<ParameterPiece> messages(const ParameterShares& shares, ParameterShares::Run run) {
  constexpr Dim kMost = Dim{1} << 20;
  std::vector<ParameterPiece> result;
  for (std::size_t i = run.first; i < run.last; ++i) {
    const ParameterPiece& piece = shares.pieces()[i];
    if (!result.empty() && result.back().entry == piece.entry && piece.end - result.back().begin <= kMost) {
      result.back().end = piece.end;
    } else {
      result.push_back(piece);
    }
  }
  return result;
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
    shard.push_back(entry.frozen ? Tensor() : FlatParameters::gradient(entry));
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

void ShardTree::finish() {
  for (std::size_t i = 0; i < sums_.front().size(); ++i) {
    Variable variable = parameters_.entries()[i].variable;
    if (sums_.front()[i].defined()) variable.grad() = std::move(sums_.front()[i]);
  }
  sums_.clear();
  shards_ = 0;
}

void sum_over_team(FlatParameters& parameters, const ParameterShares& shares, Team& team) {
  Tensor received;
  for (int distance = 1; distance < team.size(); distance *= 2) {
    const std::vector<ParameterPiece> out = messages(shares, shares.given(distance));
    const std::vector<ParameterPiece> in = messages(shares, shares.kept(distance));
    for (std::size_t i = 0; i < std::max(out.size(), in.size()); ++i) {
      std::span<std::byte> from, to;
      if (i < out.size()) {
        Tensor gradient = FlatParameters::gradient(parameters.entries()[out[i].entry]);
        from = bytes_of(gradient, out[i].begin, out[i].end);
      }
      if (i < in.size()) {
        const Dim n = in[i].end - in[i].begin;
        if (!received.defined() || received.size() < n) received = Tensor::empty({n}, parameters.dtype());
        to = bytes_of(received, 0, n);
      }
      team.exchange(team.rank() ^ distance, from, to);
      if (i >= in.size()) continue;
      Tensor sum = FlatParameters::gradient(parameters.entries()[in[i].entry]);
      add_to(sum, in[i].begin, received, 0, in[i].end - in[i].begin);
    }
  }
}

void collect_from_team(Tensor& buffer, const ParameterShares& shares, Team& team) {
  for (int distance = team.size() / 2; distance > 0; distance /= 2) {
    const ParameterShares::Run mine = shares.kept(distance), theirs = shares.given(distance);
    team.exchange(team.rank() ^ distance, bytes_of(buffer, shares.begin(mine), shares.end(mine)),
                  bytes_of(buffer, shares.begin(theirs), shares.end(theirs)));
  }
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
