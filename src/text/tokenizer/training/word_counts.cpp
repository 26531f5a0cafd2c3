#include "text/tokenizer/training/word_counts.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <numeric>

namespace rapt {

void WordCounts::add(std::string_view word, std::int64_t count) {
  add(word, static_cast<std::uint32_t>(XXH3_64bits(word.data(), word.size())), count);
}

void WordCounts::add(const WordCounts& other) {
  for (const Entry& entry : other.entries_) add(other.text(entry), entry.hash, entry.count);
}

void WordCounts::add(std::string_view word, std::uint32_t hash, std::int64_t count) {
  if (slots_.size() < 2 * (entries_.size() + 1)) grow(std::max<std::size_t>(1024, 2 * slots_.size()));
  total_ += count;
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  for (; slots_[i] != 0; i = (i + 1) & mask) {
    Entry& entry = entries_[slots_[i] - 1];
    if (entry.hash == hash && entry.length == word.size() &&
        std::memcmp(texts_.data() + entry.offset, word.data(), word.size()) == 0) {
      entry.count += count;
      return;
    }
  }
  entries_.push_back({texts_.size(), count, hash, static_cast<std::uint32_t>(word.size())});
  texts_ += word;
  slots_[i] = static_cast<std::uint32_t>(entries_.size());
}

void WordCounts::grow(std::size_t slots) {
  slots_.assign(slots, 0);
  for (std::size_t e = 0; e < entries_.size(); ++e) {
    std::size_t i = entries_[e].hash & (slots - 1);
    while (slots_[i] != 0) i = (i + 1) & (slots - 1);
    slots_[i] = static_cast<std::uint32_t>(e + 1);
  }
}

void WordCounts::drop_rarer_than(std::int64_t least) {
  WordCounts kept;
  for (const Entry& entry : entries_) {
    if (entry.count >= least) kept.add(text(entry), entry.hash, entry.count);
  }
  texts_.swap(kept.texts_);  // assigning would keep the large blocks
  entries_.swap(kept.entries_);
  slots_.swap(kept.slots_);
}

std::size_t WordCounts::bytes() const {
  return texts_.capacity() + entries_.capacity() * sizeof(Entry) + slots_.capacity() * sizeof(std::uint32_t);
}

std::vector<WordCounts::Word> WordCounts::sorted() const {
  std::vector<Word> words;
  words.reserve(entries_.size());
  for_each_sorted([&](const Word& word) { words.push_back(word); });
  return words;
}

std::vector<std::uint32_t> WordCounts::order() const {
  std::vector<std::uint32_t> order(entries_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [this](std::uint32_t a, std::uint32_t b) { return text(entries_[a]) < text(entries_[b]); });
  return order;
}

}  // namespace rapt
