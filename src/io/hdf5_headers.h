// The structure of HDF5 files written from an Hdf5Layout: superblock 2 or 3, and object headers of version 2 as lists
// of messages. HDF5 File Format Specification Version 3.0, sections II.A and IV.A.1. Every read is bounds-checked and
// every checksum is verified. For hdf5_reader.cpp only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/hdf5_fields.h"

namespace rapt::hdf5_fields {

// Message types (IV.A.2).
enum MessageType : std::uint8_t {
  kNil = 0x00,
  kDataspace = 0x01,
  kLinkInfo = 0x02,
  kDatatype = 0x03,
  kFillOld = 0x04,
  kFill = 0x05,
  kLink = 0x06,
  kExternalFiles = 0x07,
  kLayout = 0x08,
  kGroupInfo = 0x0A,
  kFilters = 0x0B,
  kAttribute = 0x0C,
  kContinuation = 0x10,
  kAttributeInfo = 0x15,
  kReferenceCount = 0x16,  // present if it is not 1
};

struct Message {
  std::uint8_t type;
  bool shared;
  std::string_view data;
};

class Headers final {
 public:
  /// \param path  for messages; it must outlive this object, and so must the file
  /// \param base  the start of the HDF5 part
  Headers(std::span<const std::byte> file, const std::string& path, std::uint64_t base);

  const std::string& path() const { return path_; }
  std::uint64_t base() const { return base_; }
  /// Bytes of the whole file, or of its HDF5 part.
  std::uint64_t file_bytes() const { return file_.size(); }
  std::uint64_t bytes() const { return file_.size() - base_; }

  /// \throws DataError  "<path>: <object> <what>"
  [[noreturn]] void refuse(const std::string& object, const std::string& what) const;

  /// Bytes at an address of the file; addresses count from `base`.
  /// \throws Truncated
  std::string_view at(std::uint64_t address, std::uint64_t length) const;

  /// The address of the root group.
  std::uint64_t root() const;

  /// The messages of an object header and its continuations (IV.A.1.b).
  std::vector<Message> messages(std::uint64_t address, const std::string& subject) const;

 private:
  std::string_view file_;
  const std::string& path_;
  std::uint64_t base_;
};

}  // namespace rapt::hdf5_fields
