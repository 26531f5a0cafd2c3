// Splits normalised text into words. The model then splits each word into tokens.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.h"

namespace rapt {

/// Words that are not substrings of their text, because bytes were inserted.
struct WordList {
  struct Source {
    std::size_t begin = 0, end = 0;  ///< in the text, in bytes
    /// Whether the word is these bytes with others before them, so that their ends match. Otherwise only the position
    /// of the whole word is known.
    bool aligned = true;
  };
  struct Word {
    std::size_t begin = 0, end = 0;  ///< in `bytes`
    Source source = {};
  };

  std::string_view text(const Word& word) const {
    return std::string_view(bytes).substr(word.begin, word.end - word.begin);
  }
  /// The source of a word's bytes from `begin` to `end`, if the word of that size comes from `source`.
  static Source source_of(const Source& source, std::size_t word_size, std::size_t begin, std::size_t end);
  void clear() {
    bytes.clear();
    words.clear();
  }

  std::string bytes;
  std::vector<Word> words;
};

/// Splits text into words. Immutable; safe to use from many threads.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;

  /// Removes the first word from `rest` and returns it as a substring; empty if no word is left. Not for one that
  /// rewrites.
  virtual std::string_view next_word(std::string_view& rest) const = 0;

  /// Whether words are not substrings of the text, so that append_words() must be used.
  virtual bool rewrites() const { return false; }

  /// Appends the text's words. \param begins_text  whether nothing precedes this text
  virtual void append_words(std::string_view text, bool begins_text, WordList& list) const;

  /// Whether the model sees the bytes of a word (in the alphabet of byte_alphabet.h) instead of its characters.
  virtual bool byte_level() const { return false; }

  /// Whether a space is added to a text that does not start with one.
  virtual bool adds_prefix_space() const { return false; }

  /// Whether words never cross ASCII white space, so that text may be split before it. False for one that takes a text
  /// as a single word.
  virtual bool cuts_at_spaces() const = 0;

  /// The ASCII white space before which text may then be split.
  virtual std::string_view spaces_to_cut_at() const { return adds_prefix_space() ? " " : " \t\r\n"; }

  /// The form in tokenizer.json.
  virtual Json to_json() const = 0;
};

/// Reads the `pre_tokenizer` of a tokenizer.json: ByteLevel, BertPreTokenizer, Whitespace, WhitespaceSplit, Metaspace
/// or a Sequence of them. For null, each text is one word.
///
/// \throws DataError  for another type, or a field of the wrong kind
std::unique_ptr<PreTokenizer> pre_tokenizer_from_json(const Json& json, const std::string& name);

/// Positions where a text may be split into parts that are normalised and split into words separately, about `bytes`
/// apart: before one of `spaces` (some of space, tab, newline, carriage return) that follows something else than white
/// space. Other white space does not qualify, because BERT's cleaning drops some of it and joins the words on both
/// sides.
std::vector<std::size_t> cuts_before_spaces(std::string_view text, std::size_t bytes, std::string_view spaces);

bool has_white_space(std::string_view text);

}  // namespace rapt
