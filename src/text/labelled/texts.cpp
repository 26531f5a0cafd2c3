#include "text/labelled/texts.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/corpus/data_kind.h"
#include "text/labelled/undecided_error.h"

namespace rapt {

std::optional<double> parse_value(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// ------------------------------------------------------------------------------------------------------------- opening

// Facts about a file that are determined before it is read.
struct LabelledTextReader::Opened {
  TableOptions table;
  TextColumns columns;
  bool has_header = true;
};

// Data that was made for another task; named columns show that this use is intended.
static void refuse_other_kinds(const Input& input, const LabelledTextOptions& options) {
  if (!options.columns.text.empty() || input.is_live()) return;
  const DataKind kind = data_kind_of(input);
  if (kind == DataKind::kText || kind == DataKind::kTable) return;
  const std::string task(task_for(kind));
  throw UndecidedError(escape_for_terminal(input.name()) + ": must be a table with one text per row" +
                           (options.labels_required ? " and its label" : "") + ", got " + std::string(name_of(kind)) +
                           "; use --task " + task,
                       "--task " + task);
}

LabelledTextReader::LabelledTextReader(Input input, LabelledTextOptions options)
    : LabelledTextReader(input, options, [&] {
        refuse_other_kinds(input, options);
        const ColumnWishes wishes{options.columns, options.usual, options.labels, options.labels_required};
        const TableFormat format = options.format ? *options.format : table_format_of(input);
        const TableSample sample = read_sample(input, format, options.header, wishes);
        Opened opened;
        opened.table = {.format = format, .header = sample.header, .skip_uneven = options.skip_uneven};
        opened.columns = find_columns(sample, wishes);
        opened.has_header = sample.header || format == TableFormat::kJsonLines || format == TableFormat::kTrec;
        return opened;
      }()) {}

LabelledTextReader::LabelledTextReader(Input input, LabelledTextOptions options, Opened opened)
    : options_(std::move(options)),
      columns_(std::move(opened.columns)),
      has_header_(opened.has_header),
      table_(std::move(input), opened.table) {
  text_ = table_.column(columns_.text);
  if (!columns_.pair.empty()) pair_ = table_.column(columns_.pair);
  if (!columns_.label.empty()) label_ = table_.column(columns_.label);
  for (std::size_t c = 0; c < table_.columns().size(); ++c) {
    if (c != text_ && c != pair_ && c != label_) others_.push_back(c);
  }
}

std::vector<std::string> LabelledTextReader::other_columns() const {
  std::vector<std::string> names;
  for (const std::size_t c : others_) names.push_back(table_.columns()[c]);
  return names;
}

// ------------------------------------------------------------------------------------------------------------- reading

std::string LabelledTextReader::where(const LabelledText& example) const {
  TableRow row;
  row.line = example.line;
  return table_.where(row);
}

void LabelledTextReader::read_set(const TableRow& row, LabelledText& example) const {
  const bool absent = table_.format() == TableFormat::kJsonLines && row.values[*label_].is_null();
  if (absent && !options_.labels_required) return;
  for (std::string& label : table_.list(row, *label_, options_.separator)) {
    const bool known = std::find(example.labels.begin(), example.labels.end(), label) != example.labels.end();
    if (!known) example.labels.push_back(std::move(label));
  }
  example.labelled = true;
}

void LabelledTextReader::read_label(const TableRow& row, LabelledText& example) const {
  const std::string& column = table_.columns()[*label_];
  if (options_.labels == LabelKind::kSet) return read_set(row, example);
  const std::optional<std::string> cell = table_.text(row, *label_);
  const std::string label(trimmed(cell.value_or("")));
  if (label.empty()) {
    if (!options_.labels_required) return;
    throw DataError(table_.where(row) + ": there must be a label in column " + in_quotes(column) + ", got nothing");
  }
  example.labelled = true;
  example.labels.push_back(label);
  if (options_.labels == LabelKind::kClass) return;
  example.value = parse_value(label);
  if (!example.value && options_.labels_required) {
    throw DataError(table_.where(row) + ": " + in_quotes(column) + " must be a number, got " + in_quotes(label));
  }
}

bool LabelledTextReader::next(LabelledText& example) {
  TableRow row;
  if (!table_.next(row)) return false;
  example = {};
  example.line = row.line;
  example.text = table_.required_text(row, text_);
  if (pair_) example.pair = table_.required_text(row, *pair_);
  if (label_) {
    try {
      read_label(row, example);
    } catch (const DataError&) {  // an array instead of one label
      if (options_.labels_required) throw;
      example.labels = {dump_compact(row.values[*label_])};
      example.labelled = true;
    }
  }
  const bool json = table_.format() == TableFormat::kJsonLines;
  for (const std::size_t c : others_) {
    example.others.push_back(json ? std::move(row.values[c]) : Json(std::move(row.cells[c])));
  }
  return true;
}

}  // namespace rapt
