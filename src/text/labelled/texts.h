// Labelled texts and text pairs from tables: the training data of classification, regression and multi-label models.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/corpus/table.h"
#include "text/labelled/columns.h"

namespace rapt {

struct LabelledTextOptions {
  std::optional<TableFormat> format = {};  ///< as table_format_of, unless set
  std::optional<bool> header = {};         ///< whether the first row holds the column names; as read_sample, unless set
  bool skip_uneven = false;                ///< as TableOptions
  TextColumns columns = {};                ///< named columns must exist
  TextColumns usual = {};                  ///< those of the model's own data: used if the table has them
  LabelKind labels = LabelKind::kClass;
  /// false: for prediction. Missing or invalid labels are ignored.
  bool labels_required = true;
  char separator = ',';  ///< between the labels of a set
};

/// One example: a row of the table.
struct LabelledText {
  std::int64_t line = 0;  ///< number of the line on which the row starts
  std::string text;
  std::optional<std::string> pair;
  /// kClass: one; kSet: any number of distinct labels; empty if the row has none. kValue: as written, for display.
  std::vector<std::string> labels;
  std::optional<double> value;  ///< kValue
  bool labelled = false;        ///< had a label; an empty set counts as one
  std::vector<Json> others;     ///< cells of the other columns
};

/// Reads examples row by row; memory does not grow with the file.
class LabelledTextReader final {
 public:
  /// \throws DataError       as TableReader and find_columns
  /// \throws UndecidedError  as find_columns; for data of another kind: tagged words, questions
  explicit LabelledTextReader(Input input, LabelledTextOptions options = {});

  /// The next example; false after the last.
  /// \throws DataError  with file and line: a missing label if labels are required, or a label that is not a finite
  ///                    number for kValue; and as TableReader::next
  bool next(LabelledText& example);
  bool would_wait() const { return table_.would_wait(); }

  bool has_pairs() const { return pair_.has_value(); }
  bool has_labels() const { return label_.has_value(); }
  const TextColumns& columns() const { return columns_; }  ///< the columns in use
  bool has_header() const { return has_header_; }          ///< or keys, which also name columns
  std::vector<std::string> other_columns() const;          ///< the names of LabelledText::others
  const TableReader& table() const { return table_; }
  /// "data/a.tsv: line 7": the start of messages about an example.
  std::string where(const LabelledText& example) const;

 private:
  struct Opened;
  LabelledTextReader(Input input, LabelledTextOptions options, Opened opened);

  void read_label(const TableRow& row, LabelledText& example) const;
  void read_set(const TableRow& row, LabelledText& example) const;

  LabelledTextOptions options_;
  TextColumns columns_;
  bool has_header_;
  TableReader table_;
  std::size_t text_ = 0;
  std::optional<std::size_t> pair_, label_;
  std::vector<std::size_t> others_;
};

/// Reads a finite number and nothing else: "2.5", "-1e-3". Nothing if it is not one.
std::optional<double> parse_value(std::string_view text);

}  // namespace rapt
