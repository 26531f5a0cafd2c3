#include "text/tokenizer/files/marian_files.h"

#include <filesystem>

#include "io/file.h"
#include "text/tokenizer/files/sentencepiece_file.h"

namespace rapt {

static constexpr const char *kSource = "source.spm", *kTarget = "target.spm", *kVocabulary = "vocab.json";

static bool has(const std::string& directory, const char* name) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(std::filesystem::path(directory) / name, ignored);
}

bool has_marian_files(const std::string& directory) {
  return has(directory, kSource) && has(directory, kTarget) && has(directory, kVocabulary);
}

MarianTokenizers read_marian_files(const std::string& directory) {
  const auto path = [&](const char* name) { return directory + "/" + name; };
  const std::string vocabulary = read_file(path(kVocabulary));
  const auto read = [&](const char* name, OriginalFiles files) {
    const std::string bytes = read_file(path(name));
    files.emplace_back(name, bytes);
    return std::make_unique<Tokenizer>(
        read_sentencepiece_model(bytes, path(name), vocabulary, path(kVocabulary), std::move(files)), path(name));
  };
  OriginalFiles shared = {{kVocabulary, vocabulary}};
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
    if (has(directory, name)) shared.emplace_back(name, read_file(path(name)));
  }
  return {.source = read(kSource, {}), .target = read(kTarget, std::move(shared))};
}

}  // namespace rapt
