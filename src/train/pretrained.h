// Anything that holds a model, opened as model and tokenizer: a run folder, a checkpoint, a Hugging Face directory.
#pragma once

#include <memory>
#include <string>

#include "nn/models/gpt.h"
#include "text/tokenizer.h"

namespace rapt {

struct Pretrained {
  std::unique_ptr<Gpt> model;
  std::unique_ptr<Tokenizer> tokenizer;  ///< nullptr if the source has none
  std::string source;                    ///< the file or folder that the weights came from
  std::int64_t step = 0;                 ///< updates of the run; 0 for a Hugging Face directory
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
