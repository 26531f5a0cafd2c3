// Turns a stream of bytes into a stream of text: checks UTF-8, removes the byte-order mark, and converts line ends to
// "\n".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/corpus/input.h"

namespace rapt {

/// Reads one input as text, in bounded memory. A byte-order mark at the beginning is removed, and "\r\n" becomes "\n",
/// as in editors and Python's text files; a lone "\r" is kept.
class TextReader final {
 public:
  explicit TextReader(Input input) : bytes_(std::move(input)) {}

  /// Appends the next piece, at most some hundred kilobytes of whole characters, to `text`; false at the end. What
  /// precedes bytes that are not UTF-8 is given before they are an error. \throws DataError  for bytes that are not
  /// UTF-8, with their offset in the (decompressed) file; for a known binary
  ///                    format (UTF-16, an archive, a PDF ...); for damaged gzip data
  bool read(std::string& text);

  /// Whether read() would block on standard input.
  bool would_wait() const { return bytes_.would_wait(); }

  /// "data/a.txt", "data/a.txt.gz (unpacked)": the name of the text in messages.
  std::string name() const;
  /// Digest of the bytes read so far: see ByteReader::digest.
  const ByteReader& bytes() const { return bytes_; }

 private:
  void check_kind() const;
  void drop_carriage_returns();

  ByteReader bytes_;
  std::string block_;         // read and not yet returned
  std::uint64_t offset_ = 0;  // of block_ in the stream
  bool at_start_ = true, at_end_ = false;
};

/// The format of a file that starts with these bytes, if it is known not to be text: "a zip archive", "a PNG image";
/// else empty.
std::string_view known_binary(std::string_view beginning);

}  // namespace rapt
