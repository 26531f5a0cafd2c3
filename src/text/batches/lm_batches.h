// Batches for language models from a token store. The tokens of sample i of a run are a pure function of (seed, i), so
// a resumed run sees the same samples as an uninterrupted one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/batch.h"
#include "text/batches/token_store.h"

namespace rapt {

enum class LmOrder {
  kRandom,     ///< windows that start anywhere, as in nanoGPT
  kEpoch,      ///< in each epoch, adjacent windows from a random phase on, in random order
  kDocuments,  ///< in each epoch, every document once, in random order, truncated to the context
};

/// One sequence of a batch. Token `first + k + 1` is predicted from `first + k` and the tokens before it, for k <
/// length. With `led`, the end-of-text token takes the place of token `first`, which is not part of the document.
struct LmSequence {
  Dim first = 0;        ///< in the store; may be -1 if `led`
  Dim length = 0;       ///< number of input tokens
  bool led = false;     ///< the first input is the end-of-text token
  bool silent = false;  ///< nothing is predicted: a document of one token, without a token that starts it
};

/// Makes a batch of sequences: one row per input token, positions from 0, each row a target (except in silent
/// sequences).
Batch make_lm_batch(const TokenStore& store, std::span<const LmSequence> sequences);

/// Training batches of a language model.
class LmBatches final {
 public:
  /// \param context  tokens per sequence; in a part of fewer than context + 1 tokens, sequences are one token shorter
  ///                 than the part
  /// \throws UsageError  context < 1
  /// \throws DataError   for a part with fewer than two tokens (kDocuments: without documents)
  LmBatches(TokenStore store, Part part, Dim context, LmOrder order, std::uint64_t seed);

  /// Samples [first, first + count) of the run. A batch of 8 and two of 4 have the same samples.
  Batch batch(std::uint64_t first, Dim count) const;
  LmSequence sequence(std::uint64_t sample) const;

  /// Samples per epoch; for kRandom, as many as would cover the part once.
  std::uint64_t samples_per_epoch() const { return samples_per_epoch_; }
  Dim context() const { return context_; }

 private:
  TokenStore store_;
  TokenRange part_, documents_;
  Dim context_;
  LmOrder order_;
  std::uint64_t seed_;
  std::uint64_t samples_per_epoch_ = 0;
};

/// Evaluation batches of a language model: the whole part in order, every predictable token once. Windows are adjacent
/// and the last one is shorter; with documents, no window reaches into the next document.
class LmEvaluation final {
 public:
  /// \param order  kDocuments; otherwise windows over the whole part. \throws as LmBatches
  LmEvaluation(TokenStore store, Part part, Dim context, LmOrder order);

  Dim sequences() const { return sequences_; }
  /// Total number of predicted tokens.
  Dim targets() const { return targets_; }
  /// Sequences [first, min(first + count, sequences())).
  Batch batch(Dim first, Dim count) const;

 private:
  LmSequence sequence(Dim index) const;

  TokenStore store_;
  TokenRange part_, documents_;
  Dim context_;
  bool by_documents_;
  Dim sequences_ = 0, targets_ = 0;
  std::vector<Dim> first_sequence_;  // of each document
};

}  // namespace rapt
