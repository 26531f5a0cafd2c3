#include "text/tokenizer/decoder.h"

#include <charconv>
#include <utility>
#include <vector>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/text_pattern.h"
#include "text/tokenizer/vocabulary.h"

namespace rapt {

namespace {

class SpaceBetween final : public Decoder {
 public:
  std::string piece(std::string_view token, bool is_first, bool) const override {
    return (is_first ? "" : " ") + std::string(token);
  }
  Json to_json() const override { return nullptr; }
};

class Fuse final : public Decoder {
 public:
  std::string piece(std::string_view token, bool, bool) const override { return std::string(token); }
  Json to_json() const override { return {{"type", "Fuse"}}; }
};

class ByteLevelDecoder final : public Decoder {
 public:
  explicit ByteLevelDecoder(Json json) : json_(std::move(json)) {}
  std::string piece(std::string_view token, bool, bool) const override {
    return bytes_of_printable(token).value_or(std::string(token));
  }
  // An added token is text, not encoded bytes. (Hugging Face's decoder still reads it as bytes, and an added "café"
  // comes back broken.)
  std::string added_piece(std::string_view content, bool, bool) const override { return std::string(content); }
  Json to_json() const override { return json_; }

 private:
  Json json_;  // its fields do not affect decoding, but belong in the file
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// A space after each word except the last one.
class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  std::string piece(std::string_view token, bool, bool is_last) const override {
    std::string out(token);
    if (suffix_.empty()) return out;
    replace_all(out, suffix_, is_last ? "" : " ");
    return out;
  }
  Json to_json() const override { return {{"type", "BPEDecoder"}, {"suffix", suffix_}}; }

 private:
  std::string suffix_;
};

// Words separated by spaces, except before pieces with the prefix. `cleanup` removes some of the spaces that splitting
// at punctuation left. As in Hugging Face's decoder, it looks at each token separately, so "should ' ve" is unchanged.
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

// SentencePiece's mark before words becomes a space; it is removed from a text's first token.
class MetaspaceDecoder final : public Decoder {
 public:
  MetaspaceDecoder(std::string replacement, std::string scheme, Json json)
      : replacement_(std::move(replacement)), drops_first_(scheme != "never"), json_(std::move(json)) {}
  std::string piece(std::string_view token, bool is_first, bool) const override {
    std::string out(token);
    replace_all(out, replacement_, is_first && drops_first_ ? "" : " ");
    return out;
  }
  Json to_json() const override { return json_; }

 private:
  std::string replacement_;
  bool drops_first_;
  Json json_;
};

// `<0x41>` is the byte 0x41. (Hugging Face's decoder gives U+FFFD for each byte that is not UTF-8; here the bytes are
// kept.)
class ByteFallbackDecoder final : public Decoder {
 public:
  std::string piece(std::string_view token, bool, bool) const override {
    unsigned byte = 0;
    if (token.size() == 6 && token.starts_with("<0x") && token.ends_with('>')) {
      const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
      if (error == std::errc() && end == token.data() + 5) return {static_cast<char>(byte)};
    }
    return std::string(token);
  }
  Json to_json() const override { return {{"type", "ByteFallback"}}; }
};

class ReplaceDecoder final : public Decoder {
 public:
  ReplaceDecoder(TextPattern pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  std::string piece(std::string_view token, bool, bool) const override { return pattern_.replace_all(token, content_); }
  Json to_json() const override {
    return {{"type", "Replace"}, {"pattern", pattern_.to_json()}, {"content", content_}};
  }

 private:
  TextPattern pattern_;
  std::string content_;
};

// Removes up to this many of one character from both ends: of each token, or after Fuse, of the text.
class StripDecoder final : public Decoder {
 public:
  StripDecoder(std::string content, std::size_t start, std::size_t stop, bool whole_text)
      : content_(std::move(content)), start_(start), stop_(stop), whole_text_(whole_text) {}
  std::string piece(std::string_view token, bool is_first, bool is_last) const override {
    if (is_first || !whole_text_) {
      for (std::size_t i = 0; i < start_ && token.starts_with(content_); ++i) token.remove_prefix(content_.size());
    }
    if (is_last || !whole_text_) {
      for (std::size_t i = 0; i < stop_ && token.ends_with(content_); ++i) token.remove_suffix(content_.size());
    }
    return std::string(token);
  }
  Json to_json() const override {
    return {{"type", "Strip"}, {"content", content_}, {"start", start_}, {"stop", stop_}};
  }

