#include "text/pairs/pair_reader.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "io/escape.h"
#include "io/joined.h"
#include "tensor/error.h"
#include "text/corpus/json_records.h"
#include "text/corpus/line_reader.h"
#include "text/corpus/table.h"
#include "text/labelled/undecided_error.h"

namespace rapt {
namespace {

using Names = std::pair<std::string, std::string>;

// Common names of the two columns.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kUsualNames = {{{"source", "target"},
                                                                                        {"src", "tgt"},
                                                                                        {"input", "output"},
                                                                                        {"document", "summary"},
                                                                                        {"article", "highlights"},
                                                                                        {"article", "summary"},
                                                                                        {"dialogue", "summary"},
                                                                                        {"text", "summary"},
                                                                                        {"body", "summary"},
                                                                                        {"body", "subject"},
                                                                                        {"text", "title"}}};

// The names of the first pair of columns that has a common name, in any case.
std::optional<Names> usual_names(const std::vector<std::string>& columns) {
  const auto find = [&](std::string_view name) {
    return std::ranges::find_if(columns, [&](const std::string& column) { return lower_case(column) == name; });
  };
  for (const auto& [source, target] : kUsualNames) {
    const auto first = find(source), second = find(target);
    if (first != columns.end() && second != columns.end()) return Names{*first, *second};
  }
  return std::nullopt;
}

std::string quoted_names(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  return joined_first(names, 12, [](const std::string& name) { return in_quotes(name, 40); });
}

// --------------------------------------------------------------------------------------------------------- two files

class AlignedFiles final : public PairReader {
 public:
  AlignedFiles(Input source, Input target) : source_(std::move(source)), target_(std::move(target)) {}

  bool next(Pair& pair) override {
    const bool has_source = source_.next(pair.source), has_target = target_.next(pair.target);
    if (has_source != has_target) refuse();
    pair.line = source_.line();
    return has_source;
  }
  std::string where(const Pair& pair) const override { return source_.where(pair.line); }
  bool would_wait() const override { return source_.would_wait() || target_.would_wait(); }
  std::pair<std::string, std::string> digests() const override {
    return {source_.bytes().digest(), target_.bytes().digest()};
  }

 private:
  [[noreturn]] void refuse() {
    std::string line;
    for (LineReader* reader : {&source_, &target_}) {
      while (reader->next(line)) continue;
    }
    throw DataError(escape_for_terminal(source_.name()) + " and " + escape_for_terminal(target_.name()) +
                    ": must have equally many lines, got " + std::to_string(source_.line()) + " and " +
                    std::to_string(target_.line()) + "; line n of one must be the translation of line n of the other");
  }

  LineReader source_, target_;
};

// ------------------------------------------------------------------------------------------------------------- a table

class TableOfPairs final : public PairReader {
 public:
  TableOfPairs(const Input& input, TableFormat format, const PairColumns& columns)
      : table_(input, {.format = format, .header = has_header(input, format, columns)}) {
    Names names{columns.source, columns.target};
    if (names.first.empty()) names = usual_names(table_.columns()).value_or(Names{"1", "2"});
    if (columns.source.empty() && table_.columns().size() < 2) {
      throw DataError(escape_for_terminal(table_.name()) +
                      ": must have two columns, a source and a target, got one; put a tab between them, or give two "
                      "files with --source and --target");
    }
    source_ = table_.column(names.first);
    target_ = table_.column(names.second);
  }

  bool next(Pair& pair) override {
    if (!table_.next(row_)) return false;
    pair.source = table_.required_text(row_, source_);
    pair.target = table_.required_text(row_, target_);
    pair.line = row_.line;
    return true;
  }
  std::string where(const Pair& pair) const override {
    return table_.where({.line = pair.line, .cells = {}, .values = {}});
  }
  bool would_wait() const override { return table_.would_wait(); }
  std::pair<std::string, std::string> digests() const override { return {table_.digest(), ""}; }

 private:
  static bool is_number(const std::string& name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  }

