#include "text/tokenizer/byte_trie.h"

#include <algorithm>

namespace rapt {

ByteTrie::ByteTrie(std::vector<Entry> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.text < b.text; });
  // The texts below a node: a range of the sorted texts with a common prefix as long as the node's depth.
  struct Range {
    std::size_t low, high, depth;
  };
  std::vector<Range> ranges = {{0, entries.size(), 0}};
  bytes_.push_back(0);
  for (std::size_t node = 0; node < ranges.size(); ++node) {
    auto [low, high, depth] = ranges[node];
    std::int32_t value = -1;
    for (; low < high && entries[low].text.size() == depth; ++low) value = depth == 0 ? -1 : entries[low].value;
    values_.push_back(value);
    children_.push_back(static_cast<std::uint32_t>(ranges.size()));
    while (low < high) {
      const auto byte = static_cast<unsigned char>(entries[low].text[depth]);
      std::size_t end = low + 1;
      while (end < high && static_cast<unsigned char>(entries[end].text[depth]) == byte) ++end;
      if (depth == 0) first_[byte] = static_cast<std::uint32_t>(ranges.size());
      ranges.push_back({low, end, depth + 1});
      bytes_.push_back(byte);
      low = end;
    }
  }
  children_.push_back(static_cast<std::uint32_t>(ranges.size()));
}

std::uint32_t ByteTrie::child(std::uint32_t node, unsigned char byte) const {
  const auto begin = bytes_.begin() + children_[node], end = bytes_.begin() + children_[node + 1];
  const auto found = std::lower_bound(begin, end, byte);
  return found == end || *found != byte ? 0 : static_cast<std::uint32_t>(found - bytes_.begin());
}

}  // namespace rapt
