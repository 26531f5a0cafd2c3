// Opens anything that holds a model as a network and a tokenizer: a run folder, a checkpoint, a Hugging Face directory.
#pragma once

#include <memory>
#include <string>

#include "nn/models/any_network.h"
#include "nn/models/bert_pretraining.h"
#include "nn/models/language_model.h"
#include "nn/models/task_network.h"
#include "train/files/tokenizers.h"
#include "train/settings/train_config.h"

namespace rapt {

struct Pretrained {
  std::unique_ptr<AnyNetwork> network;
  Tokenizers tokenizers;  ///< none if the source has none
  /// The settings of its run or, for a Hugging Face directory, those that follow from the network: its task and the
  /// names of its classes.
  TrainConfig config;
  std::string source;     ///< the file or folder that the weights came from
  std::int64_t step = 0;  ///< updates of the run; 0 for a Hugging Face directory

  /// The network as a certain kind.
  /// \throws UsageError  if it is another kind, naming it and the commands that accept it
  LanguageModel& language_model() const;
  LanguageModel& encoder_decoder() const;  ///< predicts target texts from source texts
  BertPretraining& masked() const;         ///< a masked language model
  TaskNetwork& task_network() const;
};

/// The checkpoint or directory that a path refers to: for a run folder, its best.h5 if it exists, else its last.h5.
/// \throws MissingInputError  if there is nothing at `path`, or the folder holds no model
std::string model_source(const std::string& path);

/// \throws MissingInputError, DataError
Pretrained open_pretrained(const std::string& path);

/// The tokenizer of what a model predicts, for commands that need one.
/// \throws MissingInputError  if there is none, explaining how to add one
const Tokenizer& require_tokenizer(const Pretrained& model);

}  // namespace rapt