  // Names are those of a header.
  static bool has_header(const Input& input, TableFormat format, const PairColumns& columns) {
    if (columns.header) return *columns.header;
    if (!columns.source.empty()) return !is_number(columns.source) || !is_number(columns.target);
    const TableReader first(input, {.format = format, .header = true});
    return usual_names(first.columns()).has_value();
  }

  TableReader table_;
  TableRow row_;
  std::size_t source_ = 0, target_ = 0;
};

// ---------------------------------------------------------------------------------------------------------------- JSON

class JsonPairs final : public PairReader {
 public:
  JsonPairs(Input input, const PairColumns& columns)
      : lines_(std::move(input)), names_{columns.source, columns.target} {}

  bool next(Pair& pair) override {
    std::string record;
    if (!records_.next(lines_, record, pair.line)) return false;
    const Json object = parse_json_line(record, where(pair));
    if (!object.is_object()) throw DataError(where(pair) + ": must be a JSON object, got " + describe(object));
    if (names_.first.empty()) find_names(object);
    pair.source = text_of(object, names_.first, pair);
    pair.target = text_of(object, names_.second, pair);
    return true;
  }
  std::string where(const Pair& pair) const override { return lines_.where(pair.line); }
  bool would_wait() const override { return lines_.would_wait(); }
  std::pair<std::string, std::string> digests() const override { return {lines_.bytes().digest(), ""}; }

 private:
  static std::vector<std::string> fields_of(const Json& object) {
    std::vector<std::string> fields;
    for (const auto& item : object.items()) {
      if (!item.value().is_object()) {
        fields.push_back(item.key());
        continue;
      }
      for (const auto& inner : item.value().items()) fields.push_back(item.key() + "." + inner.key());
    }
    return fields;
  }

  void find_names(const Json& object) {
    const std::vector<std::string> fields = fields_of(object);
    const std::optional<Names> usual = usual_names(fields);
    if (usual) {
      names_ = *usual;
      return;
    }
    const std::string first = fields.empty() ? "NAME" : for_shell(fields[0]);
    const std::string second = fields.size() < 2 ? "NAME" : for_shell(fields[1]);
    throw UndecidedError(escape_for_terminal(lines_.name()) + ": cannot tell which fields hold source and target (" +
                             quoted_names(fields) + "); name them with --source-field and --target-field",
                         "--source-field " + first + " --target-field " + second);
  }

  // The field itself, one in "translation", or the end of a path; nullptr if there is none.
  static const Json* find(const Json& object, const std::string& name) {
    if (const auto found = object.find(name); found != object.end()) return &*found;
    const std::size_t dot = name.find('.');
    const auto outer = object.find(dot == std::string::npos ? "translation" : name.substr(0, dot));
    if (outer == object.end() || !outer->is_object()) return nullptr;
    if (dot != std::string::npos) return find(*outer, name.substr(dot + 1));
    const auto inner = outer->find(name);
    return inner == outer->end() ? nullptr : &*inner;
  }

  std::string text_of(const Json& object, const std::string& name, const Pair& pair) const {
    const Json* const value = find(object, name);
    if (value == nullptr) {
      throw DataError(where(pair) + ": must have a field " + in_quotes(name) + ", got " +
                      quoted_names(fields_of(object)) + "; name the fields with --source-field and --target-field");
    }
    if (!value->is_string()) {
      throw DataError(where(pair) + ": " + in_quotes(name) + " must be text, got " + describe(*value));
    }
    return value->get<std::string>();
  }

  LineReader lines_;
  JsonRecords records_;
  Names names_;
};

}  // namespace

std::unique_ptr<PairReader> read_aligned_files(Input source, Input target) {
  return std::make_unique<AlignedFiles>(std::move(source), std::move(target));
}

std::unique_ptr<PairReader> read_pair_table(Input input, const PairColumns& columns) {
  const TableFormat format = columns.format.value_or(table_format_of(input));
  if (format == TableFormat::kJsonLines) return std::make_unique<JsonPairs>(std::move(input), columns);
  // A table that is not named so may have one column in its first lines.
  const bool cells = format == TableFormat::kTsv || format == TableFormat::kCsv;
  return std::make_unique<TableOfPairs>(input, cells ? format : TableFormat::kTsv, columns);
}

}  // namespace rapt
