#include "text/tokenizer_files.h"

#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/bpe_model.h"
#include "text/input.h"
#include "text/tokenizer_json.h"

namespace rapt {

namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} << 20;

// The file's bytes, unpacked if they are gzipped.
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
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return tokenizer_from_json(read_text(path), path);
  const std::filesystem::path folder(path);
  if (const auto file = existing(folder / "tokenizer.json")) return tokenizer_from_json(read_text(*file), *file);
  static constexpr std::pair<const char*, const char*> kPairs[] = {
      {"vocab.json", "merges.txt"}, {"encoder.json", "vocab.bpe"}, {"encoder_bpe_40000.json", "vocab_40000.bpe"}};
  for (const auto& [vocabulary_name, merges_name] : kPairs) {
    const auto vocabulary = existing(folder / vocabulary_name), merges = existing(folder / merges_name);
    if (vocabulary && merges)
      return tokenizer_from_vocabulary_and_merges(read_text(*vocabulary), read_text(*merges), path);
  }
  throw MissingInputError("tokenizer: " + escape_for_terminal(path) +
                          " must hold tokenizer.json, or vocab.json and merges.txt, got neither");
}

}  // namespace rapt
