#include "text/corpus/table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "io/escape.h"
#include "io/joined.h"
#include "io/suggest.h"
#include "tensor/error.h"
#include "text/corpus/json_records.h"
#include "text/corpus/line_reader.h"

namespace rapt {

static constexpr std::size_t kMostColumns = 16'384;

// --------------------------------------------------------------------------------------------------------- the reader

struct TableReader::State {
  State(Input input, TableFormat format, TableOptions options)
      : name(input.name()), lines(std::move(input)), format(format), options(options) {}

  std::string name;
  LineReader lines;
  JsonRecords records;
  TableFormat format;
  TableOptions options;
  std::vector<std::string> columns;
  bool columns_known = false;
  std::optional<TableRow> first;  // read and not yet returned
  std::int64_t skipped = 0;
};

TableReader::TableReader(TableReader&&) noexcept = default;
TableReader& TableReader::operator=(TableReader&&) noexcept = default;
TableReader::~TableReader() = default;

TableFormat TableReader::format() const { return state_->format; }
const std::string& TableReader::name() const { return state_->name; }
const std::vector<std::string>& TableReader::columns() const { return state_->columns; }
bool TableReader::would_wait() const { return !state_->first && state_->lines.would_wait(); }
std::int64_t TableReader::skipped() const { return state_->skipped; }
std::string TableReader::digest() const { return state_->lines.bytes().digest(); }
std::string TableReader::where(const TableRow& row) const { return state_->lines.where(row.line); }

TableReader::TableReader(Input input, TableOptions options) {
  const TableFormat format = options.format ? *options.format : table_format_of(input);
  state_ = std::make_unique<State>(std::move(input), format, options);
  TableRow row;
  if (!read_row(row)) throw DataError(escape_for_terminal(name()) + ": must hold text, got an empty file");
  const bool cells = format == TableFormat::kTsv || format == TableFormat::kCsv;
  set_columns(row);
  state_->columns_known = true;
  if (!cells || !options.header) state_->first = std::move(row);
}

void TableReader::set_columns(const TableRow& row) {
  std::vector<std::string>& columns = state_->columns;
  switch (state_->format) {
    case TableFormat::kTrec:
      columns = {"label", "fine_label", "text"};
      return;
    case TableFormat::kLines:
      columns = {"text"};
      return;
    case TableFormat::kJsonLines:
      return;  // read_json_row has set them
    case TableFormat::kTsv:
    case TableFormat::kCsv:
      for (std::size_t i = 0; i < row.cells.size(); ++i) {
        columns.push_back(state_->options.header ? std::string(trimmed(row.cells[i])) : std::to_string(i + 1));
      }
  }
}

static void require_columns(std::size_t columns, const std::string& where) {
  if (columns > kMostColumns) throw DataError(where + ": must have at most 16384 columns, got more");
}

static void split_at_tabs(const std::string& line, const std::string& where, std::vector<std::string>& cells) {
  cells.clear();
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find('\t', begin), line.size());
    cells.emplace_back(line, begin, end - begin);
    require_columns(cells.size(), where);
    begin = end + 1;
  }
}

// A record may span several lines inside quotation marks.
bool TableReader::read_csv_row(TableRow& row) {
  LineReader& lines = state_->lines;
  std::string line;
  do {
    if (!lines.next(line)) return false;
  } while (line.empty());
  row.line = lines.line();
  row.cells.clear();
  std::size_t at = 0, bytes = line.size();
  while (true) {
    std::string cell;
    if (at < line.size() && line[at] == '"') {
      const std::int64_t opened = lines.line();
      ++at;
      while (true) {
        const std::size_t quote = line.find('"', at);
        cell.append(line, at, std::min(quote, line.size()) - at);
        if (quote == std::string::npos) {
          cell += '\n';
          at = 0;
          const std::string message = lines.where(opened) + ": a quotation mark opens a cell that ";
          if (!lines.next(line)) throw DataError(message + "is never closed");
          bytes += line.size() + 1;
          if (bytes > LineReader::kLongest) throw DataError(message + "is longer than 16 MiB");
        } else if (quote + 1 < line.size() && line[quote + 1] == '"') {
          cell += '"';
          at = quote + 2;
        } else {
          at = quote + 1;
          break;
        }
      }
      if (at < line.size() && line[at] != ',') {
        throw DataError(lines.where() +
                        ": a comma or the end of the line must follow a cell's closing quotation mark, got " +
                        in_quotes(line.substr(at), 20) + "; double the quotation marks inside such a cell");
      }
    } else {
      const std::size_t end = std::min(line.find(',', at), line.size());
      cell.assign(line, at, end - at);
      at = end;
    }
    row.cells.push_back(std::move(cell));
    require_columns(row.cells.size(), lines.where());
    if (at >= line.size()) return true;
    ++at;  // the comma; a cell follows it, possibly empty
  }
}

