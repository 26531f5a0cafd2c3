// Batches for masked language models from a token store that was built with instances. The sequence and the masks of
// sample i of a run are a pure function of (seed, i), so a resumed run sees the same samples as an uninterrupted one.
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
  RandomKey masking;  ///< the random stream of the masks
};

/// Makes a batch of sequences: `[CLS] A [SEP] B [SEP]` or `[CLS] A [SEP]`, masked; positions from 0; segments 0 up to
/// the first [SEP] and 1 after it; the masked rows and their original tokens as target_rows and targets. For
/// InstanceTask::kMlmNsp, labels [B]: 0 if B follows A, 1 if it is random.
/// \throws DataError  if the file is damaged
Batch make_mlm_batch(const TokenStore& store, const Masker& masker, std::span<const MlmSequence> sequences);

/// Training batches of a masked language model. An epoch is one pass over the text, in random order: epoch e uses the
/// instances of pass e modulo passes. Masks depend on (seed, epoch, instance), or with static masking on (seed, 0,
/// instance).
class MlmBatches final {
 public:
  /// \throws DataError   for a store without instances, or a tokenizer that cannot mask; UsageError as Masker
  /// \throws ConfigError for a store made with another tokenizer
  MlmBatches(TokenStore store, const Tokenizer& tokenizer, const MaskingOptions& masking, std::uint64_t seed);

  /// Samples [first, first + count) of the run. A batch of 8 and two of 4 have the same samples.
  Batch batch(std::uint64_t first, Dim count) const;
  MlmSequence sequence(std::uint64_t sample) const;
  /// The length of a sample's sequence, including special tokens.
  Dim tokens_of(std::uint64_t sample) const;

  /// Samples per epoch: if passes have different numbers of instances, their mean, rounded.
  std::uint64_t samples_per_epoch() const;
  Dim context() const { return store_.instance_options()->context; }

 private:
  TokenStore store_;
  std::shared_ptr<const Masker> masker_;
  std::uint64_t seed_;
};

/// Evaluation batches of a masked language model: the instances of a part's first pass in order, with masks that depend
/// only on the file, so that runs with different seeds are compared on the same predictions.
class MlmEvaluation final {
 public:
  /// \param masking  the masking options; `dynamic` is ignored here
  /// \throws as MlmBatches; DataError for a part without instances
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
