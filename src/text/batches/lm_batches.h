// Batches for language models out of a token store: which tokens sample i of a run is made of is a pure function of
// (seed, i), so that a resumed run sees what an uninterrupted one would have seen.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/batch.h"
#include "text/batches/token_store.h"

namespace rapt {

enum class LmOrder {
  kRandom,     ///< windows that begin anywhere, as nanoGPT draws them
  kEpoch,      ///< each epoch, windows side by side from a random phase on, in random order
  kDocuments,  ///< each epoch, every document once, in random order, cut to the context
};

/// One sequence of a batch. Token `first + k + 1` is predicted from `first + k` and those before it, for k < length;
/// with `led`, the end-of-text token stands in for token `first`, which is not part of the document.
struct LmSequence {
  Dim first = 0;        ///< in the store; may be -1 if `led`
  Dim length = 0;       ///< input tokens
  bool led = false;     ///< the first input is the end-of-text token
  bool silent = false;  ///< nothing is predicted: a document of one token, and no token that begins it
};

/// Puts sequences into a batch: one row an input token, positions from 0, each row a target (but for silent sequences).
Batch make_lm_batch(const TokenStore& store, std::span<const LmSequence> sequences);

/// What a language model is trained on.
class LmBatches final {
 public:
  /// \param context  tokens a sequence; in a part of fewer than context + 1 tokens, sequences are one token shorter
  /// than
  ///                 the part
  /// \throws UsageError  context < 1
  /// \throws DataError   a part without two tokens (kDocuments: without documents)
  LmBatches(TokenStore store, Part part, Dim context, LmOrder order, std::uint64_t seed);

  /// Samples [first, first + count) of the run. A batch of 8 and two of 4 have the same samples.
  Batch batch(std::uint64_t first, Dim count) const;
  LmSequence sequence(std::uint64_t sample) const;

  /// Samples that make an epoch; for kRandom, as many as would cover the part once.
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

/// What a language model is judged by: the whole part in order, every token that can be predicted once. Windows lie
/// side by side, the last is shorter; by documents, no window reaches into the next document.
class LmEvaluation final {
 public:
  /// \param order  kDocuments, or else windows over the whole part. \throws as LmBatches
  LmEvaluation(TokenStore store, Part part, Dim context, LmOrder order);

  Dim sequences() const { return sequences_; }
  /// Tokens predicted in all.
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
