// Batches for masked language models out of a token store that was built with instances. Which sequence sample i of a
// run is, and which of its words are masked, is a pure function of (seed, i), so that a resumed run sees what an
// uninterrupted one would have seen.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tensor/batch.h"
#include "tensor/random.h"
#include "text/batches/masking.h"
#include "text/batches/token_store.h"

namespace rapt {

/// One sequence of a batch.
struct MlmSequence {
  Dim instance = 0;   ///< in the store
  RandomKey masking;  ///< the stream that says what is masked
};

/// Puts sequences into a batch: `[CLS] A [SEP] B [SEP]` or `[CLS] A [SEP]`, masked; positions from 0; segments 0 up to
/// the first [SEP] and 1 behind it; the masked rows and what stood there as target_rows and targets. For
/// InstanceTask::kMlmNsp, labels [B]: 0 where B follows A, 1 where it is random.
/// \throws DataError  if the file is damaged
Batch make_mlm_batch(const TokenStore& store, const Masker& masker, std::span<const MlmSequence> sequences);

/// What a masked language model is trained on. An epoch is one pass over the text, in random order: epoch e takes the
/// instances of pass e modulo passes. Masks are those of (seed, epoch, instance), or with static masking of (seed, 0,
/// instance).
class MlmBatches final {
 public:
  /// \throws DataError   a store without instances, or a tokenizer that cannot mask; \throws UsageError  as Masker
  /// \throws ConfigError a store made with another tokenizer
  MlmBatches(TokenStore store, const Tokenizer& tokenizer, const MaskingOptions& masking, std::uint64_t seed);

  /// Samples [first, first + count) of the run. A batch of 8 and two of 4 have the same samples.
  Batch batch(std::uint64_t first, Dim count) const;
  MlmSequence sequence(std::uint64_t sample) const;
  /// The length of a sample's sequence, its frame included.
  Dim tokens_of(std::uint64_t sample) const;

  /// Samples that make an epoch: of passes with different numbers of instances, their mean, rounded.
  std::uint64_t samples_per_epoch() const;
  Dim context() const { return store_.instance_options()->context; }

 private:
  TokenStore store_;
  std::shared_ptr<const Masker> masker_;
  std::uint64_t seed_;
};

/// What a masked language model is judged by: the instances of a part's first pass in order, with masks that depend on
/// the file alone, so that runs with different seeds are compared by the same guesses.
class MlmEvaluation final {
 public:
  /// \param masking  what the masks are like; `dynamic` has no meaning here
  /// \throws as MlmBatches; DataError  a part without instances
  MlmEvaluation(TokenStore store, const Tokenizer& tokenizer, Part part, const MaskingOptions& masking);

  Dim sequences() const { return instances_.size(); }
  /// Sequences [first, min(first + count, sequences())).
  Batch batch(Dim first, Dim count) const;

 private:
  TokenStore store_;
  std::shared_ptr<const Masker> masker_;
  TokenRange instances_;
};

}  // namespace rapt