bool TableReader::read_json_row(TableRow& row) {
  std::string record;
  if (!state_->records.next(state_->lines, record, row.line)) return false;
  const std::string where = state_->lines.where(row.line);
  const bool document = !state_->records.is_array() && trimmed(record) == "{";  // over several lines
  const char* advice = document ? "; write each object on its own line (jq -c does this)" : "";
  Json object;
  try {
    object = parse_json_line(record, where);
  } catch (const DataError& error) {
    throw DataError(error.what() + std::string(advice));
  }
  if (!object.is_object()) {
    throw DataError(where + ": must be a JSON object, got " + describe(object) + advice);
  }
  require_columns(object.size(), where);
  std::vector<std::string>& columns = state_->columns;
  if (!state_->columns_known) {
    for (const auto& item : object.items()) columns.push_back(item.key());
  }
  row.values.assign(columns.size(), Json());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto found = object.find(columns[i]);
    if (found != object.end()) row.values[i] = std::move(*found);
  }
  return true;
}

bool TableReader::read_row(TableRow& row) {
  if (state_->format == TableFormat::kCsv) return read_csv_row(row);
  if (state_->format == TableFormat::kJsonLines) return read_json_row(row);
  LineReader& lines = state_->lines;
  std::string line;
  do {
    if (!lines.next(line)) return false;
  } while (trimmed(line).empty());
  row.line = lines.line();
  std::size_t colon = 0, space = 0;
  switch (state_->format) {
    case TableFormat::kTsv:
      split_at_tabs(line, lines.where(), row.cells);
      break;
    case TableFormat::kTrec:
      if (!split_trec(line, colon, space)) {
        throw DataError(lines.where() + ": must be LABEL:fine and a question, got " + in_quotes(line, 40));
      }
      row.cells = {line.substr(0, colon), line.substr(0, space), line.substr(space + 1)};
      break;
    case TableFormat::kLines:
      row.cells = {line};
      break;
    case TableFormat::kCsv:
    case TableFormat::kJsonLines:
      break;
  }
  return true;
}

bool TableReader::next(TableRow& row) {
  if (state_->first) {
    row = std::move(*state_->first);
    state_->first.reset();
    return true;
  }
  const bool json = state_->format == TableFormat::kJsonLines;
  while (read_row(row)) {
    const std::size_t cells = json ? row.values.size() : row.cells.size();
    if (cells == state_->columns.size()) return true;
    if (!state_->options.skip_uneven) {
      const char* advice = state_->format == TableFormat::kCsv ? "; put a cell that contains commas in quotation marks"
                                                               : "; a cell cannot hold a tab";
      throw DataError(where(row) + ": must have " + std::to_string(state_->columns.size()) +
                      " cells, as the first line has, got " + std::to_string(cells) + advice);
    }
    ++state_->skipped;
  }
  return false;
}

// ------------------------------------------------------------------------------------------------------------- columns

std::string TableReader::column_names() const {
  const std::vector<std::string>& columns = state_->columns;
  if (columns.empty()) return "none";
  return joined_first(columns, 12, [](const std::string& name) { return in_quotes(name, 40); });
}

std::optional<std::size_t> TableReader::find(std::string_view name) const {
  const std::vector<std::string>& columns = state_->columns;
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

std::size_t TableReader::column(std::string_view wanted) const {
  const std::vector<std::string>& columns = state_->columns;
  const std::string file = escape_for_terminal(name());
  if (std::count(columns.begin(), columns.end(), wanted) > 1) {
    throw DataError(file + ": two columns are named " + in_quotes(wanted) +
                    "; give the column's number, counted from 1");
  }
  if (const std::optional<std::size_t> found = find(wanted)) return *found;
  std::size_t number = 0;
  const auto [rest, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
  if (error == std::errc() && rest == wanted.data() + wanted.size()) {
    if (number >= 1 && number <= columns.size()) return number - 1;
    throw DataError(file + ": a column's number must be from 1 to " + std::to_string(columns.size()) + ", got " +
                    std::string(wanted) + "; the columns are " + column_names());
  }
  throw DataError(file + ": there is no column " + in_quotes(wanted) + ", the columns are " + column_names() +
                  did_you_mean(wanted, columns));
}

// --------------------------------------------------------------------------------------------------------------- cells

static bool is_plain(const Json& value) { return value.is_string() || value.is_number() || value.is_boolean(); }

static std::string plain_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::optional<std::string> TableReader::text(const TableRow& row, std::size_t column) const {
  if (state_->format != TableFormat::kJsonLines) return row.cells[column];
  const Json& value = row.values[column];
  if (value.is_null()) return std::nullopt;
  if (!is_plain(value)) {
    throw DataError(where(row) + ": " + in_quotes(columns()[column]) + " must be a text or a number, got " +
                    describe(value));
  }
  return plain_text(value);
}

std::string TableReader::required_text(const TableRow& row, std::size_t column) const {
  std::optional<std::string> found = text(row, column);
  if (!found) throw DataError(where(row) + ": " + in_quotes(columns()[column]) + " is missing");
  return *std::move(found);
}

std::vector<std::string> TableReader::list(const TableRow& row, std::size_t column, char separator) const {
  std::vector<std::string> items;
  if (state_->format == TableFormat::kJsonLines && row.values[column].is_array()) {
    for (const Json& item : row.values[column]) {
      if (!is_plain(item)) {
        throw DataError(where(row) + ": " + in_quotes(columns()[column]) + " must hold only texts or numbers, got " +
                        describe(item));
      }
      items.push_back(plain_text(item));
    }
    return items;
  }
  const std::string text = required_text(row, column);
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    const std::string_view item = trimmed(std::string_view(text).substr(begin, end - begin));
    if (!item.empty()) items.emplace_back(item);
    begin = end + 1;
  }
  return items;
}

}  // namespace rapt
