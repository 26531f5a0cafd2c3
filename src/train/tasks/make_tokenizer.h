// The tokenizer in a run's settings: a file, or a kind to train on its data.
#pragma once

#include <functional>
#include <memory>

#include "text/corpus/corpus_sources.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "train/settings/train_config.h"

namespace rapt {

/// The options for training a tokenizer of the configured kind. \pre config.learns_tokenizer()
TokenizerTrainerOptions trainer_options(const TrainConfig& config);

using LearnTokenizer = std::function<std::unique_ptr<Tokenizer>(const TokenizerTrainerOptions& options)>;

/// Loads the tokenizer, or trains it and reports it. \throws as load_tokenizer and `learn`
std::shared_ptr<const Tokenizer> make_tokenizer(const TrainConfig& config, const Notice& notice,
                                                const LearnTokenizer& learn);

}  // namespace rapt
