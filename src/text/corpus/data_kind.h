// What a file of examples seems to be, from how it begins: what tells a user who asks for one task with the data of
// another, or trains on a table as if it were prose.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/corpus/input.h"

namespace rapt {

enum class DataKind {
  kText,       ///< nothing that tells otherwise
  kTable,      ///< rows with a text and mostly a label
  kTags,       ///< words with a tag each, a line each or as arrays of JSON
  kQuestions,  ///< SQuAD's JSON, or records with a context and a question
  kChoices,    ///< SWAG's columns, ROCStories' or records with choices
};

/// By the first 64 KiB. Of what is not named .tsv or .csv, a table must have a header with usual names of a text and a
/// label, or TREC's labels, so that prose with tabs and commas is text.
DataKind data_kind_of(const Input& input);

/// The keys of the first record of JSON; empty for what is none.
std::vector<std::string> fields_of(const Input& input);

/// The first 64 KiB of text, whole lines unless the first is longer; empty if it is no text.
std::string beginning_of(const Input& input);

/// "a table", "words with tags" ...
std::string_view name_of(DataKind kind);

/// The value of --task for which such data is made: "classify", "tag", "qa", "choice"; empty for text.
std::string_view task_for(DataKind kind);

/// Whether a tag is one of spans: `O`, `B-person`.
bool is_span_tag(std::string_view tag);

}  // namespace rapt
