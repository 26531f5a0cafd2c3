#include "io/hdf5_headers.h"

#include <algorithm>

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt::hdf5_fields {

static constexpr std::size_t kMostChunks = 1U << 16U;  // of one object header

Headers::Headers(std::span<const std::byte> file, const std::string& path, std::uint64_t base)
    : file_(reinterpret_cast<const char*>(file.data()), file.size()), path_(path), base_(base) {}

void Headers::refuse(const std::string& object, const std::string& what) const {
  throw DataError(escape_for_terminal(path_) + ": " + object + ' ' + what);
}

std::string_view Headers::at(std::uint64_t address, std::uint64_t length) const {
  const std::uint64_t size = file_.size() - base_;
  if (address > size || length > size - address) throw Truncated{};
  return file_.substr(base_ + address, length);
}

std::uint64_t Headers::root() const {
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
  if (file_.size() < base_ + kSignature.size() || file_.substr(base_, kSignature.size()) != kSignature) {
    throw DataError(escape_for_terminal(path_) +
                    ": not an HDF5 file as rapt writes it: must have the signature at byte " + std::to_string(base_));
  }
  Cursor cursor(at(kSignature.size(), 40));
  const std::uint8_t version = cursor.u8();
  if (version != 2 && version != 3) {
    refuse("the HDF5 part", "must have a superblock of version 2 or 3, got " + std::to_string(version));
  }
  const std::uint8_t offset_width = cursor.u8(), length_width = cursor.u8();
  if (offset_width != 8 || length_width != 8) refuse("the HDF5 part", "must have addresses of 8 bytes");
  if (cursor.u8() != 0) refuse("the HDF5 part", "was not closed by its writer");
  if (cursor.u64() != base_) refuse("the HDF5 part", "must begin at byte " + std::to_string(base_));
  if (cursor.u64() != kUndefined) refuse("the HDF5 part", "must not have a superblock extension");
  const std::uint64_t end = cursor.u64(), root = cursor.u64();
  if (!checksum_holds(at(0, 48))) refuse("the HDF5 part", "is damaged: the superblock's checksum is wrong");
  if (end > file_.size()) {
    refuse("the HDF5 part", "must end at byte " + std::to_string(end) + ", got a file of " +
                                std::to_string(file_.size()) + "; the file is truncated");
  }
  return root;
}

static void read_messages(std::string_view bytes, bool with_order, std::vector<Message>& messages,
                          std::vector<std::pair<std::uint64_t, std::uint64_t>>& chunks) {
  const std::size_t head = with_order ? 6 : 4;
  Cursor cursor(bytes);
  while (cursor.left() >= head) {  // a shorter rest is a gap
    const std::uint8_t type = cursor.u8();
    const std::uint64_t length = cursor.u16();
    const std::uint8_t flags = cursor.u8();
    if (with_order) cursor.take(2);
    const std::string_view data = cursor.take(length);
    if (type == kContinuation) {
      Cursor place(data);
      const std::uint64_t address = place.u64(), chunk_bytes = place.u64();
      chunks.emplace_back(address, chunk_bytes);
    } else if (type != kNil) {
      messages.push_back({type, (flags & 2U) != 0, data});
    }
  }
}

std::vector<Message> Headers::messages(std::uint64_t address, const std::string& subject) const {
  constexpr std::uint64_t kLongestPrefix = 4 + 2 + 16 + 4 + 8;
  const std::uint64_t size = file_.size() - base_;
  if (address > size) throw Truncated{};
  const std::uint64_t prefix_bytes = std::min(kLongestPrefix, size - address);
  Cursor prefix(at(address, prefix_bytes));
  if (prefix.take(4) != "OHDR") refuse(subject, "has no object header of version 2");
  const std::uint8_t version = prefix.u8(), flags = prefix.u8();
  if (version != 2) refuse(subject, "has no object header of version 2");
  if ((flags & 0x20U) != 0) prefix.take(16);  // times
  if ((flags & 0x10U) != 0) prefix.take(4);   // limits of compact storage
  const std::uint64_t chunk_bytes = prefix.number(std::size_t{1} << (flags & 3U));
  const std::uint64_t before = prefix_bytes - prefix.left();
  if (chunk_bytes > size) throw Truncated{};
  std::vector<Message> found;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> chunks = {{address, before + chunk_bytes + 4}};
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const std::string_view chunk = at(chunks[i].first, chunks[i].second);
    const std::uint64_t skipped = i == 0 ? before : 4;
    if (chunk.size() < skipped + 4 || (i > 0 && chunk.substr(0, 4) != "OCHK") || !checksum_holds(chunk)) {
      refuse(subject, "is damaged: the checksum of its header is wrong");
    }
    read_messages(chunk.substr(skipped, chunk.size() - skipped - 4), (flags & 4U) != 0, found, chunks);
    if (chunks.size() > kMostChunks) refuse(subject, "has a header of too many blocks");
  }
  return found;
}

}  // namespace rapt::hdf5_fields
