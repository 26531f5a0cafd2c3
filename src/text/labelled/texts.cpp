#include "text/labelled/texts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {

std::optional<double> parse_value(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// ------------------------------------------------------------------------------------------------------------- columns

static constexpr std::array<std::pair<const char*, const char*>, 5> kUsualPairs = {{
    {"text_a", "text_b"},
    {"sentence1", "sentence2"},
    {"question1", "question2"},
    {"premise", "hypothesis"},
    {"question", "sentence"},
}};

static std::string first_of(const TableReader& table, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (table.find(name)) return name;
  }
  return "";
}

static void find_texts(const TableReader& table, TextColumns& columns) {
  for (const auto& [first, second] : kUsualPairs) {
    if (!table.find(first) || !table.find(second)) continue;
    columns.text = first;
    if (columns.pair.empty()) columns.pair = second;
    return;
  }
  columns.text = first_of(table, {"text", "sentence", "text_a", "question", "review", "content", "document"});
}

// Of two columns, the one that is not `known`; empty if there are more.
static std::string other_column(const TableReader& table, const std::string& known) {
  if (table.columns().size() != 2 || known.empty()) return "";
  return std::to_string(2 - table.column(known));
}

[[noreturn]] static void refuse_to_guess(const TableReader& table, const char* what, const char* flag) {
  std::string names;
  const std::size_t shown = std::min<std::size_t>(table.columns().size(), 12);
  for (std::size_t i = 0; i < shown; ++i) names += (i == 0 ? "" : ", ") + in_quotes(table.columns()[i], 40);
  throw DataError(escape_for_terminal(table.name()) + ": which column holds the " + what +
                  " must be told by its name, got " + (names.empty() ? "none" : names) +
                  (shown < table.columns().size() ? ", ..." : "") + "; say it with " + flag);
}

TextColumns find_columns(const TableReader& table, const TextColumns& wanted, LabelKind labels, bool labels_required) {
  TextColumns columns = wanted;
  const bool wants_label = labels != LabelKind::kNone;
  if (!wants_label) columns.label.clear();
  if (columns.text.empty()) find_texts(table, columns);
  if (wants_label && columns.label.empty()) {
    columns.label = first_of(table, {"label", "labels", "gold_label", "class", "category", "target", "score"});
  }
  if (columns.text.empty()) columns.text = other_column(table, columns.label);
  if (columns.text.empty() && table.columns().size() == 1) columns.text = "1";
  if (columns.text.empty()) refuse_to_guess(table, "text", "--text-column");
  table.column(columns.text);
  if (!columns.pair.empty()) table.column(columns.pair);
  if (wants_label && columns.label.empty() && labels_required) {
    if (columns.pair.empty()) columns.label = other_column(table, columns.text);
    if (columns.label.empty()) refuse_to_guess(table, "label", "--label-column");
  }
  return columns;
}

// -------------------------------------------------------------------------------------------------------------- reader

// A label column that was named may be missing where labels are not required: a model is asked to predict.
static bool lacks(const TableReader& table, const std::string& column) {
  try {
    table.column(column);
    return false;
  } catch (const DataError&) {
    return true;
  }
}

LabelledTextReader::LabelledTextReader(Input input, LabelledTextOptions options)
    : options_(std::move(options)), table_(std::move(input), options_.table) {
  TextColumns wanted = options_.columns;
  LabelKind kind = options_.labels;
  if (!options_.labels_required && !wanted.label.empty() && lacks(table_, wanted.label)) kind = LabelKind::kNone;
  const TextColumns columns = find_columns(table_, wanted, kind, options_.labels_required);
  text_ = table_.column(columns.text);
  if (!columns.pair.empty()) pair_ = table_.column(columns.pair);
  if (!columns.label.empty()) label_ = table_.column(columns.label);
}

std::string LabelledTextReader::where(const LabelledText& example) const {
  TableRow row;
  row.line = example.line;
  return table_.where(row);
}

void LabelledTextReader::read_label(const TableRow& row, LabelledText& example) const {
  const std::string& column = table_.columns()[*label_];
  if (options_.labels == LabelKind::kSet) {
    const bool absent = table_.format() == TableFormat::kJsonLines && row.values[*label_].is_null();
    if (absent && !options_.labels_required) return;
    for (std::string& label : table_.list(row, *label_, options_.separator)) {
      const bool known = std::find(example.labels.begin(), example.labels.end(), label) != example.labels.end();
      if (!known) example.labels.push_back(std::move(label));
    }
    example.labelled = true;
    return;
  }
  const std::optional<std::string> cell = table_.text(row, *label_);
  const std::string label(trimmed(cell.value_or("")));
  if (label.empty()) {
    if (!options_.labels_required) return;
    throw DataError(table_.where(row) + ": a label must stand in column " + in_quotes(column) + ", got nothing");
  }
  example.labelled = true;
  if (options_.labels == LabelKind::kClass) {
    example.labels.push_back(label);
    return;
  }
  example.value = parse_value(label);
  if (!example.value) {
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
  if (label_) read_label(row, example);
  return true;
}

}  // namespace rapt
