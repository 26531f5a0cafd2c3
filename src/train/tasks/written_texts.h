// Texts that an encoder-decoder writes for held-out sources, and their scores: the validation metrics of translation
// and summarisation.
#pragma once

#include <string>
#include <vector>

#include "decode/decoder.h"
#include "nn/models/any_network.h"
#include "train/metrics/text_metric.h"
#include "train/settings/train_config.h"

namespace rapt {

/// The most probable text of each source, by greedy decoding. A text ends with the end token, or at twice the length of
/// its source and some more.
/// \param sources  token ids, each with the end token
/// \param config   the ids of the start and end tokens
/// \return         token ids without start and end tokens, in the order of the sources
TokenLists write_texts(const AnyNetwork& network, const TokenLists& sources, const TrainConfig& config);

/// The validation metrics that compare texts, as in --valid-metrics: those other than "loss".
std::vector<std::unique_ptr<TextMetric>> validation_metrics(const TrainConfig& config);

}  // namespace rapt
