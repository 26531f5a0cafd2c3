// Trains a tokenizer on text.
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
  kByteBpe,    ///< GPT-2's: byte pair encoding of bytes; any text is recovered byte by byte
  kWordBpe,    ///< GPT-1's: BPE of characters, with `</w>` at the ends of words; spaces and unknown characters are lost
  kWordPiece,  ///< BERT's: of characters, with `##` before pieces that continue a word; lossy like kWordBpe
  kChar,       ///< each character of the text is a token
  kByte,       ///< each byte is a token whose id is its value
  kMetaspaceBpe,  ///< BPE of characters, with SentencePiece's mark before each word; white space becomes one space, and
                  ///< rare characters are unknown
  kUnigram,       ///< Kudo 2018; the same words as kMetaspaceBpe
  kWord,          ///< words and punctuation marks as in BERT; rare words are unknown
};

/// "byte-bpe", "bpe", "wordpiece", "char", "byte", "metaspace-bpe", "unigram" or "word". \throws UsageError
TokenizerType tokenizer_type_named(std::string_view name);
const char* name_of(TokenizerType type);

/// `<|endoftext|>` for kByteBpe and kWordBpe, after `<unk>` for the latter; `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and
/// `[MASK]` for kWordPiece; pair_special_tokens() for kMetaspaceBpe, kUnigram and kWord; none for the others.
std::vector<std::string> default_special_tokens(TokenizerType type);
/// `<s>`, `<pad>`, `</s>`, `<unk>`, in BART's order: those of an encoder-decoder's vocabulary, of any type.
std::vector<std::string> pair_special_tokens();

struct TokenizerTrainerOptions {
  TokenizerType type = TokenizerType::kByteBpe;
  std::int64_t vocabulary = 8000;  ///< total number of tokens; fewer if the text yields no more. Only for kinds
                                   ///< that learn words
  std::int64_t min_frequency = 2;  ///< a pair (kWord: a word) that occurs less often is not merged (not a token).
                                   ///< Not for kChar, kByte and kUnigram
  std::vector<std::string> special = {};  ///< see default_special_tokens; those that the type needs are added. They
                                          ///< have the first ids; for kByte, and for kChar without `<unk>`, the last
  bool lowercase = false;                 ///< kWordBpe and kWordPiece also strip accents then, as in GPT-1 and BERT.
                                          ///< Not for kByteBpe, kChar and kByte
  std::size_t max_characters = 2000;      ///< of kinds that learn words from characters: rarer ones beyond this number
                                          ///< are unknown
  std::size_t max_token_bytes = 256;      ///< only for kinds that learn words
  std::size_t memory = std::size_t{1} << 30;  ///< for counting words, in bytes; see TokenizerTrainer
};

/// Takes text piece by piece, then returns the tokenizer. The same pieces give the same tokenizer, byte for byte, on
/// any number of threads.
///
/// WordPiece learns the tokens that byte pair encoding makes of words spelt `w ##o ##r ##d`. The merges are discarded,
/// because WordPiece splits a word into the longest tokens that match. Hugging Face's trainer does the same. (Schuster
/// and Nakajima 2012 merge by likelihood; BERT's own trainer was never published.)
///
/// A piece of kMetaspaceBpe or kUnigram never joins letters with digits, nor either with other characters, as in
/// SentencePiece; it may join the mark before a word with anything.
///
/// A word of kWord is what stands between white space, and each punctuation mark and ideograph by itself. Decoded words
/// are separated by spaces, which are left out before marks that close something (`.`, `,`, `)` ...).
///
/// Memory: each distinct word is kept once, with its count. If the words take more than `options.memory` bytes, words
/// that were seen once are dropped, then those seen twice, and so on until half of the memory is free. Each time, a
/// word can lose as many counts as `dropped_below()` says. Training frees the counts and takes about as much.
class TokenizerTrainer final {
 public:
  /// \throws UsageError  for a vocabulary that is too small for the special tokens and all bytes
  explicit TokenizerTrainer(TokenizerTrainerOptions options);
  ~TokenizerTrainer();
  TokenizerTrainer(const TokenizerTrainer&) = delete;
  TokenizerTrainer& operator=(const TokenizerTrainer&) = delete;

  /// A text, or a part of one that ends at the end of a word. Special tokens in it are skipped.
  /// \throws DataError  kChar: for text that is not UTF-8
  void add_text(std::string_view text);

  /// May be called only once, because it frees the counts.
  /// \throws DataError   without text, or for text without a word
  /// \throws UsageError  kWordBpe, kWordPiece: for a vocabulary that is too small for the text's characters
  std::unique_ptr<Tokenizer> train();
  /// The same with a vocabulary size other than in the options, which may depend on the amount of text.
  std::unique_ptr<Tokenizer> train(std::int64_t vocabulary);

  std::int64_t bytes_seen() const;
  std::int64_t words_seen() const;       ///< 0 for kChar and kByte
  std::int64_t different_words() const;  ///< of these, the number kept
  std::int64_t dropped_below() const;    ///< words with fewer counts were dropped for lack of memory; 0: none

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rapt
