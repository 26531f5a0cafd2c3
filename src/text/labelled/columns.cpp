#include "text/labelled/columns.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <set>
#include <utility>

#include "io/escape.h"
#include "io/joined.h"
#include "tensor/error.h"
#include "text/labelled/texts.h"
#include "text/labelled/undecided_error.h"

namespace rapt {
namespace {

constexpr std::size_t kMostRows = 1000;

constexpr std::array<std::pair<const char*, const char*>, 5> kUsualPairs = {{
    {"text_a", "text_b"},
    {"sentence1", "sentence2"},
    {"question1", "question2"},
    {"premise", "hypothesis"},
    {"question", "sentence"},
}};

// ------------------------------------------------------------------------------------------------------------- values

// Statistics of the cells of a column.
struct Values {
  std::size_t filled = 0, different = 0;
  double words = 0, bytes = 0;  // means
  bool numbers = false;
  bool counts = false;  // 0, 1, 2 ...: row numbers

  bool repeats() const { return filled > 0 && 2 * different <= filled; }
  bool is_text() const { return !numbers && (words >= 2.5 || bytes >= 20) && (2 * different > filled || words >= 4); }
};

Values values_of(const TableSample& sample, std::size_t column) {
  Values v;
  std::set<std::string_view> seen;
  std::optional<double> before;
  v.numbers = v.counts = true;
  for (const std::vector<std::string>& row : sample.rows) {
    const std::string_view cell = trimmed(row[column]);
    if (cell.empty()) continue;
    ++v.filled;
    seen.insert(cell);
    v.bytes += static_cast<double>(cell.size());
    v.words += 1 + static_cast<double>(std::ranges::count(cell, ' '));
    const std::optional<double> number = parse_value(cell);
    v.numbers = v.numbers && number.has_value();
    v.counts = v.counts && number && (!before || *number == *before + 1);
    before = number;
  }
  v.different = seen.size();
  const double rows = static_cast<double>(std::max<std::size_t>(v.filled, 1));
  v.words /= rows;
  v.bytes /= rows;
  v.numbers = v.numbers && v.filled > 0;
  v.counts = v.counts && v.filled > 1;
  return v;
}

// Whether a column could hold labels of this kind.
bool may_be_label(const Values& v, LabelKind kind) {
  if (kind == LabelKind::kValue) return v.numbers && !v.counts;
  return v.repeats() && v.words < 4;
}

// ------------------------------------------------------------------------------------------------------------- header

bool is_known(const std::string& cell, const TextColumns& columns) {
  const auto is = [&](const std::string& name) { return !name.empty() && name == cell && !parse_value(name); };
  return is(columns.text) || is(columns.pair) || is(columns.label);
}

// Whether the first row is like the ones after it. Rows are all rows of the file.
bool first_row_is_data(const TableSample& all, const ColumnWishes& wishes) {
  if (all.rows.size() < 2) return false;
  TableSample rest = all;
  rest.rows.erase(rest.rows.begin());
  for (std::size_t c = 0; c < all.columns.size(); ++c) {
    const std::string cell(trimmed(all.rows[0][c]));
    if (is_usual_text_name(cell) || is_usual_label_name(cell) || is_known(cell, wishes.named) ||
        is_known(cell, wishes.usual)) {
      return false;
    }
  }
  for (std::size_t c = 0; c < all.columns.size(); ++c) {
    const std::string_view cell = trimmed(all.rows[0][c]);
    const Values v = values_of(rest, c);
    if (v.numbers && parse_value(cell)) return true;
    const bool again =
        std::ranges::any_of(rest.rows, [&](const auto& row) { return trimmed(row[c]) == cell && row != all.rows[0]; });
    if (!cell.empty() && again) return true;
  }
  return false;
}

// ------------------------------------------------------------------------------------------------------------- columns

std::optional<std::size_t> find(const TableSample& sample, std::string_view name) {
  const auto found = std::ranges::find(sample.columns, name);
  if (found != sample.columns.end()) return static_cast<std::size_t>(found - sample.columns.begin());
  const auto same = std::ranges::find_if(sample.columns, [&](const auto& c) { return lower_case(c) == name; });
  if (same == sample.columns.end()) return std::nullopt;
  return static_cast<std::size_t>(same - sample.columns.begin());
}

// The name of a column, or its number if the name occurs twice.
std::string name_of(const TableSample& sample, std::size_t column) {
  const std::string& name = sample.columns[column];
  return std::ranges::count(sample.columns, name) == 1 && !name.empty() ? name : std::to_string(column + 1);
}

std::string first_of(const TableSample& sample, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const std::optional<std::size_t> found = find(sample, name)) return name_of(sample, *found);
  }
  return "";
}

