// Which columns of a table hold the texts and the labels: by what was asked for, by the usual names, by the values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "text/corpus/table.h"

namespace rapt {

/// What stands in the label column.
enum class LabelKind {
  kNone,   ///< it is not looked at
  kClass,  ///< one class
  kSet,    ///< any number of classes
  kValue,  ///< a number
};

/// Which columns of a table hold what, by name or by number from 1. Empty ones are found (find_columns).
struct TextColumns {
  std::string text = {};
  std::string pair = {};   ///< of the second text, for pairs
  std::string label = {};  ///< a class, a number or several classes
};

/// What columns are looked for.
struct ColumnWishes {
  TextColumns named = {};  ///< must exist
  TextColumns usual = {};  ///< those of the model's own data: taken where the table has them
  LabelKind labels = LabelKind::kClass;
  bool labels_required = true;
};

/// The beginning of a table: what its columns are judged by.
struct TableSample {
  std::string name;  ///< of the file
  TableFormat format = TableFormat::kTsv;
  bool header = true;  ///< the first row names the columns
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  ///< texts of the cells, empty where there is none
};

/// Reads up to 1000 rows. Where `header` is not set, the first row is taken for one unless it looks like the others: it
/// has a number in a column of numbers, or a value of the label column. \throws DataError  as TableReader
TableSample read_sample(const Input& input, TableFormat format, std::optional<bool> header, const ColumnWishes& wishes);

/// The columns to take. What is not named is found
/// - by the usual names, in capitals or not. Texts: "text_a" with "text_b", "sentence1" with "sentence2", "question1"
///   with "question2", "premise" with "hypothesis", "question" with "sentence"; else "text", "sentence", "text_a",
///   "question", "review", "content", "document", "utterance", "comment", "tweet". Labels: "label", "labels",
///   "gold_label", "class", "category", "target", "score", "intent", "sentiment";
/// - of two columns, as the other one, or else the label as the one with few different values;
/// - by the values: the only column of several words, the only one with few different values (or with numbers).
///
/// A second text is looked for only if the first is not named. In the result, `pair` is empty if there is none, and so
/// is `label` for kNone, or if labels are not required and it is neither named nor found by its name.
///
/// \throws DataError       no such column
/// \throws UndecidedError  it cannot be told, with the columns that exist
TextColumns find_columns(const TableSample& sample, const ColumnWishes& wishes);

}  // namespace rapt
