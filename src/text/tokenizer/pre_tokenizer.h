// How normalised text is cut into words, which the model then cuts into tokens one by one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.h"

namespace rapt {

/// Words that are not parts of the text they come from: some of their bytes were put in.
struct WordList {
  struct Source {
    std::size_t begin = 0, end = 0;  ///< in the text, bytes
    /// Whether the word is these bytes with others before them, so that its ends are theirs; else only the whole word's
    /// place is known.
    bool aligned = true;
  };
  struct Word {
    std::size_t begin = 0, end = 0;  ///< in `bytes`
    Source source = {};
  };

  std::string_view text(const Word& word) const {
    return std::string_view(bytes).substr(word.begin, word.end - word.begin);
  }
  /// Where a word's bytes from `begin` up to `end` are from, if the word of that size is from `source`.
  static Source source_of(const Source& source, std::size_t word_size, std::size_t begin, std::size_t end);
  void clear() {
    bytes.clear();
    words.clear();
  }

  std::string bytes;
  std::vector<Word> words;
};

/// Cuts text into words. Immutable; safe to use from many threads.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;

  /// Takes the first word off `rest` and gives it, as a part of it; an empty one when no word is left. Not for one that
  /// rewrites.
  virtual std::string_view next_word(std::string_view& rest) const = 0;

  /// Whether words are not parts of the text, so that append_words() gives them.
  virtual bool rewrites() const { return false; }

  /// Adds the text's words. \param begins_text  whether nothing stands in front of this text
  virtual void append_words(std::string_view text, bool begins_text, WordList& list) const;

  /// Whether the model sees the bytes of a word (in the alphabet of byte_alphabet.h) instead of its characters.
  virtual bool byte_level() const { return false; }

  /// Whether a text that does not begin with a space is given one.
  virtual bool adds_prefix_space() const { return false; }

  /// Whether words never reach across ASCII white space, so that text may be cut in front of it. False for one that
  /// takes a text as a single word.
  virtual bool cuts_at_spaces() const = 0;

  /// The ASCII white space in front of which text may then be cut.
  virtual std::string_view spaces_to_cut_at() const { return adds_prefix_space() ? " " : " \t\r\n"; }

  /// As it stands in tokenizer.json.
  virtual Json to_json() const = 0;
};

/// Reads the `pre_tokenizer` of a tokenizer.json: ByteLevel, BertPreTokenizer, Whitespace, WhitespaceSplit, Metaspace
/// or a Sequence of them; for null, each text is one word. \throws DataError  another type, or a field of the wrong
/// kind
std::unique_ptr<PreTokenizer> pre_tokenizer_from_json(const Json& json, const std::string& name);

/// Places where a text may be cut into parts that are normalised and cut into words one by one, about `bytes` apart: in
/// front of one of `spaces` (some of space, tab, newline, carriage return), behind something that is not white space.
/// Other white space will not do, because BERT's cleaning drops some of it and joins the words beside it.
std::vector<std::size_t> cuts_before_spaces(std::string_view text, std::size_t bytes, std::string_view spaces);

bool has_white_space(std::string_view text);

}  // namespace rapt
