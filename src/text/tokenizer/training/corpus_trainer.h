// Trains a tokenizer on a corpus: for `rapt tokenizer train` and for training runs without a tokenizer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "text/corpus/corpus.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/training/tokenizer_trainer.h"

namespace rapt {

/// Receives the pieces of a corpus, then returns the tokenizer: in bounded memory, and with the same result on any
/// number of threads.
class CorpusTrainer final {
 public:
  /// \throws as TokenizerTrainer
  explicit CorpusTrainer(TokenizerTrainerOptions options) : trainer_(std::move(options)) {}

  /// Adds the next piece. \throws as TokenizerTrainer::add_text
  void add(const CorpusPiece& piece);
  /// See TokenizerTrainer::train.
  /// \param vocabulary  see TokenizerTrainerOptions
  /// \param name        of the corpus, for messages
  /// \throws DataError  for a text of white space only; and as TokenizerTrainer::train
  std::unique_ptr<Tokenizer> train(std::int64_t vocabulary, const std::string& name);

 private:
  static constexpr std::size_t kEnough = std::size_t{1} << 22;  // text that keeps all threads busy

  TokenizerTrainer trainer_;
  std::string text_;              // of one document, not yet passed to the trainer
  std::size_t enough_ = kEnough;  // amount of it that is worth splitting
  bool blank_ = true;
};

/// Trains a tokenizer on all text of a corpus, in the same reading as Corpus::scan.
/// \throws UsageError  for a corpus of token files, which has no text; otherwise as CorpusTrainer and CorpusReader
std::unique_ptr<Tokenizer> train_tokenizer(const Corpus& corpus, const TokenizerTrainerOptions& options);

/// How much of `text` can be passed to a tokenizer's trainer before the rest is known: up to the last single white
/// space between two other characters, where a word ends for every kind of tokenizer. 0 if there is none.
std::size_t length_of_whole_words(std::string_view text);

}  // namespace rapt
