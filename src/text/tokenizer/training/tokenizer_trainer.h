// Learns a tokenizer from text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/tokenizer.h"

namespace rapt {

enum class TokenizerType {
  kByteBpe,    ///< GPT-2's: byte pair encoding of bytes; any text comes back byte by byte
  kWordBpe,    ///< GPT-1's: of characters, with `</w>` at the ends of words; spaces and unknown characters are not kept
  kWordPiece,  ///< BERT's: of characters, with `##` in front of what goes on with a word; as above
  kChar,       ///< each character of the text is a token
  kByte,       ///< each byte is a token, its id its value
};

/// "byte-bpe", "bpe", "wordpiece", "char" or "byte". \throws UsageError
TokenizerType tokenizer_type_named(std::string_view name);
const char* name_of(TokenizerType type);

/// `<|endoftext|>` for the two kinds of BPE, behind `<unk>` for kWordBpe; `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and
/// `[MASK]` for kWordPiece; none for the others.
std::vector<std::string> default_special_tokens(TokenizerType type);

struct TokenizerTrainerOptions {
  TokenizerType type = TokenizerType::kByteBpe;
  std::int64_t vocabulary = 8000;         ///< tokens in all; fewer if the text gives no more. For what learns words
  std::int64_t min_frequency = 2;         ///< a pair that is rarer is not merged. The same
  std::vector<std::string> special = {};  ///< see default_special_tokens; what kWordBpe and kWordPiece need is added
  bool lowercase = false;                 ///< also drops accents, as GPT-1 and BERT do. kWordBpe and kWordPiece
  std::size_t max_characters = 2000;      ///< kWordBpe and kWordPiece: the rarer ones beyond are unknown
  std::size_t max_token_bytes = 256;      ///< for what learns words
  std::size_t memory = std::size_t{1} << 30;  ///< for counting words, bytes; see TokenizerTrainer
};

/// Takes text piece by piece, then gives the tokenizer. The same pieces give the same tokenizer, byte for byte, on any
/// number of threads.
///
/// What WordPiece learns are the tokens that byte pair encoding makes of words spelt `w ##o ##r ##d`; its merges are
/// not kept, because it writes a word with the longest tokens that fit. That is how Hugging Face's trainer learns it
/// too. (Schuster and Nakajima 2012 merge by likelihood; BERT's own trainer was never published.)
///
/// Memory: each different word is kept once, with its count. When they take more than `options.memory` bytes, words
/// that were seen once are dropped, then those seen twice, and so on until half is free; a word can so lose as many
/// counts as `dropped_below()` says each time. Learning takes 28 bytes a byte of different words on top.
class TokenizerTrainer final {
 public:
  /// \throws UsageError  a vocabulary that cannot hold the special tokens and all bytes
  explicit TokenizerTrainer(TokenizerTrainerOptions options);
  ~TokenizerTrainer();
  TokenizerTrainer(const TokenizerTrainer&) = delete;
  TokenizerTrainer& operator=(const TokenizerTrainer&) = delete;

  /// A text, or a part of one that ends where a word ends. Special tokens in it are left out.
  /// \throws DataError  kChar: text that is not UTF-8
  void add_text(std::string_view text);

  /// \throws DataError   no text, or one without a word
  /// \throws UsageError  kWordBpe, kWordPiece: a vocabulary that cannot hold the text's characters
  std::unique_ptr<Tokenizer> train() const;

  std::int64_t bytes_seen() const;
  std::int64_t words_seen() const;       ///< 0 for kChar and kByte
  std::int64_t different_words() const;  ///< of these, kept
  std::int64_t dropped_below() const;    ///< words rarer than this were dropped for want of memory; 0: none

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rapt
