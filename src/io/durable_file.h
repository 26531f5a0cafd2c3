// Files that appear whole or not at all, and stay after a power cut.
//
// Bytes go to `<name>.tmp.<pid>` in the target's own folder; commit() makes them durable (fsync), gives them their name
// (rename) and makes that durable too (fsync of the folder). Until the rename, the old file stands untouched; on any
// error the temporary file is removed, and by signals too where the program asks for it (io/temporary_name.h).
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
  /// Creates the temporary file and reserves `reserve_bytes`, so that a disk too small is found before writing.
  explicit DurableFile(std::string path, std::uint64_t reserve_bytes = 0, IfExists if_exists = IfExists::kReplace);
  ~DurableFile();
  DurableFile(const DurableFile&) = delete;
  DurableFile& operator=(const DurableFile&) = delete;

  /// Writes at the end; counts into crc().
  void append(const void* data, std::size_t bytes);
  void append(std::string_view bytes) { append(bytes.data(), bytes.size()); }
  void append_zeros(std::uint64_t bytes);

  /// Writes over bytes appended before: a header whose checksum is known last. Does not change crc().
  void overwrite(std::uint64_t offset, const void* data, std::size_t bytes);

  std::uint64_t size() const { return size_; }  ///< bytes appended
  std::uint32_t crc() const { return crc_; }    ///< CRC-32C of the bytes appended since restart_crc()
  void restart_crc() { crc_ = 0; }
  const std::string& path() const { return path_; }

  /// Makes the file durable under its name. Nothing may be written afterwards. An fsync that fails is final: the kernel
  /// may have dropped the pages it could not write, so trying again would only seem to succeed.
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

/// A whole file at once. \throws as DurableFile
void write_file_durably(const std::string& path, std::string_view bytes, IfExists if_exists = IfExists::kReplace);

/// Removes the `*.tmp.<pid>` files that writers killed in mid-save left in `folder`, and returns their names. Only for
/// who holds the folder's lock: nobody else can be writing there then.
std::vector<std::string> remove_leftovers(const std::string& folder);

/// Makes names created, renamed or removed in `folder` durable. \throws IoError
void sync_folder(const std::string& folder);

}  // namespace rapt
