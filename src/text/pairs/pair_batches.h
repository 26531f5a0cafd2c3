// Batches of an encoder-decoder from a store of pairs. The pairs of a run are a pure function of (seed, epoch,
// position), so a resumed run sees the same batches as an uninterrupted one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tensor/batch.h"
#include "tensor/random.h"
#include "text/pairs/pair_store.h"

namespace rapt {

/// The special tokens of a pair: the source ends with `end`; the target starts with `start`, and `end` is its last
/// prediction.
struct PairFrame {
  std::int32_t start = 0, end = 0;
  /// Around a source, if its tokenizer frames texts by itself, as BART's does; empty: only `end` behind it.
  std::vector<std::int32_t> source_front = {}, source_back = {};

  Dim source_tokens() const {
    return source_back.empty() ? 1 : static_cast<Dim>(source_front.size() + source_back.size());
  }
};

/// The frame with the tokens that `source` puts around a text.
PairFrame pair_frame(const Tokenizer& source, std::int32_t start, std::int32_t end);

/// The token ids of one pair, without special tokens.
struct PairIds {
  std::vector<std::int32_t> source, target;
};

/// A batch of these pairs: the source is `source end` (or as its tokenizer frames it), the input `start target`, and
/// every row of the input is a target: `target end`. Both sides are packed without padding.
Batch make_pair_batch(std::span<const PairIds> pairs, const PairFrame& frame);
/// The same of a store. \param pairs  counted over both parts
Batch make_pair_batch(const PairStore& store, std::span<const Dim> pairs, const PairFrame& frame);

/// BPE-dropout: texts are split anew in each epoch.
struct PairDropout {
  double probability = 0;  ///< 0: none
  std::shared_ptr<const Tokenizer> source, target;
};

/// What the random numbers of a pair in an epoch are drawn for. Do not change the numbers: resumed runs must draw the
/// same.
enum class PairDraw : std::uint32_t { kSourceSplit = 0, kTargetSplit = 1, kPassage = 2 };

/// Training batches: in each epoch, every training pair once, in random order.
///
/// In the first `copy_epochs` epochs, the target of each pair is a passage of its source: up to 24 consecutive tokens
/// from a random place, drawn anew in each epoch. A network learns to copy words from its source in this way, which
/// summaries need and which a few thousand of them do not teach. After Zhang, Zhao, Saleh, Liu 2020, "PEGASUS:
/// Pre-training with Extracted Gap-sentences for Abstractive Summarization", section 3.1, without the gaps.
class PairBatches final {
 public:
  /// \throws UsageError  for dropout with a tokenizer that is not a BPE
  /// \pre dropout needs a store that keeps texts; copy_epochs > 0 needs one vocabulary for both sides
  PairBatches(PairStore store, const PairFrame& frame, std::uint64_t seed, PairDropout dropout = {},
              double copy_epochs = 0);

  /// Samples [first, first + count) of the run. A batch of 8 and two of 4 have the same samples.
  Batch batch(std::uint64_t first, Dim count) const;
  PairIds sample(std::uint64_t sample) const;
  /// Rows of a sample on both sides.
  Dim tokens_of(std::uint64_t sample) const;

  std::uint64_t samples_per_epoch() const { return static_cast<std::uint64_t>(store_.pairs(Part::kTrain)); }
  /// Rows of a sample on both sides, on average; with dropout, of texts that are split without it.
  double tokens_per_sample() const;

 private:
  Dim pair_of(std::uint64_t sample) const;
  bool copies(std::uint64_t sample) const { return static_cast<double>(sample) < copied_samples_; }
  RandomKey key_of(std::uint64_t sample, Dim pair, PairDraw draw) const;
  std::vector<std::int32_t> split_anew(std::uint64_t sample, Dim pair, PairSide side) const;

  PairStore store_;
  PairFrame frame_;
  std::uint64_t seed_;
  PairDropout dropout_;
  double copied_samples_;  // the first ones
};

}  // namespace rapt
