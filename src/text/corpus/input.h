// Text sources: files and standard input, read as a stream of bytes and decompressed if they are gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "io/file.h"
#include "text/corpus/digest.h"

namespace rapt {

/// Bytes that readers ask for at once.
inline constexpr std::size_t kReadBlock = std::size_t{1} << 18;

class StandardInput;

/// Bytes that can be read from the beginning any number of times.
class Input final {
 public:
  /// A regular file.
  /// \throws MissingInputError, DataError  as open_regular_file
  static Input from_file(const std::string& path);
  /// Standard input, kept in an unnamed temporary file so that it can be read again; every call returns the same input.
  /// from_standard_input() first reads it to its end. live_standard_input() reads it on demand, so that input from a
  /// pipe is answered as it arrives.
  /// \throws IoError
  static Input from_standard_input();
  static Input live_standard_input();
  /// A text in memory.
  static Input from_memory(std::string name, std::string bytes);

  const std::string& name() const { return name_; }  ///< the path, or "standard input"
  std::uint64_t bytes() const { return bytes_; }     ///< 0 for live standard input
  bool is_live() const { return live_ != nullptr; }
  /// Reads up to `size` bytes at `offset`; fewer only at the end, or if live standard input has no more at the moment.
  std::size_t read(std::uint64_t offset, void* to, std::size_t size) const;
  /// Whether read() at `offset` would block.
  bool would_wait(std::uint64_t offset) const;
  /// Whether the bytes are a gzip file's.
  bool is_gzip() const;

 private:
  Input() = default;
  Input(std::string name, FileDescriptor file);

  std::string name_;
  std::shared_ptr<const FileDescriptor> file_;
  std::shared_ptr<const std::string> memory_;  // used instead of file_
  std::shared_ptr<StandardInput> live_;        // used instead of both
  std::uint64_t bytes_ = 0;
};

/// Digest of the stored bytes.
std::string digest_of(const Input& input);

/// The bytes of an input in sequence. A gzip file (recognised by its first two bytes, whatever its name) is
/// decompressed; several concatenated gzip members are one stream, as in gzip.
class ByteReader final {
 public:
  explicit ByteReader(Input input);
  ByteReader(ByteReader&&) noexcept;
  ByteReader& operator=(ByteReader&&) noexcept;
  ~ByteReader();

  /// The next bytes, at most `size`; 0 at the end.
  /// \throws DataError  for gzip data that is damaged or ends too early
  /// \throws IoError
  std::size_t read(void* to, std::size_t size);

  bool unpacks() const { return gzip_ != nullptr; }
  bool would_wait() const { return input_.would_wait(offset_); }
  const Input& input() const { return input_; }
  /// Digest of the stored bytes read so far; at the end, digest_of(input()).
  std::string digest() const { return digest_.text(); }

 private:
  struct Gzip;

  std::size_t read_gzip(void* to, std::size_t size);
  bool next_member();
  bool refill();

  Input input_;
  Digest digest_;
  std::uint64_t offset_ = 0;
  std::unique_ptr<Gzip> gzip_;
};

}  // namespace rapt
