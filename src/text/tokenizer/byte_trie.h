// A set of texts, with fast search for those that are a prefix of another text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rapt {

/// A tree whose edges are bytes. Finding all texts of the set that are a prefix of a text reads each byte once, and no
/// more bytes than the longest text of the set has. Immutable; safe to use from many threads.
class ByteTrie final {
 public:
  struct Entry {
    std::string_view text;
    std::int32_t value;
  };
  struct Match {
    std::size_t length = 0;   ///< in bytes; 0: none
    std::int32_t value = -1;  ///< of the text found
  };

  ByteTrie() : ByteTrie(std::vector<Entry>{}) {}
  /// \param entries  with values from 0 on; empty texts are never found; of equal texts, the last one is. The views
  ///                 need not outlive the constructor.
  explicit ByteTrie(std::vector<Entry> entries);

  /// The longest text of the set that is a prefix of `text`.
  Match longest_match(std::string_view text) const {
    Match longest;
    for_each_match(text, [&longest](std::size_t length, std::int32_t value) { longest = {length, value}; });
    return longest;
  }

  /// Calls visit(length, value) for every text of the set that is a prefix of `text`, shortest first.
  template <typename Visit>
  void for_each_match(std::string_view text, Visit&& visit) const {
    if (text.empty()) return;
    std::uint32_t node = first_[static_cast<unsigned char>(text[0])];
    for (std::size_t length = 1; node != 0; ++length) {
      if (values_[node] >= 0) visit(length, values_[node]);
      if (length == text.size()) return;
      node = child(node, static_cast<unsigned char>(text[length]));
    }
  }

 private:
  // The node that the byte leads to, or 0, the root, if there is none.
  std::uint32_t child(std::uint32_t node, unsigned char byte) const;

  // Nodes in order of depth, so that a node's children are adjacent: from children_[node] to children_[node + 1],
  // sorted by byte.
  std::vector<std::uint32_t> children_;
  std::vector<unsigned char> bytes_;  // the byte that leads to each node
  std::vector<std::int32_t> values_;  // -1: no text ends there
  std::array<std::uint32_t, 256> first_{};
};

}  // namespace rapt
