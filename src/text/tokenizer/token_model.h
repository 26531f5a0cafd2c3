// Splits one word into tokens: byte pair encoding, WordPiece, Unigram, whole words, single characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer/bpe.h"

namespace rapt {

/// In tables of ids: none.
inline constexpr std::int32_t kNoToken = -1;

/// The best path to a position of a word so far: its last token, and the sum of all scores.
struct UnigramNode {
  double score = 0;
  std::int32_t id = 0;
  std::uint32_t length = 0;  ///< of the last token in bytes; 0: no path found yet
};

/// Scratch memory of a model while it works on a word. One per thread.
struct ModelWorkspace {
  std::vector<std::int32_t> symbols;
  BpeWorkspace bpe;
  std::vector<UnigramNode> unigram;
  MergeDropout* dropout = nullptr;  ///< of a BPE; null: none
};

/// Names and bytes of files.
using OriginalFiles = std::vector<std::pair<std::string, std::string>>;

/// A vocabulary and the algorithm that splits words with it. Immutable; safe to use from many threads.
class TokenModel {
 public:
  virtual ~TokenModel() = default;

  /// Appends the tokens of a non-empty word. \throws UnknownCharacter
  virtual void append_ids(std::string_view word, ModelWorkspace& workspace, std::vector<std::int32_t>& ids) const = 0;

  /// Whether caching the tokens of repeated words saves time.
  virtual bool worth_caching() const = 0;

  /// Whether a word's tokens are those of its two halves, wherever it is split.
  virtual bool cuts_anywhere() const = 0;

  /// 1 + the largest id.
  virtual std::int32_t size() const = 0;
  virtual bool has(std::int32_t id) const = 0;
  /// Empty for an id that is not in the model.
  virtual std::string_view token_text(std::int32_t id) const = 0;
  virtual std::optional<std::int32_t> token_id(std::string_view text) const = 0;

  /// Number of the word's bytes that a token covers, according to its text: three for `##ing`. Nothing if the text does
  /// not determine it, as for an unknown token.
  virtual std::optional<std::size_t> covered_bytes(std::int32_t id, bool begins_word) const = 0;

  /// "byte-level BPE", "WordPiece", "characters": the kind of model in words.
  virtual std::string kind() const = 0;
  /// Whether words are bytes, and each of the 256 bytes has a token.
  virtual bool knows_every_byte() const { return false; }
  /// Number of merges of a BPE, which are what dropout can leave out; 0 for other models.
  virtual std::size_t merge_count() const { return 0; }
  /// The files that it was read from, if their form cannot be made from it and programs need it: those of Marian.
  virtual const OriginalFiles& original_files() const {
    static const OriginalFiles none;
    return none;
  }
  /// The form in tokenizer.json.
  virtual std::string to_json() const = 0;
};

/// A character that is not in the vocabulary of a model that neither drops nor replaces such characters. Code that
/// knows the word's text turns this into a message.
struct UnknownCharacter {
  std::size_t offset;  ///< in the word, in bytes
};

}  // namespace rapt
