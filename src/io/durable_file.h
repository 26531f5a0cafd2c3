// Files that appear completely or not at all, and survive a power failure.
//
// Bytes go to `<name>.tmp.<pid>` in the target's own folder. commit() flushes them to disk (fsync), renames the file to
// its final name, and flushes the folder (fsync). Until the rename, the old file is unchanged. After any error the
// temporary file is removed; after signals, too, if the program asks for it (io/temporary_name.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"
#include "io/temporary_name.h"

namespace rapt {

enum class IfExists { kReplace, kRefuse };

/// One file being written. Errors, from every member:
///   CannotCreateError  the folder is missing or read-only, the target is a folder, or exists and must not be replaced
///   IoError            the disk is full (with needed and free bytes), or writing failed; after one, the object is
///   spent
class DurableFile final {
 public:
  /// Creates the temporary file and reserves `reserve_bytes`, so that a full disk is found before writing.
  explicit DurableFile(std::string path, std::uint64_t reserve_bytes = 0, IfExists if_exists = IfExists::kReplace);
  ~DurableFile();
  DurableFile(const DurableFile&) = delete;
  DurableFile& operator=(const DurableFile&) = delete;

  /// Appends bytes, and includes them in crc().
  void append(const void* data, std::size_t bytes);
  void append(std::string_view bytes) { append(bytes.data(), bytes.size()); }
  void append_zeros(std::uint64_t bytes);

  /// Overwrites bytes that were appended before: for a header whose checksum is known last. Does not change crc().
  void overwrite(std::uint64_t offset, const void* data, std::size_t bytes);

  std::uint64_t size() const { return size_; }  ///< bytes appended
  std::uint32_t crc() const { return crc_; }    ///< CRC-32C of the bytes appended since restart_crc()
  void restart_crc() { crc_ = 0; }
  const std::string& path() const { return path_; }

  /// Flushes the file to disk under its name. Nothing may be written afterwards. A failed fsync is final: the kernel
  /// may have dropped the pages it could not write, so another attempt would only seem to succeed.
  void commit();

 private:
  void create_temporary();
  void reserve();
  void write_all(std::uint64_t offset, const void* data, std::size_t bytes);
  [[noreturn]] void fail(const std::string& doing, int error, std::uint64_t needed);
  void discard() noexcept;

  std::string path_;
  std::string folder_;
  std::string temporary_;
  TemporaryName temporary_name_;
  FileDescriptor file_;
  IfExists if_exists_;
  std::uint64_t reserved_;
  std::uint64_t size_ = 0;
  std::uint32_t crc_ = 0;
};

/// Writes a whole file at once. \throws as DurableFile
void write_file_durably(const std::string& path, std::string_view bytes, IfExists if_exists = IfExists::kReplace);

/// Removes the `*.tmp.<pid>` files that killed writers left in `folder`, and returns their names. Only for the holder
/// of the folder's lock, because then nobody else is writing there.
std::vector<std::string> remove_leftovers(const std::string& folder);

/// Flushes names that were created, renamed or removed in `folder` to disk. \throws IoError
void sync_folder(const std::string& folder);

}  // namespace rapt
