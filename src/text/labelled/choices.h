// Multiple choice: a context, several continuations, and which one is correct. SWAG (Zellers, Bisk, Schwartz, Choi
// 2018), the ROCStories cloze test (Mostafazadeh et al. 2016) and a plain form in JSON lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/corpus/table.h"

namespace rapt {

struct ChoiceExample {
  std::int64_t line = 0;
  std::string context;
  std::vector<std::string> choices;   ///< two or more
  std::optional<std::int32_t> label;  ///< index of the correct one
};

struct ChoiceOptions {
  std::optional<TableFormat> format = {};  ///< as table_format_of, unless set
  bool labels_required = true;
};

/// Reads examples one by one. The columns determine the form of the file:
///
///   SWAG     sent1, sent2, ending0, ending1, ..., label (from 0): the context is sent1, a choice sent2 and an ending
///            with a space between them, as in the reference code
///   ROC      InputSentence1 to InputSentence4, RandomFifthSentenceQuiz1 and 2, AnswerRightEnding (from 1): the context
///            is the four sentences with spaces between them
///   plain    JSON lines with "context" or "question", "choices" (an array of texts) and "label" (from 0)
class ChoiceReader final {
 public:
  static constexpr std::size_t kMostChoices = 1'000;

  /// \throws DataError  for columns of none of these forms; and as TableReader
  explicit ChoiceReader(Input input, ChoiceOptions options = {});

  /// \throws DataError  with file and line: fewer than two choices, or a label that is missing or out of range
  bool next(ChoiceExample& example);

  const TableReader& table() const { return table_; }

 private:
  void read_label(const TableRow& row, ChoiceExample& example) const;

  TableReader table_;
  bool labels_required_;
  std::vector<std::size_t> context_;        // columns that form the context
  std::optional<std::size_t> beginning_;    // column with which each choice starts
  std::vector<std::size_t> choices_;        // one column per choice ...
  std::optional<std::size_t> choice_list_;  // ... or one with an array
  std::optional<std::size_t> label_;
  std::int32_t first_label_ = 0;  // the number of the first choice
};

}  // namespace rapt