// The column that the user names, as in TableReader::column; nothing if there is none.
std::optional<std::size_t> index_of(const TableSample& sample, const std::string& wanted) {
  const auto found = std::ranges::find(sample.columns, wanted);
  if (found != sample.columns.end()) return static_cast<std::size_t>(found - sample.columns.begin());
  std::size_t number = 0;
  const auto [rest, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
  const bool is_number = error == std::errc() && rest == wanted.data() + wanted.size();
  if (!is_number || number < 1 || number > sample.columns.size()) return std::nullopt;
  return number - 1;
}

[[noreturn]] void refuse_to_guess(const TableSample& sample, const char* what, const char* flag, std::size_t likely) {
  const std::vector<std::string>& columns = sample.columns;
  const bool has_names = sample.header || sample.format == TableFormat::kJsonLines;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    shown.push_back(has_names || sample.rows.empty() ? in_quotes(columns[i], 40)
                                                     : columns[i] + " such as " + in_quotes(sample.rows[0][i], 30));
  }
  throw UndecidedError(escape_for_terminal(sample.name) + ": cannot tell which column holds the " + what +
                           " (columns: " + (shown.empty() ? "none" : joined_first(shown, 12)) + "); use " + flag,
                       columns.empty() ? flag : std::string(flag) + ' ' + name_of(sample, likely));
}

class Finder {
 public:
  Finder(const TableSample& sample, const ColumnWishes& wishes) : sample_(sample), wishes_(wishes) {
    found_ = wishes.named;
    for (std::size_t c = 0; c < sample.columns.size(); ++c) values_.push_back(values_of(sample, c));
  }

  TextColumns find() {
    wants_label_ = wishes_.labels != LabelKind::kNone;
    if (!wants_label_) found_.label.clear();
    take_usual();
    if (found_.text.empty()) find_texts_by_name();
    if (wants_label_ && found_.label.empty()) {
      found_.label = first_of(
          sample_, {"label", "labels", "gold_label", "class", "category", "target", "score", "intent", "sentiment"});
      if (found_.label == found_.text) found_.label.clear();
    }
    if (found_.text.empty()) found_.text = other_column(found_.label);
    if (found_.text.empty() && sample_.columns.size() == 1) found_.text = name_of(sample_, 0);
    if (wants_label_ && wishes_.labels_required && found_.label.empty() && found_.pair.empty()) {
      found_.label = other_column(found_.text);
    }
    find_by_values();
    if (found_.text.empty()) refuse_to_guess(sample_, "text", "--text-column", longest());
    if (wants_label_ && wishes_.labels_required && found_.label.empty()) {
      refuse_to_guess(sample_, "label", "--label-column", fewest());
    }
    return found_;
  }

 private:
  void take_usual() {
    const TextColumns& usual = wishes_.usual;
    const auto take = [&](const std::string& from, std::string& to) {
      if (to.empty() && !from.empty() && index_of(sample_, from)) to = from;
    };
    if (found_.text.empty()) {
      take(usual.text, found_.text);
      if (!found_.text.empty()) take(usual.pair, found_.pair);
    }
    if (wants_label_) take(usual.label, found_.label);
    if (found_.label == found_.text) found_.label.clear();
  }

  void find_texts_by_name() {
    for (const auto& [first, second] : kUsualPairs) {
      const std::string text = first_of(sample_, {first}), pair = first_of(sample_, {second});
      if (text.empty() || pair.empty()) continue;
      found_.text = text;
      if (found_.pair.empty()) found_.pair = pair;
      return;
    }
    found_.text = first_of(sample_, {"text", "sentence", "text_a", "question", "review", "content", "document",
                                     "utterance", "comment", "tweet"});
  }

  // In a table of two columns, the one that is not `known`; empty if there are more.
  std::string other_column(const std::string& known) const {
    if (sample_.columns.size() != 2 || known.empty()) return "";
    const std::optional<std::size_t> index = index_of(sample_, known);
    return index ? name_of(sample_, 1 - *index) : "";
  }

  bool is_taken(std::size_t column) const {
    for (const std::string* taken : {&found_.text, &found_.pair, &found_.label}) {
      if (!taken->empty() && index_of(sample_, *taken) == column) return true;
    }
    return false;
  }

