// Labelled texts and pairs of texts from tables: what classification, regression and multi-label models learn from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/table.h"

namespace rapt {

/// What stands in the label column.
enum class LabelKind {
  kNone,   ///< it is not looked at
  kClass,  ///< one class
  kSet,    ///< any number of classes
  kValue,  ///< a number
};

/// Which columns of a table hold what, by name or by number from 1. Empty ones are found by the names that are usual
/// (find_columns).
struct TextColumns {
  std::string text = {};
  std::string pair = {};   ///< of the second text, for pairs
  std::string label = {};  ///< a class, a number or several classes
};

struct LabelledTextOptions {
  TableOptions table = {};
  TextColumns columns = {};
  LabelKind labels = LabelKind::kClass;
  bool labels_required = true;  ///< false: a table without the label column, or a row without one, is fine
  char separator = ',';         ///< between the labels of a set
};

/// One example: a row of the table.
struct LabelledText {
  std::int64_t line = 0;  ///< on which the row begins
  std::string text;
  std::optional<std::string> pair;
  std::vector<std::string> labels;  ///< kClass: one; kSet: any number, each once; none if the row has none
  std::optional<double> value;      ///< kValue
  bool labelled = false;            ///< had a label; an empty set is one, too
};

/// Reads examples row by row; memory does not grow with the file.
class LabelledTextReader final {
 public:
  /// \throws DataError  as TableReader and find_columns
  explicit LabelledTextReader(Input input, LabelledTextOptions options = {});

  /// The next example; false after the last.
  /// \throws DataError  with file and line: a label that is missing though required, or is no finite number for kValue;
  ///                    and as TableReader::next
  bool next(LabelledText& example);

  bool has_pairs() const { return pair_.has_value(); }
  bool has_labels() const { return label_.has_value(); }
  const TableReader& table() const { return table_; }
  /// "data/a.tsv: line 7": how messages about an example begin.
  std::string where(const LabelledText& example) const;

 private:
  void read_label(const TableRow& row, LabelledText& example) const;

  LabelledTextOptions options_;
  TableReader table_;
  std::size_t text_ = 0;
  std::optional<std::size_t> pair_, label_;
};

/// The columns that `wanted` leaves open, by what headers usually call them; those that it names are kept and must
/// exist. Texts: "text_a" with "text_b", "sentence1" with "sentence2", "question1" with "question2", "premise" with
/// "hypothesis", "question" with "sentence"; else "text", "sentence", "text_a", "question", "review", "content",
/// "document". Labels: "label", "labels", "gold_label", "class", "category", "target", "score". Where a header of two
/// columns has one of these, the other column is the other one.
///
/// A second text is looked for only if the first is not named. In the result, `pair` is empty if there is none, and so
/// is `label` for kNone, or if it is neither named nor found nor required.
///
/// \throws DataError  no such column; nothing with a usual name, with the columns that exist
TextColumns find_columns(const TableReader& table, const TextColumns& wanted, LabelKind labels, bool labels_required);

/// Reads a finite number and nothing else: "2.5", "-1e-3". Nothing if it is none.
std::optional<double> parse_value(std::string_view text);

}  // namespace rapt
