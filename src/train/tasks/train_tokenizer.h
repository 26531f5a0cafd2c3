// Trains a tokenizer on a corpus: for `rapt tokenizer train` and for training runs without a tokenizer.
#pragma once

#include <memory>
#include <string_view>

#include "text/corpus/corpus.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/training/tokenizer_trainer.h"

namespace rapt {

/// Trains a tokenizer on all text of a corpus, in bounded memory, with the same result on any number of threads.
/// \throws UsageError  for a corpus of token files, which has no text; otherwise as TokenizerTrainer and CorpusReader
std::unique_ptr<Tokenizer> train_tokenizer(const Corpus& corpus, const TokenizerTrainerOptions& options);

/// How much of `text` can be passed to a tokenizer's trainer before the rest is known: up to the last single white
/// space between two other characters, where a word ends for every kind of tokenizer. 0 if there is none.
std::size_t length_of_whole_words(std::string_view text);

}  // namespace rapt
