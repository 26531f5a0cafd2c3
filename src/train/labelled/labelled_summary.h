// Reports labelled data before training: examples, columns, classes, lengths, held-out data.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "text/corpus/corpus_sources.h"
#include "train/labelled/labelled_data.h"

namespace rapt {

/// Reports the number of examples, the columns used and the distribution of labels; warns of data that a model cannot
/// learn from.
///
///     data: T.tsv: 5,452 examples; text in column "text", label in column "label"
///     data: 6 classes: ENTY 1,250, HUM 1,223, DESC 1,162, NUM 896, LOC 835, ABBR 86
void tell_examples(const LabelledData& data, const Notice& notice);

/// Reports the lengths in tokens, and how many examples were truncated.
///
///     data: 12.9 tokens per example on average, at most 45; none is truncated at 128
void tell_lengths(const LabelledData& data, Dim max_length, const Notice& notice);

/// Reports the validation data; `held_out` is nullptr if there is none.
///
/// \param own  a separate file, not a part of the data
///
///     data: 545 of these, chosen at random, are held out for validation
void tell_validation(const LabelledData* held_out, bool own, const Notice& notice);

/// "3 labels that the model does not know (B-ORG 2, I-ORG 1); they count as wrong". \pre there are unknown labels
std::string unknown_labels_text(const std::map<std::string, std::int64_t>& unknown);

}  // namespace rapt
