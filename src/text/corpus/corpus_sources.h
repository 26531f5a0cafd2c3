// The files of a corpus: resolves the given names, walks folders, and determines the type of each file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "text/corpus/input.h"

namespace rapt {

/// How the library reports what it skipped; takes one line without a newline.
using Notice = std::function<void(const std::string&)>;

enum class SourceFormat {
  kText,       ///< plain text
  kJsonLines,  ///< one JSON object per line
  kTokens,     ///< token ids: llm.c's and nanoGPT's .bin
};

/// One source of a corpus. Files are opened only when they are read, because a folder may have more of them than may be
/// open at once.
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

/// The sources that `paths` names, in order. "-" is standard input. A folder stands for the files below it, sorted by
/// path. Hidden and non-text files are skipped and reported to `notice`. Empty files are skipped.
///
/// JSON lines are files named .jsonl or .ndjson (also with .gz), unless `format` sets the type of all files. Token
/// files are those named .bin and those with the header of llm.c's files. In folders only the latter count, because
/// nanoGPT's files have no header.
///
/// \throws MissingInputError  for a file that does not exist, or a folder without text
/// \throws DataError          if all files are empty
/// \throws UsageError         if there are no paths, or "-" occurs twice
std::vector<CorpusSource> find_sources(const std::vector<std::string>& paths,
                                       std::optional<SourceFormat> format = std::nullopt,
                                       const Notice& notice = nullptr);

}  // namespace rapt