  // The only free column for which `holds` is true; empty if there are none or several.
  template <typename Holds>
  std::string only(const Holds& holds) const {
    std::string found;
    for (std::size_t c = 0; c < values_.size(); ++c) {
      if (is_taken(c) || !holds(values_[c])) continue;
      if (!found.empty()) return "";
      found = name_of(sample_, c);
    }
    return found;
  }

  void find_by_values() {
    const bool needs_label = wants_label_ && wishes_.labels_required && found_.label.empty();
    if (found_.text.empty() && needs_label && values_.size() == 2) return find_two_by_values();
    if (found_.text.empty()) found_.text = only([](const Values& v) { return v.is_text(); });
    const bool only_texts = !wants_label_ || !wishes_.labels_required;
    if (found_.text.empty() && only_texts) {
      found_.text = only([](const Values& v) { return !v.numbers && v.filled > 0; });
    }
    if (needs_label && !found_.text.empty()) {
      found_.label = only([&](const Values& v) { return may_be_label(v, wishes_.labels) && !v.is_text(); });
    }
  }

  // Two columns: the label is the one with few distinct values, or the one with numbers.
  void find_two_by_values() {
    const std::size_t label = wishes_.labels == LabelKind::kValue
                                  ? (values_[0].numbers ? 0U : 1U)
                                  : (values_[0].different < values_[1].different ? 0U : 1U);
    const Values &l = values_[label], &t = values_[1 - label];
    const bool clear = wishes_.labels == LabelKind::kValue ? !t.numbers : t.different > l.different;
    if (!clear || !may_be_label(l, wishes_.labels)) return;
    found_.label = name_of(sample_, label);
    found_.text = name_of(sample_, 1 - label);
  }

  // The option that a message suggests.
  std::size_t longest() const {
    return best([](const Values& v) { return v.bytes; });
  }
  std::size_t fewest() const {
    return best([&](const Values& v) {
      if (v.filled == 0) return -std::numeric_limits<double>::infinity();
      return (wishes_.labels == LabelKind::kValue) == v.numbers ? -static_cast<double>(v.different)
                                                                : -static_cast<double>(kMostRows + v.different);
    });
  }
  template <typename Score>
  std::size_t best(const Score& score) const {
    std::size_t chosen = 0;
    double most = -std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < values_.size(); ++c) {
      if (is_taken(c) || score(values_[c]) <= most) continue;
      chosen = c;
      most = score(values_[c]);
    }
    return chosen;
  }

  const TableSample& sample_;
  const ColumnWishes& wishes_;
  std::vector<Values> values_;
  TextColumns found_;
  bool wants_label_ = true;
};

// Cells as texts; in JSON, other than plain values are printed as JSON.
std::vector<std::string> cells_of(const TableReader& table, TableRow& row) {
  if (table.format() != TableFormat::kJsonLines) return std::move(row.cells);
  std::vector<std::string> cells;
  for (const Json& value : row.values) {
    cells.push_back(value.is_null() ? "" : value.is_string() ? value.get<std::string>() : dump_compact(value));
  }
  return cells;
}

}  // namespace

TableSample read_sample(const Input& input, TableFormat format, std::optional<bool> header,
                        const ColumnWishes& wishes) {
  const bool may_have_header = format == TableFormat::kTsv || format == TableFormat::kCsv;
  TableReader table(input, {.format = format, .header = false, .skip_uneven = true});
  TableSample sample{.name = input.name(), .format = format, .header = false, .columns = table.columns(), .rows = {}};
  TableRow row;
  const auto read = [&] {
    if (!table.next(row)) return false;
    sample.rows.push_back(cells_of(table, row));
    return true;
  };
  if (!read()) return sample;
  // If the names are known, the rows are not needed, which avoids waiting for standard input.
  const bool tells = std::ranges::any_of(sample.rows[0], [&](const std::string& cell) {
    const std::string name(trimmed(cell));
    return is_known(name, wishes.named) || is_known(name, wishes.usual) || is_usual_text_name(name);
  });
  const bool enough = input.is_live() && (!may_have_header || tells);
  while (!enough && sample.rows.size() < kMostRows && read()) continue;
  if (!may_have_header) return sample;
  sample.header = header ? *header : !first_row_is_data(sample, wishes);
  if (sample.header) {
    sample.columns.clear();
    for (const std::string& cell : sample.rows[0]) sample.columns.emplace_back(trimmed(cell));
    sample.rows.erase(sample.rows.begin());
  }
  return sample;
}

TextColumns find_columns(const TableSample& sample, const ColumnWishes& wishes) {
  return Finder(sample, wishes).find();
}

}  // namespace rapt
