// Sentences of words with tags: CoNLL's columns, WNUT's, and JSON lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/corpus/input.h"
#include "text/labelled/texts.h"

namespace rapt {

/// Limits of a sentence, so that a file without empty lines does not fill the memory.
inline constexpr std::size_t kMostWordsInSentence = 100'000;

/// The form of a file of tagged sentences.
enum class TagForm {
  kColumns,  ///< one word per line
  kJson,     ///< records with arrays of words and tags
  kTexts,    ///< one text per line, or a table of texts, without tags
};

struct TagOptions {
  std::optional<TagForm> form = {};  ///< detected unless set
  /// The columns of the word and of the tag, from 1; -1 is the last, -2 the one before. Only for columns.
  int word_column = 1, tag_column = -1;
  bool tags_required = true;  ///< false: files without tags are accepted
  /// For prediction: how to split a text that is not split into words. Not set: such texts are rejected.
  std::function<std::vector<std::string>(std::string_view text)> cut = {};
  std::vector<std::string> tags = {};  ///< tags of the model, by which columns are recognised
  LabelledTextOptions texts = {};      ///< how a table of texts is read
};

struct TaggedSentence {
  std::int64_t line = 0;  ///< number of the line with its first word
  std::vector<std::string> words;
  std::vector<std::string> tags;  ///< one per word, or none at all
  LabelledText text;              ///< for kTexts: the text that was split
};

/// Reads sentences one by one.
///
/// Columns: one word per line, its tag in the last column, an empty line between sentences. Columns are separated by
/// tabs if the line has one, otherwise by spaces. Lines that start with -DOCSTART- are skipped, as in CoNLL-2003's
/// readers.
///
/// JSON (a file named .jsonl, .ndjson or .json, or one that starts like JSON): one object per sentence, with "tokens"
/// or "words", and "tags", "ner_tags", "ner" or "labels": arrays of equal length.
///
/// Texts, for prediction: anything else, such as one sentence per line.
class TagReader final {
 public:
  /// \throws DataError       as TextReader
  /// \throws UndecidedError  if tags are required, and the file holds a table of texts, or prose
  explicit TagReader(Input input, TagOptions options = {});
  TagReader(TagReader&&) noexcept;
  TagReader& operator=(TagReader&&) noexcept;
  ~TagReader();

  /// The next sentence, which has at least one word; false after the last.
  /// \throws DataError  with file and line: a missing tag if tags are required, a column that the line does not have,
  ///                    words with and without tags in one sentence, a sentence of more than 100,000 words; as
  ///                    TableReader
  bool next(TaggedSentence& sentence);
  bool would_wait() const;
  /// The names of LabelledText::others; empty if sentences are not split from texts.
  std::vector<std::string> other_columns() const;

  /// "data/a.conll: line 7": the start of messages about a sentence.
  std::string where(const TaggedSentence& sentence) const;

 private:
  struct State;

  bool next_of_columns(TaggedSentence& sentence);
  bool next_of_json_lines(TaggedSentence& sentence);
  bool next_of_texts(TaggedSentence& sentence);
  void open_json(Input input);
  void add_word(const std::string& line, TaggedSentence& sentence);

  std::unique_ptr<State> state_;
};

}  // namespace rapt
