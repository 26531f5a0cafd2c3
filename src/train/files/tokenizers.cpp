#include "train/files/tokenizers.h"

#include <filesystem>

#include "tensor/error.h"
#include "text/tokenizer/files/marian_files.h"
#include "text/tokenizer/files/tokenizer_files.h"

namespace rapt {

static constexpr const char *kOne = "tokenizer", *kSource = "tokenizer_source", *kTarget = "tokenizer_target";

std::vector<std::pair<std::string, std::string>> named_texts(const Tokenizers& tokenizers) {
  if (tokenizers.target == nullptr) {
    if (tokenizers.source != nullptr) throw BugError("checkpoint: a tokenizer of the source needs one of the target");
    return {};
  }
  if (tokenizers.source == nullptr) return {{kOne, tokenizers.target->to_json()}};
  return {{kSource, tokenizers.source->to_json()}, {kTarget, tokenizers.target->to_json()}};
}

Tokenizers load_tokenizers(const std::string& path) {
  if (has_marian_files(path)) {
    MarianTokenizers both = read_marian_files(path);
    return {.target = std::move(both.target), .source = std::move(both.source)};
  }
  Tokenizers tokenizers{.target = load_tokenizer(path)};
  const std::string source = path + "/" + kSourceTokenizer;
  if (std::filesystem::exists(source)) tokenizers.source = load_tokenizer(source);
  return tokenizers;
}

Tokenizers tokenizers_of(const CheckpointFile& file) {
  std::string found;
  for (const char* name : {kOne, kSource, kTarget}) {
    if (file.has_text(name)) found += (found.empty() ? "/" : " and /") + std::string(name);
  }
  const auto read = [&](const char* name) -> std::shared_ptr<const Tokenizer> {
    return tokenizer_from_json(file.text(name), file.path() + ": /" + name);
  };
  const bool one = file.has_text(kOne), source = file.has_text(kSource), target = file.has_text(kTarget);
  if (source != target || (one && source)) {
    throw DataError("checkpoint: " + file.path() +
                    " must have /tokenizer, or /tokenizer_source and /tokenizer_target, got " + found);
  }
  if (one) return {.target = read(kOne)};
  if (source) return {.target = read(kTarget), .source = read(kSource)};
  return {};
}

}  // namespace rapt
