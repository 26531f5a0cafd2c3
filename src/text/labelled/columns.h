// Finds the columns of a table that hold the texts and the labels: as requested, by common names, or by their values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "text/corpus/table.h"

namespace rapt {

/// The contents of the label column.
enum class LabelKind {
  kNone,   ///< not used
  kClass,  ///< one class
  kSet,    ///< any number of classes
  kValue,  ///< a number
};

/// The columns of a table by purpose, by name or by number from 1. Empty ones are detected (find_columns).
struct TextColumns {
  std::string text = {};
  std::string pair = {};   ///< of the second text, for pairs
  std::string label = {};  ///< a class, a number or several classes
};

/// The columns to look for.
struct ColumnWishes {
  TextColumns named = {};  ///< must exist
  TextColumns usual = {};  ///< those of the model's own data: used if the table has them
  LabelKind labels = LabelKind::kClass;
  bool labels_required = true;
};

/// The beginning of a table, from which its columns are detected.
struct TableSample {
  std::string name;  ///< of the file
  TableFormat format = TableFormat::kTsv;
  bool header = true;  ///< the first row names the columns
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  ///< texts of the cells, empty if there is none
};

/// Reads up to 1000 rows. If `header` is not set, the first row is taken for a header unless it looks like the others:
/// it has a number in a numeric column, or a value of the label column.
///
/// \throws DataError  as TableReader
TableSample read_sample(const Input& input, TableFormat format, std::optional<bool> header, const ColumnWishes& wishes);

/// The columns to use. Those that are not named are detected
/// - by common names, in any case. Texts: "text_a" with "text_b", "sentence1" with "sentence2", "question1" with
///   "question2", "premise" with "hypothesis", "question" with "sentence"; else "text", "sentence", "text_a",
///   "question", "review", "content", "document", "utterance", "comment", "tweet". Labels: "label", "labels",
///   "gold_label", "class", "category", "target", "score", "intent", "sentiment";
/// - in a table of two columns: the column that is left; or the label as the column with few distinct values;
/// - by their values: the only column with several words, the only one with few distinct values (or with numbers).
///
/// A second text is looked for only if the first is not named. In the result, `pair` is empty if there is none, and so
/// is `label` for kNone, or if labels are not required and no label column is named or has a common name.
///
/// \throws DataError       if there is no such column
/// \throws UndecidedError  if the choice is ambiguous, with the existing columns
TextColumns find_columns(const TableSample& sample, const ColumnWishes& wishes);

}  // namespace rapt
