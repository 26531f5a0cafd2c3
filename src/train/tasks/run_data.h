// The tokens of a run's text as batches and as held-out data.
#pragma once

#include <optional>

#include "text/batches/lm_batches.h"
#include "text/batches/token_store.h"
#include "train/optimise/trainer.h"

namespace rapt {

/// The order of the configuration's samples.
LmOrder lm_order(const TrainConfig& config);

/// The held-out part of a store; nullopt if nothing is held out.
std::optional<LmEvaluation> held_out(const TrainConfig& config, const TokenStore& store);

/// Batches from a token store, sampled as the configuration says.
TrainingData training_data(const TrainConfig& config, const TokenStore& store);

}  // namespace rapt