 private:
  std::string content_;
  std::size_t start_, stop_;
  bool whole_text_;
};

// Each step reads the output of the previous one.
class DecoderSequence final : public Decoder {
 public:
  explicit DecoderSequence(std::vector<std::unique_ptr<Decoder>> steps) : steps_(std::move(steps)) {}
  std::string piece(std::string_view token, bool is_first, bool is_last) const override {
    std::string out(token);
    for (const auto& step : steps_) out = step->piece(out, is_first, is_last);
    return out;
  }
  std::string added_piece(std::string_view content, bool is_first, bool is_last) const override {
    std::string out(content);
    for (const auto& step : steps_) out = step->added_piece(out, is_first, is_last);
    return out;
  }
  Json to_json() const override {
    Json steps = Json::array();
    for (const auto& step : steps_) steps.push_back(step->to_json());
    return {{"type", "Sequence"}, {"decoders", std::move(steps)}};
  }

 private:
  std::vector<std::unique_ptr<Decoder>> steps_;
};

// One step; `fused`: the tokens have been joined before it.
std::unique_ptr<Decoder> read_decoder(const Json& json, const std::string& name, bool fused);

std::unique_ptr<Decoder> decoder_sequence_from_json(const JsonFields& fields, const std::string& name) {
  std::vector<std::unique_ptr<Decoder>> steps;
  bool fused = false;
  for (const Json& step : fields.array("decoders")) {
    steps.push_back(read_decoder(step, name, fused));
    fused = fused || JsonFields(step, name, "decoder.decoders").string("type") == "Fuse";
  }
  return std::make_unique<DecoderSequence>(std::move(steps));
}

std::unique_ptr<Decoder> metaspace_from_json(const Json& json, const JsonFields& fields) {
  std::string replacement = fields.string_or("replacement", "\xE2\x96\x81");
  if (replacement.empty()) fields.refuse("replacement", "one character");
  return std::make_unique<MetaspaceDecoder>(
      std::move(replacement),
      fields.string_or("prepend_scheme", fields.boolean_or("add_prefix_space", true) ? "always" : "never"), json);
}

std::unique_ptr<Decoder> strip_from_json(const JsonFields& fields, bool fused) {
  std::string content = fields.string_or("content", " ");
  if (content.empty()) fields.refuse("content", "one character");
  const auto count = [&fields](const char* key) {
    return static_cast<std::size_t>(fields.has_value(key) ? fields.integer_between(key, 0, 1 << 20) : 0);
  };
  return std::make_unique<StripDecoder>(std::move(content), count("start"), count("stop"), fused);
}

std::unique_ptr<Decoder> replace_from_json(const JsonFields& fields, bool fused) {
  TextPattern pattern(fields.object("pattern"));
  // A match across two tokens cannot be replaced once the first one's text has been returned.
  if (fused && !pattern.is_one_character()) fields.refuse("pattern", "one character in a step behind Fuse");
  return std::make_unique<ReplaceDecoder>(std::move(pattern), fields.string("content"));
}

std::unique_ptr<Decoder> read_decoder(const Json& json, const std::string& name, bool fused) {
  if (json.is_null()) return std::make_unique<SpaceBetween>();
  const JsonFields fields(json, name, "decoder");
  const std::string type = fields.string("type");
  if (type == "ByteLevel") return std::make_unique<ByteLevelDecoder>(json);
  if (type == "BPEDecoder") return std::make_unique<BpeDecoder>(fields.string_or("suffix", "</w>"));
  if (type == "WordPiece") {
    return std::make_unique<WordPieceDecoder>(fields.string_or("prefix", "##"), fields.boolean_or("cleanup", true));
  }
  if (type == "Metaspace") return metaspace_from_json(json, fields);
  if (type == "ByteFallback") return std::make_unique<ByteFallbackDecoder>();
  if (type == "Replace") return replace_from_json(fields, fused);
  if (type == "Strip") return strip_from_json(fields, fused);
  if (type == "Fuse") return std::make_unique<Fuse>();
  if (type == "Sequence") return decoder_sequence_from_json(fields, name);
  throw DataError(
      tokenizer_subject(name) +
      ": decoder must be ByteLevel, BPEDecoder, WordPiece, Metaspace, ByteFallback, Replace, Strip, Fuse or "
      "a Sequence of them, got " +
      in_quotes(type));
}

}  // namespace

std::unique_ptr<Decoder> decoder_from_json(const Json& json, const std::string& name) {
  return read_decoder(json, name, false);
}

}  // namespace rapt
