// The validation of translation and summarisation: loss, scores of texts that the network writes, and samples of them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "decode/constraints.h"
#include "decode/decoder.h"
#include "nn/models/any_network.h"
#include "text/pairs/pair_batches.h"
#include "text/tokenizer/tokenizer.h"
#include "train/files/tokenizers.h"
#include "train/metrics/evaluation.h"
#include "train/settings/train_config.h"

namespace rapt {

/// Adds the rules that belong to an encoder-decoder: it writes no padding, and begins with mBART's language.
void complete(Constraints& constraints, const AnyNetwork& network, const TrainConfig& config);

/// The most probable text of each source, by greedy decoding.
/// \param sources  token ids, framed as for training
/// \param config   the ids of the start and end tokens
/// \return         token ids without start and end tokens, in the order of the sources
TokenLists write_texts(const AnyNetwork& network, const TokenLists& sources, const TrainConfig& config);

/// The held-out pairs of a run.
class HeldOutPairs final {
 public:
  /// \param network  must outlive this
  /// \pre the store keeps texts if --valid-metrics names metrics of texts
  HeldOutPairs(const AnyNetwork& network, Tokenizers tokenizers, PairStore store, const PairFrame& frame,
               TrainConfig config);

  /// The loss, and the metrics of --valid-metrics over greedy translations of the same pairs; the score is that of the
  /// first metric.
  /// \param most  number of tokens of both sides to read, approximately; 0: all
  /// \param team  divides the pairs among itself
  Evaluation evaluate(std::int64_t most, Team& team) const;

  /// A few sources, always the same ones, with the texts that the network writes and the references.
  std::string sample() const;

 private:
  void score_texts(Evaluation& evaluation, std::int64_t most, Team& team) const;
  TokenLists sources_of(std::span<const Dim> pairs) const;
  std::string text_of(Dim pair, PairSide side) const;

  const AnyNetwork& network_;
  Tokenizers tokenizers_;
  PairStore store_;
  PairFrame frame_;
  TrainConfig config_;
};

}  // namespace rapt
