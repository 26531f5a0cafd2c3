#include "text/tokenizer/training/unigram_seeds.h"

#include <algorithm>
#include <string_view>

#include "text/utf8.h"

namespace rapt {
namespace {

struct Suffix {
  std::string_view text;  // at most the longest substring
  std::int64_t count = 0;
};

// All suffixes of all words, each as long as a substring may be, in order.
std::vector<Suffix> sorted_suffixes(const std::vector<WordCounts::Word>& words, std::size_t longest) {
  std::vector<Suffix> suffixes;
  std::vector<std::size_t> starts;  // of the characters of a word, and its end
  for (const WordCounts::Word& word : words) {
    starts.clear();
    const char *const begin = word.text.data(), *const end = begin + word.text.size();
    for (const char* p = begin; p < end; p += read_utf8(p, end).length) {
      starts.push_back(static_cast<std::size_t>(p - begin));
    }
    starts.push_back(word.text.size());
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
      const std::size_t to = starts[std::min(i + longest, starts.size() - 1)];
      suffixes.push_back({word.text.substr(starts[i], to - starts[i]), word.count});
    }
  }
  std::sort(suffixes.begin(), suffixes.end(), [](const Suffix& a, const Suffix& b) { return a.text < b.text; });
  return suffixes;
}

// Length in bytes of the whole characters that both texts begin with.
std::size_t common_length(std::string_view a, std::string_view b) {
  const auto [at, ignored] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  auto length = static_cast<std::size_t>(at - a.begin());
  const auto inside_character = [&](std::string_view text) {
    return length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U;
  };
  while (inside_character(a) || inside_character(b)) --length;
  return length;
}

std::int64_t characters_of(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

bool covers_more(const CountedText& a, const CountedText& b) {
  const std::int64_t x = a.count * characters_of(a.text), y = b.count * characters_of(b.text);
  return x != y ? x > y : a.text < b.text;
}

// The most covering substrings so far.
class Best final {
 public:
  explicit Best(std::size_t most) : most_(most) {}

  void offer(std::string_view text, std::int64_t count) {
    if (count < 2 || characters_of(text) < 2) return;
    found_.push_back({std::string(text), count});
    if (found_.size() >= 2 * most_) shrink();
  }
  std::vector<CountedText> take() {
    shrink();
    std::sort(found_.begin(), found_.end(), covers_more);
    return std::move(found_);
  }

 private:
  void shrink() {
    if (found_.size() <= most_) return;
    std::nth_element(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(most_), found_.end(), covers_more);
    found_.resize(most_);
  }

  std::size_t most_;
  std::vector<CountedText> found_;
};

}  // namespace

std::vector<CountedText> frequent_substrings(const std::vector<WordCounts::Word>& words, std::size_t longest,
                                             std::size_t most) {
  // The path from the root of the suffixes' tree to the current suffix: each node with the count of what is below it
  // and has been passed.
  struct Node {
    std::size_t length;
    std::int64_t count;
  };
  std::vector<Node> path = {{0, 0}};
  Best best(most);
  std::string_view last;
  // Leaves the nodes below `length`.
  const auto leave = [&](std::size_t length) {
    while (path.back().length > length) {
      const Node node = path.back();
      path.pop_back();
      best.offer(last.substr(0, node.length), node.count);
      if (path.back().length < length) path.push_back({length, 0});
      path.back().count += node.count;
    }
  };
  for (const Suffix& suffix : sorted_suffixes(words, longest)) {
    leave(common_length(last, suffix.text));
    if (path.back().length < suffix.text.size()) path.push_back({suffix.text.size(), 0});
    path.back().count += suffix.count;
    last = suffix.text;
  }
  leave(0);
  return best.take();
}

}  // namespace rapt
