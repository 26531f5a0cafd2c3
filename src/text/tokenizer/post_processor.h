// The tokens around a text: `<s> A </s>`, `[CLS] A [SEP] B [SEP]`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/json.h"

namespace rapt {

/// Token ids, and the segment of each (BERT's token types).
struct TokenSequence {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> segments;
};

/// Adds the surrounding tokens to one or two texts. Immutable.
class PostProcessor final {
 public:
  /// Reads the `post_processor` of a tokenizer.json: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel
  /// (which adds nothing) or a Sequence with at most one that adds something; null adds nothing.
  /// \param vocabulary_size  ids must be below it
  /// \throws DataError
  PostProcessor(const Json& json, std::int32_t vocabulary_size, const std::string& name);

  TokenSequence frame(std::span<const std::int32_t> text) const;
  TokenSequence frame(std::span<const std::int32_t> first, std::span<const std::int32_t> second) const;

  const Json& to_json() const { return json_; }

 private:
  enum class Source { kFirst, kSecond, kFixed };
  struct Part {
    Source source;
    std::vector<std::int32_t> ids;  // kFixed
    std::int32_t segment;
  };
  using Frame = std::vector<Part>;

  void read(const Json& json, std::int32_t vocabulary_size, const std::string& name);
  void read_pair_of_tokens(const JsonFields& fields, bool roberta, std::int32_t vocabulary_size);
  Frame read_template(const JsonFields& fields, const char* key, std::int32_t vocabulary_size) const;

  Json json_;
  Frame single_, pair_;
};

}  // namespace rapt
