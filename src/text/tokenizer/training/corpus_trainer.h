// A tokenizer learnt from a corpus: what `rapt tokenizer train` and a training run without a tokenizer do.
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

/// Takes the pieces of a corpus, then gives the tokenizer: in bounded memory, and the same on any number of threads.
class CorpusTrainer final {
 public:
  /// \throws as TokenizerTrainer
  explicit CorpusTrainer(TokenizerTrainerOptions options) : trainer_(std::move(options)) {}

  /// The next piece. \throws as TokenizerTrainer::add_text
  void add(const CorpusPiece& piece);
  /// See TokenizerTrainer::train.
  /// \param vocabulary  see TokenizerTrainerOptions
  /// \param name        of the corpus, for messages
  /// \throws DataError  a text of nothing but white space; and as TokenizerTrainer::train
  std::unique_ptr<Tokenizer> train(std::int64_t vocabulary, const std::string& name);

 private:
  static constexpr std::size_t kEnough = std::size_t{1} << 22;  // text that keeps all threads busy

  TokenizerTrainer trainer_;
  std::string text_;              // of one document, not yet given to the trainer
  std::size_t enough_ = kEnough;  // so much of it is worth cutting
  bool blank_ = true;
};

/// Learns a tokenizer from all text of a corpus, in the reading that Corpus::scan makes.
/// \throws UsageError  a corpus of token files, which has no text; else as CorpusTrainer and CorpusReader
std::unique_ptr<Tokenizer> train_tokenizer(const Corpus& corpus, const TokenizerTrainerOptions& options);

/// How much of `text` can be given to a tokenizer's trainer before what follows it is known: up to the last white space
/// that stands alone between two other characters, where a word ends for every kind of tokenizer. 0 if there is none.
std::size_t length_of_whole_words(std::string_view text);

}  // namespace rapt
