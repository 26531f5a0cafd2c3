#include "text/decoder.h"

#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/byte_alphabet.h"

namespace rapt {

namespace {

class SpaceBetween final : public Decoder {
 public:
  std::string piece(std::string_view token, bool is_first, bool) const override {
    return (is_first ? "" : " ") + std::string(token);
  }
  std::string added_piece(std::string_view content, bool is_first, bool is_last) const override {
    return piece(content, is_first, is_last);
  }
  Json to_json() const override { return nullptr; }
};

class Fuse final : public Decoder {
 public:
  std::string piece(std::string_view token, bool, bool) const override { return std::string(token); }
  std::string added_piece(std::string_view content, bool, bool) const override { return std::string(content); }
  Json to_json() const override { return {{"type", "Fuse"}}; }
};

class ByteLevelDecoder final : public Decoder {
 public:
  explicit ByteLevelDecoder(Json json) : json_(std::move(json)) {}
  std::string piece(std::string_view token, bool, bool) const override {
    return bytes_of_printable(token).value_or(std::string(token));
  }
  // An added token is text, not bytes in disguise. (Hugging Face's decoder reads it as bytes all the same, and an added
  // "café" comes back broken.)
  std::string added_piece(std::string_view content, bool, bool) const override { return std::string(content); }
  Json to_json() const override { return json_; }

 private:
  Json json_;  // its fields say nothing about decoding, but belong in the file
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// A space wherever a word ends, but not behind the last one.
class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  std::string piece(std::string_view token, bool, bool is_last) const override {
    std::string out(token);
    if (suffix_.empty()) return out;
    replace_all(out, suffix_, is_last ? "" : " ");
    return out;
  }
  std::string added_piece(std::string_view content, bool is_first, bool is_last) const override {
    return piece(content, is_first, is_last);
  }
  Json to_json() const override { return {{"type", "BPEDecoder"}, {"suffix", suffix_}}; }

 private:
  std::string suffix_;
};

// Words with spaces between them, but for what stands behind the prefix. `cleanup` takes back some of the spaces that
// cutting words at punctuation left; as in Hugging Face's, each token for itself, so "should ' ve" stays as it is.
class WordPieceDecoder final : public Decoder {
 public:
  WordPieceDecoder(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}
  std::string piece(std::string_view token, bool is_first, bool) const override {
    std::string out;
    if (is_first) {
      out = token;
    } else if (token.starts_with(prefix_)) {
      out = token.substr(prefix_.size());
    } else {
      out = ' ' + std::string(token);
    }
    if (cleanup_) clean_up(out);
    return out;
  }
  std::string added_piece(std::string_view content, bool is_first, bool is_last) const override {
    return piece(content, is_first, is_last);
  }
  Json to_json() const override { return {{"type", "WordPiece"}, {"prefix", prefix_}, {"cleanup", cleanup_}}; }

 private:
  static void clean_up(std::string& text) {
    static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
        {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [from, to] : kRules) replace_all(text, from, to);
  }

  std::string prefix_;
  bool cleanup_;
};

}  // namespace

std::unique_ptr<Decoder> decoder_from_json(const Json& json, const std::string& name) {
  if (json.is_null()) return std::make_unique<SpaceBetween>();
  const JsonFields fields(json, name, "decoder");
  const std::string type = fields.string("type");
  if (type == "ByteLevel") return std::make_unique<ByteLevelDecoder>(json);
  if (type == "BPEDecoder") return std::make_unique<BpeDecoder>(fields.string_or("suffix", "</w>"));
  if (type == "WordPiece") {
    return std::make_unique<WordPieceDecoder>(fields.string_or("prefix", "##"), fields.boolean_or("cleanup", true));
  }
  if (type == "Fuse") return std::make_unique<Fuse>();
  throw DataError("tokenizer: " + escape_for_terminal(name) +
                  ": decoder must be ByteLevel, BPEDecoder, WordPiece or Fuse, got " + in_quotes(type));
}

}  // namespace rapt
