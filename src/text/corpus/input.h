// Where text comes from: files and standard input, read as a stream of bytes, gzip unpacked on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "io/file.h"

namespace rapt {

class StandardInput;

/// Bytes that can be read from the beginning as often as one likes.
class Input final {
 public:
  /// A regular file.
  /// \throws MissingInputError, DataError  as open_regular_file
  static Input from_file(const std::string& path);
  /// Standard input, kept in a temporary file without a name so that it can be read again; every call gives the same.
  /// from_standard_input() reads it to its end first, live_standard_input() as far as somebody asks for, so that what
  /// comes through a pipe is answered at once.
  /// \throws IoError
  static Input from_standard_input();
  static Input live_standard_input();
  /// A text in memory.
  static Input from_memory(std::string name, std::string bytes);

  const std::string& name() const { return name_; }  ///< the path, or "standard input"
  std::uint64_t bytes() const { return bytes_; }     ///< of live standard input: 0
  bool is_live() const { return live_ != nullptr; }
  /// Reads up to `size` bytes at `offset`; fewer only at the end, or where live standard input has no more for now.
  std::size_t read(std::uint64_t offset, void* to, std::size_t size) const;
  /// Whether read() at `offset` would have to wait for somebody to write.
  bool would_wait(std::uint64_t offset) const;
  /// Has the bytes of a gzip file.
  bool is_gzip() const;

 private:
  Input() = default;
  Input(std::string name, FileDescriptor file);

  std::string name_;
  std::shared_ptr<const FileDescriptor> file_;
  std::shared_ptr<const std::string> memory_;  // instead of file_
  std::shared_ptr<StandardInput> live_;        // instead of both
  std::uint64_t bytes_ = 0;
};

/// XXH3-128 of the bytes as they are stored, in 32 hexadecimal digits: what `xxh128sum` prints.
std::string digest_of(const Input& input);
std::string digest_of(std::string_view bytes);

/// The bytes of an input one after the other. Those of a gzip file (known by its first two bytes, whatever its name)
/// are unpacked; several gzip members one behind the other are one stream, as gzip has it.
class ByteReader final {
 public:
  explicit ByteReader(Input input);
  ByteReader(ByteReader&&) noexcept;
  ByteReader& operator=(ByteReader&&) noexcept;
  ~ByteReader();

  /// The next bytes, at most `size`; 0 at the end.
  /// \throws DataError  gzip data that are damaged or end too early
  /// \throws IoError
  std::size_t read(void* to, std::size_t size);

  bool unpacks() const { return gzip_ != nullptr; }
  bool would_wait() const { return input_.would_wait(offset_); }
  const Input& input() const { return input_; }

 private:
  struct Gzip;

  std::size_t read_gzip(void* to, std::size_t size);
  bool next_member();

  Input input_;
  std::uint64_t offset_ = 0;
  std::unique_ptr<Gzip> gzip_;
};

}  // namespace rapt
