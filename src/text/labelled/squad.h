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
  std::optional<std::size_t> begin;  ///< byte of the context at which it stands; nothing if the file does not say
};

struct QaQuestion {
  std::string id;
  std::string question;
  std::size_t context = 0;        ///< index into QaData::contexts
  std::vector<QaAnswer> answers;  ///< what annotators gave; empty: it has no answer in the context, or none is told
};

struct QaData {
  std::vector<std::string> contexts;
  std::vector<QaQuestion> questions;
  bool may_be_unanswerable = false;  ///< version 2: some questions have no answer, and saying so is right
};

/// Reads a whole file, at most 1 GiB of JSON (unpacked, if it is gzip).
///
///     {"version": "1.1", "data": [{"title": ..., "paragraphs": [{"context": ...,
///         "qas": [{"id": ..., "question": ..., "answers": [{"text": ..., "answer_start": 159}], "is_impossible":
///         false}]
///     }]}]}
///
/// Also a list of questions as Hugging Face's scripts take it, where each has its context and "answers" is
/// {"text": [...], "answer_start": [...]}: under "data", as an array, or one object a line.
///
/// "answer_start" counts characters, as in the official files. A question with "is_impossible" has no answers
/// ("plausible_answers" are not looked at). A file is of version 2 if its "version" begins with "v2" or 2, or if it has
/// "is_impossible" anywhere, or if a list has a question without answers beside others that have some.
///
/// \param answers  false: to predict; what they are is not looked at
/// \throws DataError  naming the place in the file: what is missing or of the wrong kind; an answer that does not stand
///                    where "answer_start" says; an id that two questions have; not JSON
/// \throws UndecidedError  data of another kind: a table, tagged words
QaData read_squad(const Input& input, bool answers = true);

}  // namespace rapt
