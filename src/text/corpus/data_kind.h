// Guesses the kind of a data file from its beginning, to help a user who requests a task that does not fit the data, or
// who trains on a table as if it were prose.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/corpus/input.h"

namespace rapt {

enum class DataKind {
  kText,       ///< anything else
  kTable,      ///< rows with a text and usually a label
  kTags,       ///< words with tags, one per line or as JSON arrays
  kQuestions,  ///< SQuAD's JSON, or records with a context and a question
  kChoices,    ///< SWAG's columns, ROCStories' or records with choices
};

/// Reads the first 64 KiB. A file that is not named .tsv or .csv counts as a table only if it has a header with common
/// names of a text and a label column, or TREC's labels, so that prose with tabs and commas is text.
DataKind data_kind_of(const Input& input);

/// The keys of the first JSON record; empty if it is not JSON.
std::vector<std::string> fields_of(const Input& input);

/// The first 64 KiB of text, in whole lines unless the first line is longer; empty if it is not text.
std::string beginning_of(const Input& input);

/// "a table", "words with tags" ...
std::string_view name_of(DataKind kind);

/// The value of --task that fits such data: "classify", "tag", "qa", "choice"; empty for text.
std::string_view task_for(DataKind kind);

/// Whether this is a tag of span labelling: `O`, `B-person`.
bool is_span_tag(std::string_view tag);

}  // namespace rapt
