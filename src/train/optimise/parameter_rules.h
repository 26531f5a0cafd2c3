// Which parameters a run leaves as they are, and which learn more slowly than others.
#pragma once

#include "train/optimise/parameters.h"
#include "train/settings/train_config.h"

namespace rapt {

/// The rules that --freeze, --layer-rate-decay and --lora-rank make for a network.
///
/// What --freeze names: `embeddings` (the tables and the norm behind them), `backbone` (all but the heads of a task),
/// blocks by number (`3`, `0-3`, counted from 0), or parameters by name, where `*` stands for anything.
/// With adapters, only they and a task's head learn, BERT's pooler included. With a rate decay d, block i of L learns
/// at d^(L - 1 - i) of the rate, the embeddings at d^L, what is above the blocks at the full rate: Howard, Ruder,
/// "Universal Language Model Fine-tuning for Text Classification", 2018, arXiv 1801.06146, section 3.2, per block.
///
/// \throws UsageError  a pattern that names no parameter
ParameterRules parameter_rules(const TrainConfig& config, Module& network);

}  // namespace rapt
