#include "text/tokenizer/training/corpus_trainer.h"

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

void CorpusTrainer::add(const CorpusPiece& piece) {
  text_ += piece.text;
  blank_ = blank_ && std::ranges::all_of(piece.text, is_space);
  if (piece.ends) {
    trainer_.add_text(text_);
    text_.clear();
  } else if (text_.size() >= enough_) {
    const std::size_t whole = length_of_whole_words(text_);
    trainer_.add_text(std::string_view(text_).substr(0, whole));
    text_.erase(0, whole);
    // A text without spaces is searched again only when it has doubled, so that the total time stays linear.
    enough_ = std::max(kEnough, 2 * text_.size());
  }
}

std::unique_ptr<Tokenizer> CorpusTrainer::train(std::int64_t vocabulary, const std::string& name) {
  if (blank_) {
    throw DataError(escape_for_terminal(name) + ": must hold text to train a tokenizer on, got only white space");
  }
  return trainer_.train(vocabulary);
}

std::unique_ptr<Tokenizer> train_tokenizer(const Corpus& corpus, const TokenizerTrainerOptions& options) {
  const std::string& name = corpus.sources().front().name();
  if (corpus.holds_tokens())
    throw UsageError(escape_for_terminal(name) + ": must be text to train a tokenizer on, got token ids");
  CorpusTrainer trainer(options);
  corpus.scan([&](const CorpusPiece& piece) { trainer.add(piece); });
  return trainer.train(options.vocabulary, name);
}

}  // namespace rapt
