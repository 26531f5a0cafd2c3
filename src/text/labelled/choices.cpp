#include "text/labelled/choices.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/corpus/data_kind.h"
#include "text/labelled/undecided_error.h"

namespace rapt {

// Data that was made for another task.
static Input checked(Input input) {
  if (input.is_live()) return input;
  const DataKind kind = data_kind_of(input);
  if (kind != DataKind::kTags && kind != DataKind::kQuestions) return input;
  const std::string task = "--task " + std::string(task_for(kind));
  throw UndecidedError(escape_for_terminal(input.name()) + ": must be questions with choices, got " +
                           std::string(name_of(kind)) + "; use " + task,
                       task);
}

ChoiceReader::ChoiceReader(Input input, ChoiceOptions options)
    : table_(checked(std::move(input)), TableOptions{.format = options.format}),
      labels_required_(options.labels_required) {
  const auto take = [&](std::string_view name, std::vector<std::size_t>& columns) {
    const std::optional<std::size_t> found = table_.find(name);
    if (found) columns.push_back(*found);
    return found.has_value();
  };
  std::string_view label = "label";
  if (take("sent1", context_)) {
    beginning_ = table_.find("sent2");
    for (std::size_t i = 0; i < kMostChoices && take("ending" + std::to_string(i), choices_); ++i) continue;
  } else if (take("InputSentence1", context_)) {
    for (const char* name : {"InputSentence2", "InputSentence3", "InputSentence4"}) take(name, context_);
    for (const char* name : {"RandomFifthSentenceQuiz1", "RandomFifthSentenceQuiz2"}) take(name, choices_);
    label = "AnswerRightEnding";
    first_label_ = 1;
  } else if (take("context", context_) || take("question", context_)) {
    choice_list_ = table_.find("choices");
  }
  label_ = table_.find(label);
  if (context_.empty() || (choices_.size() < 2 && !choice_list_)) {
    throw DataError(
        escape_for_terminal(table_.name()) +
        ": must have SWAG's columns (sent1, sent2, ending0, ending1 ...), ROCStories' (InputSentence1 to 4, "
        "RandomFifthSentenceQuiz1 and 2), or context and choices, got others");
  }
  if (!label_ && labels_required_) {
    throw DataError(escape_for_terminal(table_.name()) + ": must have the correct choice in column " +
                    in_quotes(label) + ", got no such column");
  }
}

void ChoiceReader::read_label(const TableRow& row, ChoiceExample& example) const {
  if (!label_) return;
  const std::optional<std::string> cell = table_.text(row, *label_);
  const std::string text(trimmed(cell.value_or("")));
  const auto last = first_label_ + static_cast<std::int32_t>(example.choices.size()) - 1;
  std::int32_t number = -1;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size() || number < first_label_ || number > last) {
    if (!labels_required_) return;  // a test set without answers, for example
    throw DataError(table_.where(row) + ": " + in_quotes(table_.columns()[*label_]) +
                    " must be a choice's number from " + std::to_string(first_label_) + " to " + std::to_string(last) +
                    ", got " + (text.empty() ? "nothing" : in_quotes(text)));
  }
  example.label = number - first_label_;
}

bool ChoiceReader::next(ChoiceExample& example) {
  TableRow row;
  if (!table_.next(row)) return false;
  example = {};
  example.line = row.line;
  for (const std::size_t column : context_) {
    if (!example.context.empty()) example.context += ' ';
    example.context += table_.required_text(row, column);
  }
  if (choice_list_) {
    if (!(table_.format() == TableFormat::kJsonLines && row.values[*choice_list_].is_array())) {
      throw DataError(table_.where(row) + R"(: "choices" must be an array of texts, which JSON lines can hold)");
    }
    example.choices = table_.list(row, *choice_list_, ',');
  }
  const std::string beginning = beginning_ ? table_.required_text(row, *beginning_) + ' ' : "";
  for (const std::size_t column : choices_) example.choices.push_back(beginning + table_.required_text(row, column));
  if (example.choices.size() < 2 || example.choices.size() > kMostChoices) {
    throw DataError(table_.where(row) + ": there must be 2 to 1000 choices, got " +
                    std::to_string(example.choices.size()));
  }
  read_label(row, example);
  return true;
}

}  // namespace rapt
