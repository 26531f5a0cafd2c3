// What turns one word into tokens: byte pair encoding, WordPiece, Unigram, single characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/bpe.h"

namespace rapt {

/// The best way to a place of a word, as far as it is known: its last token, and the sum of all scores.
struct UnigramNode {
  double score = 0;
  std::int32_t id = 0;
  std::uint32_t length = 0;  ///< of the last token, bytes; 0: no way found yet
};

/// Memory that a model may use while it works on a word. One per thread.
struct ModelWorkspace {
  std::vector<std::int32_t> symbols;
  BpeWorkspace bpe;
  std::vector<UnigramNode> unigram;
};

/// A vocabulary and how a word is written with it. Immutable; safe to use from many threads.
class TokenModel {
 public:
  virtual ~TokenModel() = default;

  /// Adds the tokens of a word that is not empty. \throws UnknownCharacter
  virtual void append_ids(std::string_view word, ModelWorkspace& workspace, std::vector<std::int32_t>& ids) const = 0;

  /// Whether remembering the tokens of words that come again saves time.
  virtual bool worth_caching() const = 0;

  /// Whether a word's tokens are those of its two halves, wherever it is cut.
  virtual bool cuts_anywhere() const = 0;

  /// 1 + the largest id.
  virtual std::int32_t size() const = 0;
  virtual bool has(std::int32_t id) const = 0;
  /// Empty for an id that the model does not have.
  virtual std::string_view token_text(std::int32_t id) const = 0;
  virtual std::optional<std::int32_t> token_id(std::string_view text) const = 0;

  /// Bytes of the word that a token stands for, by its text: `##ing` for three. Nothing where the text does not tell,
  /// as for an unknown token.
  virtual std::optional<std::size_t> covered_bytes(std::int32_t id, bool begins_word) const = 0;

  /// "byte-level BPE", "WordPiece", "characters": what kind it is, in words.
  virtual std::string kind() const = 0;
  /// Whether words come as bytes, and each of the 256 has a token.
  virtual bool knows_every_byte() const { return false; }
  /// Merges of a BPE; 0 for models without.
  virtual std::size_t merge_count() const { return 0; }
  /// As it stands in tokenizer.json.
  virtual std::string to_json() const = 0;
};

/// A character that the vocabulary lacks, in a model that neither drops nor replaces such characters. Whoever knows
/// which text the word is from turns this into a message.
struct UnknownCharacter {
  std::size_t offset;  ///< in the word, bytes
};

}  // namespace rapt
