// What a run says about its labelled data before it trains: examples, columns, classes, lengths, what is held out.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "text/corpus/corpus_sources.h"
#include "train/labelled/labelled_data.h"

namespace rapt {

/// Tells how many examples there are, which columns were taken, how the labels are distributed; warns of data from
/// which nothing can be learnt.
///
///     data: T.tsv: 5,452 examples; text in column "text", label in column "label"
///     data: 6 classes: ENTY 1,250, HUM 1,223, DESC 1,162, NUM 896, LOC 835, ABBR 86
void tell_examples(const LabelledData& data, const Notice& notice);

/// Tells the lengths in tokens, and how many examples were cut.
///
///     data: 12.4 tokens an example, the longest 41; none was cut (--max-length 128)
void tell_lengths(const LabelledData& data, Dim max_length, const Notice& notice);

/// Tells what a run is validated on; `held_out` is nullptr if there is nothing. \param own  a file of its own, and not
/// a part of the data
///
///     data: 545 of the examples, chosen at random, are held out for validation
void tell_validation(const LabelledData* held_out, bool own, const Notice& notice);

/// "3 labels that the model does not know (B-ORG 2, I-ORG 1); they count as wrong". \pre some are unknown
std::string unknown_labels_text(const std::map<std::string, std::int64_t>& unknown);

}  // namespace rapt
