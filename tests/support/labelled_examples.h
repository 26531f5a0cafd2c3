// Labelled files with a tokenizer whose ids are readable.
#pragma once

#include <memory>
#include <string>

#include "io/temporary_folder.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "train/labelled/labelled_data.h"

namespace rapt::testing {

/// A token's id is its line.
inline std::shared_ptr<const Tokenizer> small_wordpiece(const TemporaryFolder& folder) {
  write_plainly(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\n##s\nlon\n##don\n");
  return load_tokenizer(folder / "vocab.txt");
}

/// A file's examples for a BERT of `context` tokens.
inline LabelledData read_examples(const TemporaryFolder& folder, const std::string& name, const std::string& text,
                                  const LabelledOptions& options, Dim context = 32) {
  write_plainly(folder / name, text);
  return LabelledData::read({folder / name}, SequenceFrame(small_wordpiece(folder), true, context), options);
}

}  // namespace rapt::testing
