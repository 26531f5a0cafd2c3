#include "text/tokenizer/files/tokenizer_files.h"

#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/corpus/input.h"
#include "text/tokenizer/bpe_model.h"
#include "text/tokenizer/files/sentencepiece_file.h"
#include "text/tokenizer/files/vocabulary_text.h"
#include "text/tokenizer/tokenizer_json.h"

namespace rapt {

namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} << 20;

// The file's bytes, decompressed if they are gzipped.
std::string read_text(const std::string& path) {
  ByteReader reader(Input::from_file(path));
  std::string text;
  std::array<char, 1 << 16> block{};
  while (const std::size_t got = reader.read(block.data(), block.size())) {
    text.append(block.data(), got);
    if (text.size() > kMaxBytes) {
      throw DataError("tokenizer: " + escape_for_terminal(path) + " must be at most " + readable_bytes(kMaxBytes) +
                      ", got more");
    }
  }
  return text;
}

// The file itself or its gzipped form.
std::optional<std::string> existing(const std::filesystem::path& path) {
  for (const char* end : {"", ".gz"}) {
    const std::string candidate = path.string() + end;
    std::error_code ignored;
    if (std::filesystem::exists(candidate, ignored)) return candidate;
  }
  return std::nullopt;
}

// Whether the path has this ending, apart from .gz.
bool is_named(std::string_view path, std::string_view end) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path.ends_with(end);
}

std::unique_ptr<Tokenizer> load_vocabulary_text(const std::string& path) {
  const std::filesystem::path file(path);
  Json config;
  const bool has_usual_name = file.filename() == "vocab.txt" || file.filename() == "vocab.txt.gz";
  if (const auto beside = existing(file.parent_path() / "tokenizer_config.json"); has_usual_name && beside) {
    config = parse_json(read_text(*beside), *beside);
  }
  return std::make_unique<Tokenizer>(read_vocabulary_text(read_text(path), config, path), path);
}

Json special_token(std::int32_t id, const std::string& content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", content == "<mask>"},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_from_json(std::string_view json, const std::string& name) {
  return std::make_unique<Tokenizer>(read_tokenizer_json(json, name), name);
}

std::unique_ptr<Tokenizer> tokenizer_from_vocabulary_and_merges(std::string_view vocabulary, std::string_view merges,
                                                                const std::string& name) {
  auto entries = parse_vocabulary(parse_json(vocabulary, name), name, "");
  bool has_word_ends = false, has_unknown = false;
  Json added = Json::array();
  for (const auto& [text, id] : entries) {
    has_word_ends = has_word_ends || text.ends_with("</w>");
    has_unknown = has_unknown || text == "<unk>";
    for (const char* known : {"<|endoftext|>", "<s>", "<pad>", "</s>", "<unk>", "<mask>"}) {
      if (text == known) added.push_back(special_token(id, text));
    }
  }
  BpeOptions options;
  Json head = {{"added_tokens", std::move(added)}};
  if (has_word_ends) {
    if (has_unknown) options.unk_token = "<unk>";
    options.end_of_word_suffix = "</w>";
    head["normalizer"] = make_bert_normalizer()->to_json();
    head["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    head["decoder"] = {{"type", "BPEDecoder"}, {"suffix", "</w>"}};
  } else {
    const Json byte_level = {
        {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
    head["pre_tokenizer"] = byte_level;
    head["post_processor"] = byte_level;
    head["decoder"] = byte_level;
  }
  auto model = make_bpe_model(std::move(entries), parse_merges_text(merges, name), options, !has_word_ends, name);
  return std::make_unique<Tokenizer>(read_tokenizer_parts(head, std::move(model), name), name);
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::string& path) {
  const std::filesystem::path given(path);
  std::error_code ignored;
  if (!std::filesystem::is_directory(given, ignored)) {
    if (is_named(path, ".txt")) return load_vocabulary_text(path);
    if (is_named(path, ".model")) {
      return std::make_unique<Tokenizer>(read_sentencepiece_model(read_text(path), path), path);
    }
    return tokenizer_from_json(read_text(path), path);
  }
  if (const auto file = existing(given / "tokenizer.json")) return tokenizer_from_json(read_text(*file), *file);
  if (const auto file = existing(given / "vocab.txt")) return load_vocabulary_text(*file);
  static constexpr std::pair<const char*, const char*> kPairs[] = {
      {"vocab.json", "merges.txt"}, {"encoder.json", "vocab.bpe"}, {"encoder_bpe_40000.json", "vocab_40000.bpe"}};
  for (const auto& [vocabulary_name, merges_name] : kPairs) {
    const auto vocabulary = existing(given / vocabulary_name), merges = existing(given / merges_name);
    if (vocabulary && merges)
      return tokenizer_from_vocabulary_and_merges(read_text(*vocabulary), read_text(*merges), path);
  }
  throw MissingInputError("tokenizer: " + escape_for_terminal(path) +
                          " must hold tokenizer.json, vocab.txt, or vocab.json and merges.txt, got none of them");
}

}  // namespace rapt
