// XXH3-128 of bytes, as 32 hexadecimal digits: the output of `xxh128sum`. It distinguishes files, whatever their names.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace rapt {

/// Receives bytes piece by piece.
class Digest final {
 public:
  Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();

  void add(const void* data, std::size_t bytes);
  /// Of all bytes so far.
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string digest_of(std::string_view bytes);

}  // namespace rapt
