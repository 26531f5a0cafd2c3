// Questions whose answers are parts of a text: SQuAD's JSON, versions 1.1 and 2.0 (Rajpurkar, Zhang, Lopyrev, Liang
// 2016, arXiv 1606.05250; Rajpurkar, Jia, Liang 2018, arXiv 1806.03822).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/corpus/input.h"

namespace rapt {

struct QaAnswer {
  std::string text;
  std::optional<std::size_t> begin;  ///< byte offset in the context; nothing if the file does not give it
};

struct QaQuestion {
  std::string id;
  std::string question;
  std::size_t context = 0;        ///< index into QaData::contexts
  std::vector<QaAnswer> answers;  ///< the annotators' answers; empty: no answer in the context, or not given
};

struct QaData {
  std::vector<std::string> contexts;
  std::vector<QaQuestion> questions;
  bool may_be_unanswerable = false;  ///< version 2: some questions have no answer, and "no answer" is then correct
};

/// Reads a whole file, at most 1 GiB of JSON (decompressed, if it is gzip).
///
///     {"version": "1.1", "data": [{"title": ..., "paragraphs": [{"context": ...,
///         "qas": [{"id": ..., "question": ..., "answers": [{"text": ..., "answer_start": 159}], "is_impossible":
///         false}]
///     }]}]}
///
/// Also reads a list of questions as Hugging Face's scripts use it, in which each has its own context and "answers" is
/// {"text": [...], "answer_start": [...]}: under "data", as an array, or one object per line.
///
/// "answer_start" counts characters, as in the official files. A question with "is_impossible" has no answers
/// ("plausible_answers" are ignored). A file has version 2 if its "version" starts with "v2" or 2, if it has
/// "is_impossible" anywhere, or if a list has both questions with and without answers.
///
/// \param answers  false: for prediction; answers are ignored
/// \throws DataError  naming the place in the file: a missing field or one of the wrong type; an answer that is not at
///                    its "answer_start"; a duplicate id; not JSON
/// \throws UndecidedError  for data of another kind: a table, tagged words
QaData read_squad(const Input& input, bool answers = true);

}  // namespace rapt
