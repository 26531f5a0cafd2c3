// Which files a corpus consists of: what was named, folders walked, and what each file is.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "text/corpus/input.h"

namespace rapt {

/// Where a library tells its user what it left out; takes one line without a newline.
using Notice = std::function<void(const std::string&)>;

enum class SourceFormat {
  kText,       ///< plain text
  kJsonLines,  ///< a JSON object a line
  kTokens,     ///< token ids: llm.c's and nanoGPT's .bin
};

/// One source of a corpus. Files are opened when they are read: a folder may have more of them than may be open at
/// once.
class CorpusSource final {
 public:
  CorpusSource(std::string path, SourceFormat format) : path_(std::move(path)), format_(format) {}
  CorpusSource(Input input, SourceFormat format) : path_(input.name()), format_(format), input_(std::move(input)) {}

  const std::string& name() const { return path_; }
  SourceFormat format() const { return format_; }
  Input open() const { return input_ ? *input_ : Input::from_file(path_); }

 private:
  std::string path_;
  SourceFormat format_;
  std::optional<Input> input_;
};

/// The sources that `paths` name, in their order. "-" is standard input. A folder stands for the files below it, sorted
/// by their paths; hidden ones and non-text files are left out, which `notice` is told. Empty files are left out.
///
/// JSON lines are files named .jsonl or .ndjson (also with .gz), unless `format` says what all are. Token files are
/// those named .bin and those that begin as llm.c's do; in folders only the latter, because nanoGPT's have no sign of
/// their own.
///
/// \throws MissingInputError  no such file; a folder without text
/// \throws DataError          all files are empty
/// \throws UsageError         no paths; "-" twice
std::vector<CorpusSource> find_sources(const std::vector<std::string>& paths,
                                       std::optional<SourceFormat> format = std::nullopt,
                                       const Notice& notice = nullptr);

}  // namespace rapt
