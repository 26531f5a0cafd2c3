// The tokenizer that a run's settings name: a file, or a kind that is learnt from its data.
#pragma once

#include <functional>
#include <memory>

#include "text/corpus/corpus_sources.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "train/settings/train_config.h"

namespace rapt {

/// How a tokenizer of the kind that the settings name is learnt. \pre config.learns_tokenizer()
TokenizerTrainerOptions trainer_options(const TrainConfig& config);

using LearnTokenizer = std::function<std::unique_ptr<Tokenizer>(const TokenizerTrainerOptions& options)>;

/// Loads the tokenizer, or learns it and tells so. \throws as load_tokenizer and `learn`
std::shared_ptr<const Tokenizer> make_tokenizer(const TrainConfig& config, const Notice& notice,
                                                const LearnTokenizer& learn);

}  // namespace rapt
