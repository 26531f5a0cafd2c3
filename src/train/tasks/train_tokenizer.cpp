#include "train/tasks/train_tokenizer.h"

#include <algorithm>

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Not a byte of longer UTF-8 characters either, because some of them are white space.
static bool is_ascii_word(char c) { return static_cast<unsigned char>(c) < 0x80 && !is_space(c); }

std::size_t length_of_whole_words(std::string_view text) {
  for (std::size_t at = text.size(); at-- > 2;)
    if (is_space(text[at - 1]) && is_ascii_word(text[at]) && is_ascii_word(text[at - 2])) return at - 1;
  return 0;
}

std::unique_ptr<Tokenizer> train_tokenizer(const Corpus& corpus, const TokenizerTrainerOptions& options) {
  if (corpus.holds_tokens())
    throw UsageError(escape_for_terminal(corpus.sources().front().name()) +
                     ": must be text to train a tokenizer on, got token ids");
  constexpr std::size_t kEnough = std::size_t{1} << 22;  // text that keeps all threads busy
  std::size_t enough = kEnough;
  TokenizerTrainer trainer(options);
  CorpusReader reader = corpus.read();
  CorpusPiece piece;
  std::string text;
  bool blank = true;
  while (reader.next(piece)) {
    text += piece.text;
    blank = blank && std::ranges::all_of(piece.text, is_space);
    if (piece.ends) {
      trainer.add_text(text);
      text.clear();
    } else if (text.size() >= enough) {
      const std::size_t whole = length_of_whole_words(text);
      trainer.add_text(std::string_view(text).substr(0, whole));
      text.erase(0, whole);
      // A text without spaces is searched again only when it has doubled, so that the total time stays linear.
      enough = std::max(kEnough, 2 * text.size());
    }
  }
  if (blank)
    throw DataError(escape_for_terminal(corpus.sources().front().name()) +
                    ": must hold text to train a tokenizer on, got only white space");
  return trainer.train();
}

}  // namespace rapt
