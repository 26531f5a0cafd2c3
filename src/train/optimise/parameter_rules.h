// Which parameters are frozen, and which have a lower learning rate.
#pragma once

#include "train/optimise/parameters.h"
#include "train/settings/train_config.h"

namespace rapt {

/// The rules of --freeze, --layer-rate-decay and --lora-rank for a network.
///
/// Values of --freeze: `embeddings` (the tables and the norm after them), `backbone` (everything but the task head),
/// blocks by number (`3`, `0-3`, counted from 0), or parameter names, in which `*` matches anything. With adapters,
/// only the adapters and the task head are trained, including BERT's pooler. With a rate decay d, block i of L has the
/// learning rate times d^(L - 1 - i), the embeddings times d^L, and everything above the blocks the full rate: Howard,
/// Ruder, "Universal Language Model Fine-tuning for Text Classification", 2018, arXiv 1801.06146, section 3.2, per
/// block.
///
/// \throws UsageError  for a pattern that matches no parameter
ParameterRules parameter_rules(const TrainConfig& config, Module& network);

}  // namespace rapt
