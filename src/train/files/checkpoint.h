// A run in one file: writes the contents of a checkpoint (checkpoint_file.h) and restores them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "nn/models/any_network.h"
#include "train/files/checkpoint_file.h"
#include "train/files/tokenizers.h"
#include "train/optimise/trainer.h"

namespace rapt {

/// The texts of a checkpoint, which record how the run was started.
struct CheckpointTexts {
  std::string config;  ///< TOML, as written by to_toml
  Tokenizers tokenizers = {};
  std::string manifest;  ///< JSON: run id, data digests, command line, build, instruction set
};

/// Writes weights, optimiser state and the state of the run. Nothing is copied, so peak memory does not grow.
/// \throws as write_checkpoint
/// \param states  Trainer::whole_state()
void save_checkpoint(const std::string& path, Trainer& trainer, const std::vector<Optimizer::State>& states,
                     const CheckpointTexts& texts);

/// Writes a checkpoint of a model alone, without optimiser state: for imported models.
void save_model(const std::string& path, Module& model, const CheckpointTexts& texts);

/// Restores weights, optimiser state and the state of the run.
/// \throws DataError  naming what is missing, superfluous or of another shape
void restore(Trainer& trainer, const CheckpointFile& file);

/// The settings of the checkpoint's run.
TrainConfig config_of(const CheckpointFile& file);

/// The network that the checkpoint's texts and shapes describe, with its weights: their moving average if the run
/// keeps one.
std::unique_ptr<AnyNetwork> network_of(const CheckpointFile& file);

}  // namespace rapt
