// Counts the words of a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rapt {

/// A hash table of words and 64-bit counts; the words' bytes are stored consecutively in one block.
class WordCounts final {
 public:
  struct Word {
    std::string_view text;
    std::int64_t count;
  };

  /// \param word  at most 4 GiB
  void add(std::string_view word, std::int64_t count = 1);
  void add(const WordCounts& other);

  /// Drops the words with a count below `least`.
  void drop_rarer_than(std::int64_t least);

  std::size_t size() const { return entries_.size(); }
  std::size_t text_bytes() const { return texts_.size(); }  ///< of all words
  std::int64_t total() const { return total_; }             ///< sum of all counts ever added
  /// Approximate memory in use.
  std::size_t bytes() const;

  /// All words, sorted by bytes: the list does not depend on the order in which the words were added. Valid until the
  /// next change.
  std::vector<Word> sorted() const;
  /// The same words in the same order, in a sixth of the memory.
  template <typename Visit>
  void for_each_sorted(Visit visit) const {
    for (const std::uint32_t entry : order()) visit(Word{text(entries_[entry]), entries_[entry].count});
  }

 private:
  struct Entry {
    std::uint64_t offset;
    std::int64_t count;
    std::uint32_t hash, length;
  };
  std::string_view text(const Entry& entry) const {
    return std::string_view(texts_).substr(entry.offset, entry.length);
  }
  void add(std::string_view word, std::uint32_t hash, std::int64_t count);
  void grow(std::size_t slots);
  std::vector<std::uint32_t> order() const;  // indices of the entries, by the bytes of their words

  std::string texts_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // 1 + an entry's index, or 0; at most half full
  std::int64_t total_ = 0;
};

}  // namespace rapt
