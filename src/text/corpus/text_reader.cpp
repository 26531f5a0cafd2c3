#include "text/corpus/text_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/utf8.h"

namespace rapt {

using namespace std::string_view_literals;

struct Known {
  std::string_view magic, name;
};
static constexpr std::array<Known, 16> kKnown = {{
    {"\xFF\xFE"sv, "UTF-16 text"},
    {"\xFE\xFF"sv, "UTF-16 text"},
    {"PK\x03\x04"sv, "a zip archive (docx, epub and xlsx files are zip archives)"},
    {"%PDF-"sv, "a PDF document"},
    {"\x28\xB5\x2F\xFD"sv, "a zstd file"},
    {"BZh"sv, "a bzip2 file"},
    {"\xFD"
     "7zXZ"sv,
     "an xz file"},
    {"7z\xBC\xAF\x27\x1C"sv, "a 7z archive"},
    {"\x89HDF\r\n\x1A\n"sv, "an HDF5 file"},
    {"RAPTCKPT"sv, "a rapt checkpoint"},
    {"PAR1"sv, "a Parquet table"},
    {"\x89PNG"sv, "a PNG image"},
    {"\xFF\xD8\xFF"sv, "a JPEG image"},
    {"\x7F"
     "ELF"sv,
     "a program"},
    {"\xD0\xCF\x11\xE0"sv, "an old Office document"},
    {"SQLite format 3\0"sv, "an SQLite database"},
}};

std::string_view known_binary(std::string_view beginning) {
  for (const Known& known : kKnown) {
    if (beginning.starts_with(known.magic)) return known.name;
  }
  return {};
}

// Whether more bytes could make it one of those above, or a byte-order mark.
static bool may_be_binary(std::string_view beginning) {
  if (std::string_view("\xEF\xBB\xBF").starts_with(beginning)) return true;
  return std::ranges::any_of(kKnown, [&](const Known& known) {
    return known.magic.size() > beginning.size() && known.magic.starts_with(beginning);
  });
}

std::string TextReader::name() const { return bytes_.input().name() + (bytes_.unpacks() ? " (unpacked)" : ""); }

void TextReader::check_kind() const {
  const std::string_view kind = known_binary(block_);
  if (kind.empty()) return;
  std::string advice = "; convert it to a text file first";
  if (kind == "UTF-16 text") advice = "; convert it with: iconv -f UTF-16 -t UTF-8";
  if (kind == "a zstd file" || kind == "a bzip2 file" || kind == "an xz file")
    advice = "; decompress it first (gzip files can be read as they are)";
  if (kind == "a Parquet table") advice = "; convert it to JSON lines first";
  throw DataError(escape_for_terminal(name()) + ": must be text in UTF-8, got " + std::string(kind) + advice);
}

bool TextReader::read(std::string& text) {
  while (!at_end_) {
    const std::size_t kept = block_.size();
    block_.resize(kept + kReadBlock);
    const std::size_t got = bytes_.read(block_.data() + kept, kReadBlock);
    block_.resize(kept + got);
    at_end_ = got == 0;
    if (at_start_ && !at_end_ && may_be_binary(block_)) continue;
    if (at_start_) check_kind();

    // Bytes that may be the first half of a character or line end are kept for the next round.
    std::size_t whole = block_.size();
    if (!at_end_) whole -= incomplete_utf8_tail(block_);
    if (!at_end_ && whole > 0 && block_[whole - 1] == '\r') --whole;
    // What is valid comes first, so that a reader of lines knows the line of the first byte that is not.
    const std::string_view checked = std::string_view(block_).substr(0, whole);
    const auto invalid = find_invalid_utf8(checked);
    if (invalid && *invalid == 0) require_utf8(checked, name(), offset_);
    whole = invalid.value_or(whole);
    std::string rest = block_.substr(whole);
    block_.resize(whole);
    offset_ += whole;
    if (at_start_ && block_.starts_with("\xEF\xBB\xBF")) block_.erase(0, 3);
    at_start_ = false;
    if (invalid) at_end_ = false;  // the rest has not been returned
    drop_carriage_returns();
    text += block_;
    const bool gave = !block_.empty();
    block_ = std::move(rest);
    if (gave) return true;
  }
  return false;
}

// "\r\n" to "\n", in place.
void TextReader::drop_carriage_returns() {
  std::size_t to = block_.find("\r\n");
  if (to == std::string::npos) return;
  for (std::size_t from = to; from < block_.size(); ++from) {
    if (block_[from] == '\r' && from + 1 < block_.size() && block_[from + 1] == '\n') continue;
    block_[to++] = block_[from];
  }
  block_.resize(to);
}

}  // namespace rapt
