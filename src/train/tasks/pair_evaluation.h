// What an encoder-decoder predicts of pairs: its validation while it trains.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/models/language_model.h"
#include "text/pairs/pair_batches.h"
#include "train/metrics/evaluation.h"

namespace rapt {

/// The loss per target token (including the one that ends a target) of a part of a store, and its perplexity; the score
/// is the negative loss.
/// \param most  number of tokens of both sides to read, approximately, always of the same pairs; 0: all
/// \param team  divides the batches among itself
Evaluation evaluate_pairs(const LanguageModel& model, const PairStore& store, Part part, const PairFrame& frame,
                          std::int64_t most = 0, Team& team = Team::alone());

/// The pairs that such an evaluation reads, counted over both parts of the store.
std::vector<Dim> evaluated_pairs(const PairStore& store, Part part, std::int64_t most);

/// Tokens of a part on both sides, with one special token for each text.
double tokens_with_frame(const PairStore& store, Part part);

}  // namespace rapt
