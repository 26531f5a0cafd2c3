// A classifier from scratch, in two stages: a network that starts from random weights learns more from labelled texts
// if it first learns to fill in their masked words, though there are no other texts. Krishna, Garg, Bigham, Lipton
// 2022, "Downstream Datasets Make Surprisingly Good Pretraining Corpora", arXiv 2209.14389.
#pragma once

#include "text/corpus/corpus_sources.h"
#include "train/files/run_folder.h"
#include "train/settings/config_file.h"

namespace rapt {

/// Whether a run of these settings takes both steps: labels for a BERT, no --init, files that can be read twice, a
/// tokenizer with masks. A run whose length is given in updates, epochs or tokens does what it is told, labels alone.
bool learns_words_first(const LayeredConfig& wanted);

/// The first step: settings of a run in folder.words(), with the texts of the examples as its data, which are written
/// there unless they are there already. Takes over what is given of structure, tokenizer and system.
/// \param notice  is told what was read
/// \throws ConfigError  if other texts are there
/// \throws MissingInputError, DataError, UsageError  as reading the examples does
LayeredConfig word_settings(const LayeredConfig& wanted, const RunFolder& folder, const Notice& notice = nullptr);

/// The second: the same settings, beginning from what the first leaves, in the minutes that it leaves.
LayeredConfig label_settings(const LayeredConfig& wanted, const RunFolder& folder);

}  // namespace rapt
