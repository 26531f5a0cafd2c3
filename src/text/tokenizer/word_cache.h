// Caches the tokens of short words. Text consists mostly of the same few thousand words, and merging takes a hundred
// times as long as a lookup.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace rapt {

/// A table of fixed size (1 MB, about a core's second-level cache) in which a new word replaces an old one, so no input
/// makes it grow. Not thread-safe.
class WordCache final {
 public:
  static constexpr std::size_t kMaxWord = 30;
  static constexpr std::size_t kMaxIds = 8;

  /// The slot of the word. Only for words of 1 to kMaxWord bytes.
  std::size_t place_of(std::string_view word) {
    if (entries_.empty()) entries_.resize(kEntries);
    return static_cast<std::size_t>(hash(word) >> kShift);
  }

  /// Appends the word's tokens to `ids` if the slot holds the word.
  bool append(std::size_t place, std::string_view word, std::vector<std::int32_t>& ids) const {
    const Entry& entry = entries_[place];
    if (entry.length != word.size() || std::memcmp(entry.word.data(), word.data(), word.size()) != 0) return false;
    ids.insert(ids.end(), entry.ids.begin(), entry.ids.begin() + entry.count);
    return true;
  }

  void remember(std::size_t place, std::string_view word, std::span<const std::int32_t> ids) {
    if (ids.size() > kMaxIds) return;
    Entry& entry = entries_[place];
    entry.length = static_cast<std::uint8_t>(word.size());
    entry.count = static_cast<std::uint8_t>(ids.size());
    std::memcpy(entry.word.data(), word.data(), word.size());
    std::memcpy(entry.ids.data(), ids.data(), ids.size_bytes());
  }

 private:
  static constexpr int kShift = 64 - 14;
  static constexpr std::size_t kEntries = std::size_t{1} << 14;

  struct alignas(64) Entry {
    std::uint8_t length = 0;
    std::uint8_t count = 0;
    std::array<char, kMaxWord> word{};
    std::array<std::int32_t, kMaxIds> ids{};
  };
  static_assert(sizeof(Entry) == 64, "a word is one cache line");

  template <typename T>
  static std::uint64_t load(const char* p) {
    T value;
    std::memcpy(&value, p, sizeof value);
    return value;
  }

  // Loads the word's bytes in overlapping pieces, so that none reads past its ends; two multiplications mix them.
  static std::uint64_t hash(std::string_view word) {
    constexpr std::uint64_t kFirst = 0x9E3779B97F4A7C15u, kSecond = 0xC2B2AE3D27D4EB4Fu;
    const char* p = word.data();
    const std::size_t n = word.size();
    std::uint64_t a = n, b = 0;
    if (n >= 16) {
      a ^= load<std::uint64_t>(p) + 31 * load<std::uint64_t>(p + 8);
      b = load<std::uint64_t>(p + n - 8) + 31 * load<std::uint64_t>(p + n - 16);
    } else if (n >= 8) {
      a ^= load<std::uint64_t>(p);
      b = load<std::uint64_t>(p + n - 8);
    } else if (n >= 4) {
      a ^= load<std::uint32_t>(p) << 8;
      b = load<std::uint32_t>(p + n - 4);
    } else {
      a ^= static_cast<std::uint64_t>(static_cast<unsigned char>(p[0])) << 8;
      b = (static_cast<std::uint64_t>(static_cast<unsigned char>(p[n / 2])) << 8) |
          static_cast<std::uint64_t>(static_cast<unsigned char>(p[n - 1]));
    }
    a *= kFirst;
    return ((a ^ (a >> 32)) + b) * kSecond;
  }

  std::vector<Entry> entries_;
};

}  // namespace rapt
