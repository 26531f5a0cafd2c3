// Text to token ids and back. Everything that turns text into numbers goes through a Tokenizer; tokenizer_files.h opens
// one, tokenizer_trainer.h learns one from text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/token_span.h"

namespace rapt {

struct TokenSequence;  // post_processor.h
struct TokenizerParts;

/// The chain that Hugging Face's tokenizer.json describes: added tokens are taken out of the text, the rest is
/// normalised, cut into words, and each word is written with the model's vocabulary. Ids equal those of Hugging Face's
/// tokenizers.
///
/// Immutable; every member function may be called from many threads at once. Takes any bytes: byte-level kinds give
/// them back exactly; the others read what is not UTF-8 as U+FFFD.
class Tokenizer final {
 public:
  /// \param parts  what it consists of (tokenizer_json.h)
  /// \param name   the file, for messages
  /// \throws DataError  parts that do not fit together: an id twice, a gap in the ids
  Tokenizer(TokenizerParts parts, const std::string& name);
  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// The text's tokens, without a frame (see frame()).
  /// \throws DataError  a character that is not in the vocabulary of a character tokenizer without an unknown token
  std::vector<std::int32_t> encode(std::string_view text, SpecialTokens special = SpecialTokens::kRecognise) const;

  /// The same, added to `ids`. `offset` is the place of the text's first byte in what it came from, for messages.
  void append_ids(std::string_view text, SpecialTokens special, std::vector<std::int32_t>& ids,
                  std::size_t offset = 0) const;

  /// The same on all threads, for large texts: equal ids, whatever the number of threads.
  std::vector<std::int32_t> encode_in_parallel(std::string_view text,
                                               SpecialTokens special = SpecialTokens::kRecognise) const;

  /// The tokens of one word of a text that was cut into words by others, as it stands behind another word: byte-level
  /// kinds see a space in front of it. Special tokens count as text. May be none, for one of control characters.
  std::vector<std::int32_t> encode_word(std::string_view word) const;

  /// Where the words of a text stand: those into which the tokenizer cuts it before it makes tokens of them, and at
  /// white space in any case. Special tokens count as text.
  std::vector<TokenSpan> words(std::string_view text) const;

  /// The text's tokens, and for each the bytes of the text that it stands for: as the text was before it was
  /// normalised, whole characters, without the white space around them. What was there before in `ids` and `spans`
  /// goes.
  ///
  /// The ids are those of encode(). A token that does not say how many characters it covers (an unknown one) makes the
  /// whole word the span of all of its tokens, and a normaliser whose rules reach across words, as SentencePiece's do,
  /// the whole text.
  void encode_with_spans(std::string_view text, std::vector<std::int32_t>& ids, std::vector<TokenSpan>& spans,
                         SpecialTokens special = SpecialTokens::kRecognise) const;

  /// Where the text may be cut so that the parts' tokens are the whole's: offsets, about `bytes` apart, without 0 and
  /// the end. Empty where no such place is known. For reading a long text in pieces.
  std::vector<std::size_t> safe_cuts(std::string_view text, std::size_t bytes) const;

  /// The tokens with those that go round a text: `<s> A </s>`. GPT's tokenizers add none.
  TokenSequence frame(std::span<const std::int32_t> text) const;
  TokenSequence frame(std::span<const std::int32_t> first, std::span<const std::int32_t> second) const;

  /// The text that the tokens stand for: bytes, which need not be UTF-8 (utf8_lossy in utf8.h).
  /// \throws DataError  an id that is not in the vocabulary
  std::string decode(std::span<const std::int32_t> ids, bool skip_special = false) const;

  /// What one token adds to a text of several; decode() is these joined.
  std::string piece(std::int32_t id, bool is_first, bool is_last) const;

  /// 1 + the largest id, added tokens included: the rows of the embedding.
  std::int32_t vocabulary_size() const;
  /// As the vocabulary spells it: `Ġthe`, `the</w>`. \throws DataError  an id that is not in the vocabulary
  std::string token_text(std::int32_t id) const;
  std::optional<std::int32_t> token_id(std::string_view text) const;
  bool is_special(std::int32_t id) const;
  /// Sorted by id.
  const std::vector<AddedToken>& added_tokens() const;
  /// The token that ends a document, if one of the added tokens has a name that says so (`<|endoftext|>`, `</s>` ...).
  std::optional<std::int32_t> end_of_text() const;
  /// Tokens by what they are for, by the names that well-known vocabularies give them.
  std::optional<std::int32_t> mask_token() const;       ///< `[MASK]`, `<mask>`
  std::optional<std::int32_t> pad_token() const;        ///< `[PAD]`, `<pad>`
  std::optional<std::int32_t> unknown_token() const;    ///< `[UNK]`, `<unk>`
  std::optional<std::int32_t> class_token() const;      ///< in front of a text: `[CLS]`, `<cls>`, `<s>`
  std::optional<std::int32_t> separator_token() const;  ///< behind a text: `[SEP]`, `<sep>`, `</s>`

  /// "byte-level BPE", "word-level BPE with </w>", "WordPiece", "Unigram", "characters", "bytes".
  std::string kind() const;
  /// Merges of a BPE, else 0.
  std::size_t merge_count() const;
  /// Whether decode(encode(text)) is the text, for any bytes.
  bool keeps_bytes() const;

  /// tokenizer.json, complete: Hugging Face's tokenizers load it and give the same ids; tokenizer_from_json gives an
  /// equal tokenizer, with the same JSON.
  std::string to_json() const;
  /// vocab.json and merges.txt. \throws std::invalid_argument  if the model is not a BPE
  std::pair<std::string, std::string> to_vocabulary_and_merges() const;
  /// vocab.txt: one token a line, by id. \throws std::invalid_argument  if the model is not a WordPiece
  /// \throws DataError  a token with a line end in it
  std::string to_vocabulary_text() const;
  /// tokenizer_config.json, so that transformers' AutoTokenizer takes the folder.
  /// \param context  the longest sequence of the model
  std::string to_config_json(std::int64_t context) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// What it is, line by line, for people.
std::string describe(const Tokenizer& tokenizer);

}  // namespace rapt
