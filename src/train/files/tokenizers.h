// The tokenizers of a model: one, or one for each of two vocabularies.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/tokenizer/tokenizer.h"
#include "train/files/checkpoint_file.h"

namespace rapt {

struct Tokenizers {
  std::shared_ptr<const Tokenizer> target = nullptr;  ///< of the text that the network predicts; nullptr: none
  std::shared_ptr<const Tokenizer> source = nullptr;  ///< of an encoder's text; nullptr: the same as target
};

/// The texts of a checkpoint: `tokenizer`, or `tokenizer_source` and `tokenizer_target`; nothing without a tokenizer.
std::vector<std::pair<std::string, std::string>> named_texts(const Tokenizers& tokenizers);

/// The folder, inside the Hugging Face directory of a translator with two vocabularies, that has the source's
/// tokenizer.
inline constexpr const char* kSourceTokenizer = "source_tokenizer";

/// The tokenizer of a file or folder (load_tokenizer), or both of a folder with Marian's files or with
/// kSourceTokenizer.
/// \throws MissingInputError, DataError
Tokenizers load_tokenizers(const std::string& path);

/// Those of a checkpoint. A model imported without a tokenizer has none.
/// \throws DataError  if one of two is missing, or if a text is not a tokenizer
Tokenizers tokenizers_of(const CheckpointFile& file);

}  // namespace rapt
