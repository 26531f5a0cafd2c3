#include "text/pairs/pair_batches.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "tensor/error.h"
#include "text/batches/permutation.h"
#include "text/pairs/source_frame.h"
#include "text/tokenizer/bpe.h"

namespace rapt {

PairFrame pair_frame(const Tokenizer& source, std::int32_t start, std::int32_t end) {
  const FramedSource framed = frame_source(source, {}, end, std::numeric_limits<std::size_t>::max());
  const auto middle = framed.ids.begin() + static_cast<std::ptrdiff_t>(framed.front);
  return {.start = start,
          .end = end,
          .source_front = {framed.ids.begin(), middle},
          .source_back = {middle, framed.ids.end()}};
}

Batch make_pair_batch(std::span<const PairIds> pairs, const PairFrame& frame) {
  const std::vector<std::int32_t> back = frame.source_back.empty() ? std::vector{frame.end} : frame.source_back;
  std::vector<Dim> source_lengths, lengths;
  std::vector<std::int32_t> source, input, targets;
  for (const PairIds& pair : pairs) {
    for (const auto* ids : {&frame.source_front, &pair.source, &back}) {
      source.insert(source.end(), ids->begin(), ids->end());
    }
    input.push_back(frame.start);
    input.insert(input.end(), pair.target.begin(), pair.target.end());
    targets.insert(targets.end(), pair.target.begin(), pair.target.end());
    targets.push_back(frame.end);
    source_lengths.push_back(static_cast<Dim>(pair.source.size()) + frame.source_tokens());
    lengths.push_back(static_cast<Dim>(pair.target.size()) + 1);
  }
  std::vector<std::int32_t> rows(input.size());
  std::iota(rows.begin(), rows.end(), 0);
  return {.input = make_stream(lengths, input),
          .source = make_stream(source_lengths, source),
          .targets = make_targets(rows, targets)};
}

static std::vector<std::int32_t> ids_of(const PairStore& store, Dim pair, PairSide side) {
  const TokenRange range = store.range(pair, side);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(range.size()));
  store.copy(range, side, ids);
  return ids;
}

Batch make_pair_batch(const PairStore& store, std::span<const Dim> pairs, const PairFrame& frame) {
  std::vector<PairIds> ids;
  for (const Dim pair : pairs) {
    ids.push_back({ids_of(store, pair, PairSide::kSource), ids_of(store, pair, PairSide::kTarget)});
  }
  return make_pair_batch(ids, frame);
}

PairBatches::PairBatches(PairStore store, const PairFrame& frame, std::uint64_t seed, PairDropout dropout,
                         double copy_epochs)
    : store_(std::move(store)),
      frame_(frame),
      seed_(seed),
      dropout_(std::move(dropout)),
      copied_samples_(copy_epochs * static_cast<double>(samples_per_epoch())) {
  if (dropout_.probability <= 0) return;
  for (const Tokenizer* tokenizer : {dropout_.source.get(), dropout_.target.get()}) {
    if (tokenizer->merge_count() > 0) continue;
    throw UsageError("--bpe-dropout needs a vocabulary of byte pairs, got " + tokenizer->kind() +
                     "; give --tokenizer bpe, or leave --bpe-dropout out");
  }
}

// Some consecutive tokens of the source.
static std::vector<std::int32_t> passage(const std::vector<std::int32_t>& source, Rng rng) {
  constexpr std::size_t kShortest = 8, kLongest = 24;
  const std::size_t length = std::min(source.size(), kShortest + rng.below(kLongest - kShortest + 1));
  const auto begin = source.begin() + static_cast<std::ptrdiff_t>(rng.below(source.size() - length + 1));
  return {begin, begin + static_cast<std::ptrdiff_t>(length)};
}

Dim PairBatches::pair_of(std::uint64_t sample) const {
  const std::uint64_t size = samples_per_epoch();
  const IndexPermutation order(size, order_key(seed_, OrderSite::kSamples, sample / size));
  return static_cast<Dim>(order(sample % size));
}

PairIds PairBatches::sample(std::uint64_t sample) const {
  const Dim pair = pair_of(sample);
  const auto ids = [&](PairSide side) {
    return dropout_.probability > 0 ? split_anew(sample, pair, side) : ids_of(store_, pair, side);
  };
  PairIds both{.source = ids(PairSide::kSource), .target = {}};
  both.target =
      copies(sample) ? passage(both.source, Rng(key_of(sample, pair, PairDraw::kPassage))) : ids(PairSide::kTarget);
  return both;
}

// The random numbers belong to the pair and the epoch, whatever the order of the pairs.
RandomKey PairBatches::key_of(std::uint64_t sample, Dim pair, PairDraw draw) const {
  const std::uint64_t epoch = sample / samples_per_epoch();
  return random_key(seed_, Purpose::kTokens, epoch * samples_per_epoch() + static_cast<std::uint64_t>(pair),
                    static_cast<std::uint32_t>(draw));
}

std::vector<std::int32_t> PairBatches::split_anew(std::uint64_t sample, Dim pair, PairSide side) const {
  const bool source = side == PairSide::kSource;
  MergeDropout dropout{dropout_.probability,
                       Rng(key_of(sample, pair, source ? PairDraw::kSourceSplit : PairDraw::kTargetSplit))};
  const Tokenizer& tokenizer = source ? *dropout_.source : *dropout_.target;
  std::vector<std::int32_t> ids =
      tokenizer.encode_with_dropout(store_.text(pair, side), SpecialTokens::kAsText, dropout);
  const Dim longest = source ? store_.options().max_source_length : store_.options().max_target_length;
  if (longest > 0 && static_cast<Dim>(ids.size()) >= longest) {
    ids.resize(static_cast<std::size_t>(std::max<Dim>(1, longest - 1)));
  }
  return ids;
}

Batch PairBatches::batch(std::uint64_t first, Dim count) const {
  std::vector<PairIds> pairs;
  for (Dim i = 0; i < count; ++i) pairs.push_back(sample(first + static_cast<std::uint64_t>(i)));
  return make_pair_batch(pairs, frame_);
}

Dim PairBatches::tokens_of(std::uint64_t sample) const {
  if (dropout_.probability > 0 || copies(sample)) {
    const PairIds ids = this->sample(sample);
    return static_cast<Dim>(ids.source.size() + ids.target.size()) + frame_.source_tokens() + 1;
  }
  const Dim pair = pair_of(sample);
  return store_.range(pair, PairSide::kSource).size() + store_.range(pair, PairSide::kTarget).size() +
         frame_.source_tokens() + 1;
}

double PairBatches::tokens_per_sample() const {
  const Dim tokens = store_.tokens(Part::kTrain, PairSide::kSource) + store_.tokens(Part::kTrain, PairSide::kTarget);
  return static_cast<double>(tokens) / static_cast<double>(samples_per_epoch()) +
         static_cast<double>(frame_.source_tokens() + 1);
}

}  // namespace rapt
