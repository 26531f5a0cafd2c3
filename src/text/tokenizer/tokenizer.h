// Text to token ids and back. All code that turns text into ids uses a Tokenizer; tokenizer_files.h opens one,
// tokenizer_trainer.h trains one on text.
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

struct MergeDropout;   // bpe.h
struct TokenSequence;  // post_processor.h
struct TokenizerParts;

/// The pipeline that Hugging Face's tokenizer.json describes: added tokens are taken out of the text; the rest is
/// normalised and split into words, and each word is split into tokens of the model's vocabulary. Ids equal those of
/// Hugging Face's tokenizers.
///
/// Immutable; every member function may be called from many threads at once. Accepts any bytes: byte-level kinds return
/// them exactly; the others read bytes that are not UTF-8 as U+FFFD.
class Tokenizer final {
 public:
  /// \param parts  its parts (tokenizer_json.h)
  /// \param name   the file, for messages
  /// \throws DataError  for parts that do not fit together: a duplicate id, a gap in the ids
  Tokenizer(TokenizerParts parts, const std::string& name);
  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// The text's tokens, without surrounding tokens (see frame()).
  /// \throws DataError  for a character that is not in the vocabulary of a character tokenizer without an unknown token
  std::vector<std::int32_t> encode(std::string_view text, SpecialTokens special = SpecialTokens::kRecognise) const;

  /// The same, appended to `ids`. `offset` is the position of the text's first byte in its source, for messages.
  void append_ids(std::string_view text, SpecialTokens special, std::vector<std::int32_t>& ids,
                  std::size_t offset = 0) const;

  /// The text's tokens with merges left out at random: a function of the text and of the state of dropout.rng, which
  /// advances. \pre merge_count() > 0
  std::vector<std::int32_t> encode_with_dropout(std::string_view text, SpecialTokens special,
                                                MergeDropout& dropout) const;

  /// encode() on all threads, for large texts. The ids do not depend on the number of threads.
  std::vector<std::int32_t> encode_in_parallel(std::string_view text,
                                               SpecialTokens special = SpecialTokens::kRecognise) const;

  /// The tokens of one word of a text that is already split into words, as if another word preceded it: byte-level
  /// kinds see a space before it. Special tokens count as text. May be empty, for a word of control characters.
  std::vector<std::int32_t> encode_word(std::string_view word) const;

  /// The positions of a text's words: the words into which the tokenizer splits the text before it makes tokens; in any
  /// case it splits at white space. Special tokens count as text.
  std::vector<TokenSpan> words(std::string_view text) const;

  /// The text's tokens, and the bytes of the text that each stands for: positions in the text before normalisation,
  /// whole characters, without surrounding white space. Replaces the contents of `ids` and `spans`.
  ///
  /// The ids are those of encode(). If a token does not determine how many characters it covers (an unknown token), the
  /// whole word is the span of all of its tokens. If the normaliser's rules reach across words, as SentencePiece's do,
  /// the span is the whole text.
  void encode_with_spans(std::string_view text, std::vector<std::int32_t>& ids, std::vector<TokenSpan>& spans,
                         SpecialTokens special = SpecialTokens::kRecognise) const;

  /// Positions where the text may be split so that the tokens of the parts are those of the whole: offsets, about
  /// `bytes` apart, without 0 and the end. Empty if no such position is known. For reading a long text in pieces.
  std::vector<std::size_t> safe_cuts(std::string_view text, std::size_t bytes) const;

  /// The tokens with the surrounding ones: `<s> A </s>`. GPT's tokenizers add none.
  TokenSequence frame(std::span<const std::int32_t> text) const;
  TokenSequence frame(std::span<const std::int32_t> first, std::span<const std::int32_t> second) const;

  /// The text of the tokens: bytes, which need not be UTF-8 (utf8_lossy in utf8.h).
  /// \throws DataError  for an id that is not in the vocabulary
  std::string decode(std::span<const std::int32_t> ids, bool skip_special = false) const;

  /// What each token adds to the text; decode() is the concatenation of these.
  std::string piece(std::int32_t id, bool is_first, bool is_last) const;

  /// 1 + the largest id, including added tokens: the number of rows of the embedding.
  std::int32_t vocabulary_size() const;
  /// As spelt in the vocabulary: `Ġthe`, `the</w>`. \throws DataError  for an id that is not in the vocabulary
  std::string token_text(std::int32_t id) const;
  std::optional<std::int32_t> token_id(std::string_view text) const;
  bool is_special(std::int32_t id) const;
  /// Sorted by id.
  const std::vector<AddedToken>& added_tokens() const;
  /// The token that ends a document, if an added token has a name for this purpose (`<|endoftext|>`, `</s>` ...).
  std::optional<std::int32_t> end_of_text() const;
  /// Tokens by purpose, recognised by their names in well-known vocabularies.
  std::optional<std::int32_t> mask_token() const;       ///< `[MASK]`, `<mask>`
  std::optional<std::int32_t> pad_token() const;        ///< `[PAD]`, `<pad>`
  std::optional<std::int32_t> unknown_token() const;    ///< `[UNK]`, `<unk>`
  std::optional<std::int32_t> class_token() const;      ///< before a text: `[CLS]`, `<cls>`, `<s>`
  std::optional<std::int32_t> separator_token() const;  ///< after a text: `[SEP]`, `<sep>`, `</s>`

  /// "byte-level BPE", "word-level BPE with </w>", "WordPiece", "Unigram", "characters", "bytes".
  std::string kind() const;
  /// Number of merges of a BPE, else 0.
  std::size_t merge_count() const;
  /// Whether decode(encode(text)) is the text for any bytes.
  bool keeps_bytes() const;

  /// The complete tokenizer.json: Hugging Face's tokenizers load it and give the same ids; tokenizer_from_json gives an
  /// equal tokenizer with the same JSON.
  std::string to_json() const;
  /// vocab.json and merges.txt. \throws std::invalid_argument  if the model is not a BPE
  std::pair<std::string, std::string> to_vocabulary_and_merges() const;
  /// vocab.txt: one token per line, by id. \throws std::invalid_argument  if the model is not a WordPiece
  /// \throws DataError  for a token that contains a line end
  std::string to_vocabulary_text() const;
  /// The files that it was read from and that must be written again unchanged: those of Marian (marian_files.h). Empty
  /// for other tokenizers.
  const std::vector<std::pair<std::string, std::string>>& original_files() const;
  /// tokenizer_config.json, so that transformers' AutoTokenizer accepts the folder.
  /// \param context  the model's maximum sequence length
  std::string to_config_json(std::int64_t context) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// A description in several lines, for users.
std::string describe(const Tokenizer& tokenizer);

}  // namespace rapt
