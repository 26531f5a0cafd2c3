// A classifier from scratch, in two stages. A network with random weights learns more from labelled texts if it first
// learns to predict their masked words, even without other texts. Krishna, Garg, Bigham, Lipton 2022, "Downstream
// Datasets Make Surprisingly Good Pretraining Corpora", arXiv 2209.14389.
#pragma once

#include "text/corpus/corpus_sources.h"
#include "train/files/run_folder.h"
#include "train/settings/config_file.h"

namespace rapt {

/// Whether a run with these settings has both stages: labels for a BERT, no --init, files that can be read twice, a
/// tokenizer with masks. A run whose length is given in updates, epochs or tokens trains on labels only.
bool learns_words_first(const LayeredConfig& wanted);

/// Stage 1: settings of a run in folder.words(), with the texts of the examples as its data. The texts are written
/// there unless they exist already. Takes over the given settings of structure, tokenizer and system.
/// \param notice  receives the summary of the data
/// \throws ConfigError  if other texts are already there
/// \throws MissingInputError, DataError, UsageError  as reading the examples does
LayeredConfig word_settings(const LayeredConfig& wanted, const RunFolder& folder, const Notice& notice = nullptr);

/// Stage 2: the same settings, starting from the result of stage 1, in the remaining minutes.
LayeredConfig label_settings(const LayeredConfig& wanted, const RunFolder& folder);

}  // namespace rapt
