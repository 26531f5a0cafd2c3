#include "text/corpus/input.h"

#include <poll.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "io/escape.h"
#include "io/file.h"
#include "tensor/error.h"
#include "text/corpus/spool.h"

namespace rapt {

// ------------------------------------------------------------------------------------------------------ standard input

/// Everything received on standard input so far, in a temporary file. One per process.
class StandardInput final {
 public:
  static const std::shared_ptr<StandardInput>& the() {
    static const auto input = std::make_shared<StandardInput>();
    return input;
  }

  std::size_t read(std::uint64_t offset, void* to, std::size_t size) {
    while (!ended_ && offset >= kept_.size()) take();
    return kept_.read(offset, to, size);
  }
  bool would_wait(std::uint64_t offset) const {
    if (ended_ || offset < kept_.size()) return false;
    pollfd waiting{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) == 0;
  }
  void read_to_end() {
    while (!ended_) take();
  }
  FileDescriptor file() { return kept_.copy(); }

 private:
  void take() {
    const ssize_t got = ::read(STDIN_FILENO, block_.data(), block_.size());
    if (got < 0 && errno == EINTR) return;
    if (got < 0) throw IoError(std::string("standard input: reading failed: ") + system_message(errno));
    if (got == 0) ended_ = true;
    kept_.append(block_.data(), static_cast<std::size_t>(got));
  }

  Spool kept_{"standard input"};
  std::vector<char> block_ = std::vector<char>(kReadBlock);
  bool ended_ = false;
};

// -------------------------------------------------------------------------------------------------------------- inputs

Input::Input(std::string name, FileDescriptor file)
    : name_(std::move(name)), file_(std::make_shared<const FileDescriptor>(std::move(file))) {
  bytes_ = file_size(*file_, name_);
}

Input Input::from_file(const std::string& path) { return Input(path, open_regular_file(path)); }

Input Input::from_standard_input() {
  StandardInput& input = *StandardInput::the();
  input.read_to_end();
  return Input("standard input", input.file());
}

Input Input::live_standard_input() {
  Input input;
  input.name_ = "standard input";
  input.live_ = StandardInput::the();
  return input;
}

Input Input::from_memory(std::string name, std::string bytes) {
  Input input;
  input.name_ = std::move(name);
  input.bytes_ = bytes.size();
  input.memory_ = std::make_shared<const std::string>(std::move(bytes));
  return input;
}

std::size_t Input::read(std::uint64_t offset, void* to, std::size_t size) const {
  if (live_ != nullptr) return live_->read(offset, to, size);
  if (offset >= bytes_) return 0;
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(size, bytes_ - offset));
  if (memory_ != nullptr) {
    std::memcpy(to, memory_->data() + offset, count);
  } else {
    read_at(*file_, name_, offset, to, count);
  }
  return count;
}

bool Input::would_wait(std::uint64_t offset) const { return live_ != nullptr && live_->would_wait(offset); }

bool Input::is_gzip() const {
  std::array<unsigned char, 2> magic{};
  return read(0, magic.data(), 1) == 1 && magic[0] == 0x1F && read(1, &magic[1], 1) == 1 && magic[1] == 0x8B;
}

// ------------------------------------------------------------------------------------------------------------- digests

std::string digest_of(const Input& input) {
  Digest digest;
  std::vector<char> block(kReadBlock);
  std::uint64_t offset = 0;
  while (const std::size_t got = input.read(offset, block.data(), block.size())) {
    digest.add(block.data(), got);
    offset += got;
  }
  return digest.text();
}

// ---------------------------------------------------------------------------------------------------------------- gzip

struct ByteReader::Gzip {
  z_stream stream{};
  std::vector<unsigned char> packed = std::vector<unsigned char>(kReadBlock);
  bool in_member = false;

  Gzip() {
    if (inflateInit2(&stream, 15 + 16) != Z_OK) throw MemoryError("gzip: out of memory while decompressing");
  }
  ~Gzip() { inflateEnd(&stream); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
};

ByteReader::ByteReader(Input input) : input_(std::move(input)) {
  if (!input_.is_gzip()) return;
  gzip_ = std::make_unique<Gzip>();
  gzip_->in_member = true;
}
ByteReader::ByteReader(ByteReader&&) noexcept = default;
ByteReader& ByteReader::operator=(ByteReader&&) noexcept = default;
ByteReader::~ByteReader() = default;

std::size_t ByteReader::read(void* to, std::size_t size) {
  if (gzip_ != nullptr) return read_gzip(to, size);
  const std::size_t got = input_.read(offset_, to, size);
  offset_ += got;
  digest_.add(to, got);
  return got;
}

// Whether compressed bytes are available.
bool ByteReader::refill() {
  z_stream& stream = gzip_->stream;
  if (stream.avail_in > 0) return true;
  std::vector<unsigned char>& packed = gzip_->packed;
  const std::size_t got = input_.read(offset_, packed.data(), packed.size());
  offset_ += got;
  digest_.add(packed.data(), got);
  stream.next_in = packed.data();
  stream.avail_in = static_cast<uInt>(got);
  return got > 0;
}

// After a member there may be zeros (as tapes and some tools write them), another member, or nothing.
bool ByteReader::next_member() {
  z_stream& stream = gzip_->stream;
  while (refill()) {
    if (*stream.next_in != 0) {
      inflateReset(&stream);
      return true;
    }
    ++stream.next_in;
    --stream.avail_in;
  }
  return false;
}

std::size_t ByteReader::read_gzip(void* to, std::size_t size) {
  z_stream& stream = gzip_->stream;
  stream.next_out = static_cast<unsigned char*>(to);
  stream.avail_out = static_cast<uInt>(std::min<std::size_t>(size, kReadBlock));
  const uInt wanted = stream.avail_out;
  while (stream.avail_out == wanted) {
    if (!gzip_->in_member && !next_member()) break;
    gzip_->in_member = true;
    if (!refill()) {
      throw DataError(escape_for_terminal(input_.name()) + ": the gzip data ends too early, after " +
                      std::to_string(offset_) + " bytes; the file is incomplete");
    }
    const int result = inflate(&stream, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      gzip_->in_member = false;
    } else if (result == Z_MEM_ERROR) {
      throw MemoryError("gzip: out of memory while decompressing");
    } else if (result != Z_OK) {
      throw DataError(escape_for_terminal(input_.name()) + ": the gzip data is damaged near byte " +
                      std::to_string(offset_ - stream.avail_in) + " (" +
                      (stream.msg != nullptr ? stream.msg : "unknown form") + ")");
    }
  }
  return wanted - stream.avail_out;
}

}  // namespace rapt
