#include "text/labelled/tags.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/corpus/line_reader.h"
#include "text/corpus/table.h"
#include "text/labelled/tag_form.h"

namespace rapt {

struct TagReader::State {
  TagOptions options;
  std::optional<LineReader> lines;   // of columns
  std::optional<TableReader> table;  // of JSON lines
  std::optional<LabelledTextReader> texts;
  std::size_t words = 0, tags = 0;  // its columns
  bool has_tags = false;
};

TagReader::TagReader(TagReader&&) noexcept = default;
TagReader& TagReader::operator=(TagReader&&) noexcept = default;
TagReader::~TagReader() = default;

static std::optional<std::size_t> first_of(const TableReader& table, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const std::optional<std::size_t> found = table.find(name)) return found;
  }
  return std::nullopt;
}

TagReader::TagReader(Input input, TagOptions options) : state_(std::make_unique<State>()) {
  const TagForm form = options.form ? *options.form : tag_form_of(input, options);
  state_->options = std::move(options);
  switch (form) {
    case TagForm::kColumns:
      state_->lines.emplace(std::move(input));
      break;
    case TagForm::kJson:
      open_json(std::move(input));
      break;
    case TagForm::kTexts:
      state_->texts.emplace(std::move(input), state_->options.texts);
      break;
  }
}

void TagReader::open_json(Input input) {
  state_->table.emplace(std::move(input), TableOptions{.format = TableFormat::kJsonLines});
  const TableReader& table = *state_->table;
  const std::string name = escape_for_terminal(table.name());
  const std::optional<std::size_t> words = first_of(table, {"tokens", "words"});
  const std::optional<std::size_t> tags = first_of(table, {"tags", "ner_tags", "ner", "labels"});
  if (!words) throw DataError(name + R"(: an object must have its words in "tokens" or "words", got neither)");
  if (!tags && state_->options.tags_required) {
    throw DataError(name + R"(: an object must have its tags in "tags", "ner_tags", "ner" or "labels", got none)");
  }
  state_->words = *words;
  state_->has_tags = tags.has_value();
  state_->tags = tags.value_or(0);
}

bool TagReader::would_wait() const {
  if (state_->lines) return state_->lines->would_wait();
  return state_->table ? state_->table->would_wait() : state_->texts->would_wait();
}

std::vector<std::string> TagReader::other_columns() const {
  return state_->texts ? state_->texts->other_columns() : std::vector<std::string>{};
}

std::string TagReader::where(const TaggedSentence& sentence) const {
  if (state_->lines) return state_->lines->where(sentence.line);
  if (state_->texts) return state_->texts->where(sentence.text);
  TableRow row;
  row.line = sentence.line;
  return state_->table->where(row);
}

bool TagReader::next(TaggedSentence& sentence) {
  sentence = {};
  if (state_->texts) return next_of_texts(sentence);
  return state_->lines ? next_of_columns(sentence) : next_of_json_lines(sentence);
}

bool TagReader::next_of_texts(TaggedSentence& sentence) {
  do {
    if (!state_->texts->next(sentence.text)) return false;
    sentence.words = state_->options.cut(sentence.text.text);
  } while (sentence.words.empty());
  sentence.line = sentence.text.line;
  return true;
}

// ------------------------------------------------------------------------------------------------------------- columns

static constexpr std::size_t kMostColumns = 1'000;

static std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> cells;
  const char separator = line.find('\t') == std::string_view::npos ? ' ' : '\t';
  while (true) {
    // Several spaces may align the columns; between two tabs there is one cell.
    if (separator == ' ') line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (separator == ' ' && line.empty()) return cells;
    const std::size_t end = line.find(separator);
    cells.push_back(line.substr(0, end));
    if (end == std::string_view::npos || cells.size() > kMostColumns) return cells;
    line.remove_prefix(end + 1);
  }
}

// The cell in column `number` (from 1, or from the end); empty if there is none.
static std::string_view cell(const std::vector<std::string_view>& cells, int number) {
  const auto count = static_cast<std::int64_t>(cells.size());
  const std::int64_t index = number > 0 ? number - 1 : count + number;
  if (number == 0 || index < 0 || index >= count) return {};
  return cells[static_cast<std::size_t>(index)];
}

void TagReader::add_word(const std::string& line, TaggedSentence& sentence) {
  const std::vector<std::string_view> cells = split(line);
  const auto where = [&] { return state_->lines->where(); };
  if (cells.size() > kMostColumns) throw DataError(where() + ": must have at most 1000 columns, got more");
  const TagOptions& options = state_->options;
  const std::string_view word = cell(cells, options.word_column);
  std::string_view tag = cell(cells, options.tag_column);
  if (tag.data() == word.data()) tag = {};  // a single column is the word
  if (word.empty()) throw DataError(where() + ": must have a word, got " + in_quotes(line, 40));
  const bool has_tag = !tag.empty();
  if (!has_tag && options.tags_required) {
    throw DataError(where() + ": must have a word and a tag, got " + in_quotes(line, 40));
  }
  if (!sentence.words.empty() && has_tag == sentence.tags.empty()) {
    throw DataError(where() + ": either all words of a sentence must have tags or none, got " + in_quotes(line, 40));
  }
  if (sentence.words.size() >= kMostWordsInSentence) {
    throw DataError(where() + ": a sentence must have at most 100000 words, got more; an empty line ends a sentence");
  }
  if (sentence.words.empty()) sentence.line = state_->lines->line();
  sentence.words.emplace_back(word);
  if (has_tag) sentence.tags.emplace_back(tag);
}

bool TagReader::next_of_columns(TaggedSentence& sentence) {
  std::string line;
  while (state_->lines->next(line)) {
    if (trimmed(line).empty()) {
      if (!sentence.words.empty()) return true;
    } else if (!line.starts_with("-DOCSTART-")) {
      add_word(line, sentence);
    }
  }
  return !sentence.words.empty();
}

// ---------------------------------------------------------------------------------------------------------- JSON lines

bool TagReader::next_of_json_lines(TaggedSentence& sentence) {
  TableReader& table = *state_->table;
  TableRow row;
  do {
    if (!table.next(row)) return false;
    if (!row.values[state_->words].is_array()) {
      throw DataError(table.where(row) + ": " + in_quotes(table.columns()[state_->words]) +
                      " must be an array of words, got " + describe(row.values[state_->words]));
    }
    sentence.words = table.list(row, state_->words, ' ');
  } while (sentence.words.empty());
  sentence.line = row.line;
  if (sentence.words.size() > kMostWordsInSentence) {
    throw DataError(table.where(row) + ": a sentence must have at most 100000 words, got " +
                    std::to_string(sentence.words.size()));
  }
  const bool absent = !state_->has_tags || row.values[state_->tags].is_null();
  if (absent && !state_->options.tags_required) return true;
  sentence.tags = table.list(row, state_->tags, ' ');
  if (sentence.tags.size() != sentence.words.size()) {
    throw DataError(table.where(row) + ": there must be a tag for each of the " +
                    std::to_string(sentence.words.size()) + " words, got " + std::to_string(sentence.tags.size()));
  }
  return true;
}

}  // namespace rapt
