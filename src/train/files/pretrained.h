// Anything that holds a model, opened as network and tokenizer: a run folder, a checkpoint, a Hugging Face directory.
#pragma once

#include <memory>
#include <string>

#include "nn/models/any_network.h"
#include "text/tokenizer/tokenizer.h"
#include "train/settings/train_config.h"

namespace rapt {

struct Pretrained {
  std::unique_ptr<AnyNetwork> network;
  std::shared_ptr<const Tokenizer> tokenizer;  ///< nullptr if the source has none
  /// The settings of the run that it came from, of a Hugging Face directory as far as they describe the network: what
  /// its task is, what its classes are called.
  TrainConfig config;
  std::string source;     ///< the file or folder that the weights came from
  std::int64_t step = 0;  ///< updates of the run; 0 for a Hugging Face directory

  /// The network where it must be of one kind.
  /// \throws UsageError  if it is another one, saying what it is and which command takes it
  Gpt& gpt() const;                 ///< a language model
  BertPretraining& masked() const;  ///< one that knows masked words
  TaskNetwork& task_network() const;
};

/// Which checkpoint or directory a path means: a run folder stands for its best.h5 where there is one, else its
/// last.h5. \throws MissingInputError  if there is nothing at `path`, or nothing in the folder that holds a model
std::string model_source(const std::string& path);

/// \throws MissingInputError, DataError
Pretrained open_pretrained(const std::string& path);

/// The tokenizer of a model that cannot do without.
/// \throws MissingInputError  saying how to give it one
const Tokenizer& require_tokenizer(const Pretrained& model);

}  // namespace rapt
