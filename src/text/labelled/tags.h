// Sentences of words with a tag each: CoNLL's columns, WNUT's, and JSON lines.
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

/// What is bounded in a sentence, so that a file without empty lines does not fill the memory.
inline constexpr std::size_t kMostWordsInSentence = 100'000;

/// What a file of tagged sentences is.
enum class TagForm {
  kColumns,  ///< a word a line
  kJson,     ///< records with arrays of words and tags
  kTexts,    ///< a text a line, or a table of texts, which has no tags
};

struct TagOptions {
  std::optional<TagForm> form = {};  ///< as it looks unless set
  /// Which column has the word and which the tag, from 1; -1 is the last, -2 the one before. Of columns only.
  int word_column = 1, tag_column = -1;
  bool tags_required = true;  ///< false: a file of words alone is fine
  /// To predict: how a text that nobody has cut into words is cut. Not set: texts are refused.
  std::function<std::vector<std::string>(std::string_view text)> cut = {};
  std::vector<std::string> tags = {};  ///< that the model knows, by which columns are recognised
  LabelledTextOptions texts = {};      ///< how a table of texts is read
};

struct TaggedSentence {
  std::int64_t line = 0;  ///< of its first word
  std::vector<std::string> words;
  std::vector<std::string> tags;  ///< one for each word, or none at all
  LabelledText text;              ///< of kTexts: what was cut
};

/// Reads sentences one by one.
///
/// Columns: a word a line, its tag in the last column, a line without anything between sentences. Columns stand between
/// tabs where the line has one, else between spaces. Lines that begin with -DOCSTART- are left out, as CoNLL-2003's
/// readers do.
///
/// JSON (a file named .jsonl, .ndjson or .json, or one that begins so): an object a sentence, with "tokens" or "words",
/// and "tags", "ner_tags", "ner" or "labels": arrays of equal length.
///
/// Texts, to predict: what is neither, such as sentences a line each.
class TagReader final {
 public:
  /// \throws DataError       as TextReader
  /// \throws UndecidedError  tags are required, and the file holds a table of texts, or prose
  explicit TagReader(Input input, TagOptions options = {});
  TagReader(TagReader&&) noexcept;
  TagReader& operator=(TagReader&&) noexcept;
  ~TagReader();

  /// The next sentence, which has at least one word; false after the last.
  /// \throws DataError  with file and line: no tag where one is required, a column that the line does not have, words
  ///                    with and without tags in one sentence, a sentence of more than 100,000 words; as TableReader
  bool next(TaggedSentence& sentence);
  bool would_wait() const;
  /// The names of LabelledText::others; empty where sentences are not cut from texts.
  std::vector<std::string> other_columns() const;

  /// "data/a.conll: line 7": how messages about a sentence begin.
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
