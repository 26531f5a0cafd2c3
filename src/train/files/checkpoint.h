// A run in one file: what a checkpoint (checkpoint_file.h) holds and what it becomes again.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "nn/models/any_network.h"
#include "text/tokenizer/tokenizer.h"
#include "train/files/checkpoint_file.h"
#include "train/optimise/trainer.h"

namespace rapt {

/// The texts of a checkpoint, which say how the run was started.
struct CheckpointTexts {
  std::string config;     ///< TOML, as to_toml writes it
  std::string tokenizer;  ///< tokenizer.json
  std::string manifest;   ///< JSON: run id, data digests, command line, build, instruction set
};

/// Writes weights, optimiser state and the state of the run. Nothing is copied: peak memory stays where it is.
/// \throws as write_checkpoint
void save_checkpoint(const std::string& path, Trainer& trainer, const CheckpointTexts& texts);

/// A checkpoint of a model alone, without optimiser state: what an imported model becomes.
void save_model(const std::string& path, Module& model, const CheckpointTexts& texts);

/// Puts weights, optimiser state and the state of the run back.
/// \throws DataError  naming what is missing, too much or of another shape
void restore(Trainer& trainer, const CheckpointFile& file);

/// The settings that the checkpoint's run had.
TrainConfig config_of(const CheckpointFile& file);

/// The network that the checkpoint's texts and shapes describe, with its weights.
std::unique_ptr<AnyNetwork> network_of(const CheckpointFile& file);

/// nullptr if the checkpoint has none (a model imported without its tokenizer).
std::unique_ptr<Tokenizer> tokenizer_of(const CheckpointFile& file);

}  // namespace rapt
