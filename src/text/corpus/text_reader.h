// A stream of bytes as a stream of text: UTF-8 checked, byte-order mark dropped, line ends made "\n".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/corpus/input.h"

namespace rapt {

/// Reads one input as text, in bounded memory. A byte-order mark at its beginning is dropped, and "\r\n" becomes "\n",
/// as editors and Python's text files have it; a lone "\r" stays.
class TextReader final {
 public:
  explicit TextReader(Input input) : bytes_(std::move(input)) {}

  /// Adds the next piece, some hundred kilobytes of whole characters, to `text`; false at the end.
  /// \throws DataError  bytes that are not UTF-8, named with their offset in the file (in what a gzip file unpacks to);
  ///                    a file that is known to be no text (UTF-16, an archive, a PDF ...); gzip data that are damaged
  bool read(std::string& text);

  /// Whether read() would have to wait for standard input.
  bool would_wait() const { return bytes_.would_wait(); }

  /// "data/a.txt", "data/a.txt.gz (unpacked)": how messages call the text.
  std::string name() const;

 private:
  void check_kind() const;
  void drop_carriage_returns();

  ByteReader bytes_;
  std::string block_;         // read and not yet given away
  std::uint64_t offset_ = 0;  // of block_ in the stream
  bool at_start_ = true, at_end_ = false;
};

/// What a file that begins with these bytes is, if it is known to be no text: "a zip archive", "a PNG image"; else
/// empty.
std::string_view known_binary(std::string_view beginning);

}  // namespace rapt
