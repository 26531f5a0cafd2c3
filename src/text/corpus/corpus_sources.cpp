#include "text/corpus/corpus_sources.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "io/escape.h"
#include "io/joined.h"
#include "tensor/error.h"
#include "text/corpus/text_reader.h"
#include "text/corpus/token_file.h"
#include "text/utf8.h"

namespace rapt {

namespace fs = std::filesystem;

static SourceFormat format_by_name(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path.ends_with(".jsonl") || path.ends_with(".ndjson") ? SourceFormat::kJsonLines : SourceFormat::kText;
}

// Checks only the beginning: a file that turns binary later is an error when it is read, and should be.
static bool looks_like_text(const Input& input) {
  std::string beginning(8192, '\0');
  try {
    ByteReader reader(input);
    std::size_t have = 0;
    while (const std::size_t got = reader.read(beginning.data() + have, beginning.size() - have)) have += got;
    beginning.resize(have);
  } catch (const DataError&) {
    return false;  // damaged gzip data
  }
  if (!known_binary(beginning).empty() || beginning.find('\0') != std::string::npos) return false;
  beginning.resize(beginning.size() - incomplete_utf8_tail(beginning));
  return !find_invalid_utf8(beginning).has_value();
}

static bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

// Regular files below the folder, except hidden ones. Links to folders are not followed, because they may form a cycle.
static void collect(const fs::path& folder, std::vector<std::string>& files, const Notice& notice) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (is_hidden(entry->path())) continue;
    std::error_code ignored;
    if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
      collect(entry->path(), files, notice);
    } else if (entry->is_regular_file(ignored)) {
      files.push_back(entry->path().string());
    }
  }
  if (error && notice) notice(escape_for_terminal(folder.string()) + ": skipped, " + error.message());
}

static void tell_left_out(const std::string& folder, const std::vector<std::string>& left_out, const Notice& notice) {
  if (left_out.empty() || !notice) return;
  const std::string names = joined_first(
      left_out, 3, [](const std::string& path) { return escape_for_terminal(fs::path(path).filename().string()); });
  notice(escape_for_terminal(folder) + ": skipped " + std::to_string(left_out.size()) +
         (left_out.size() == 1 ? " non-text file (" : " non-text files (") + names + ")");
}

static void add_folder(const std::string& folder, std::optional<SourceFormat> format, const Notice& notice,
                       std::vector<CorpusSource>& sources) {
  std::vector<std::string> files, left_out;
  collect(folder, files, notice);
  std::sort(files.begin(), files.end());
  const std::size_t before = sources.size();
  for (const std::string& file : files) {
    try {
      const Input input = Input::from_file(file);
      if (is_llmc_tokens(input)) {
        sources.emplace_back(file, SourceFormat::kTokens);
      } else if (!looks_like_text(input)) {
        left_out.push_back(file);
      } else if (input.bytes() > 0) {
        sources.emplace_back(file, format.value_or(format_by_name(file)));
      }
    } catch (const MissingInputError& error) {  // not readable
      if (notice) notice(std::string(error.what()) + "; skipped");
    }
  }
  tell_left_out(folder, left_out, notice);
  if (sources.size() == before) {
    throw MissingInputError(escape_for_terminal(folder) + ": the folder must hold text files, got none; name the file" +
                            (left_out.empty() ? "" : " itself if it is not recognised"));
  }
}

std::vector<CorpusSource> find_sources(const std::vector<std::string>& paths, std::optional<SourceFormat> format,
                                       const Notice& notice) {
  if (paths.empty()) throw UsageError("corpus: at least one file or folder must be given, got none");
  if (std::count(paths.begin(), paths.end(), "-") > 1) {
    throw UsageError("corpus: - (standard input) can be given only once");
  }
  std::vector<CorpusSource> sources;
  std::string empty;  // the first of the empty files
  const auto leave_out = [&](const Input& input) {
    if (empty.empty()) empty = escape_for_terminal(input.name());
    if (notice) notice(escape_for_terminal(input.name()) + ": skipped, the file is empty");
  };
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (path == "-") {
      Input input = Input::from_standard_input();
      if (input.bytes() == 0) {
        leave_out(input);
        continue;
      }
      sources.emplace_back(std::move(input), format.value_or(SourceFormat::kText));
    } else if (fs::is_directory(path, ignored)) {
      add_folder(path, format, notice, sources);
    } else {
      const Input input = Input::from_file(path);  // a wrong name is found before anything is read
      if (input.bytes() == 0) {
        leave_out(input);
        continue;
      }
      const bool tokens = path.ends_with(".bin") || is_llmc_tokens(input);
      sources.emplace_back(path, tokens ? SourceFormat::kTokens : format.value_or(format_by_name(path)));
    }
  }
  if (sources.empty()) throw DataError(empty + ": must hold text, got an empty file");
  return sources;
}

}  // namespace rapt
