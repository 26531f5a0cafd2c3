// A tokenizer learnt from a corpus: what `rapt tokenizer train` and a training run without a tokenizer do.
#pragma once

#include <memory>
#include <string_view>

#include "text/corpus/corpus.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/training/tokenizer_trainer.h"

namespace rapt {

/// Learns a tokenizer from all text of a corpus, in bounded memory, and the same on any number of threads.
/// \throws UsageError  a corpus of token files, which has no text; else as TokenizerTrainer and CorpusReader
std::unique_ptr<Tokenizer> train_tokenizer(const Corpus& corpus, const TokenizerTrainerOptions& options);

/// How much of `text` can be given to a tokenizer's trainer before what follows it is known: up to the last white space
/// that stands alone between two other characters, where a word ends for every kind of tokenizer. 0 if there is none.
std::size_t length_of_whole_words(std::string_view text);

}  // namespace rapt
