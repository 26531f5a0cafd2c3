#include "io/suggest.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "io/escape.h"

namespace rapt {

static std::string folded(std::string_view word) {
  std::string out(word);
  for (char& c : out) c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string nearest(std::string_view typed, const std::vector<std::string>& names) {
  // A name of thousands of letters is not a typing error, and the distance is quadratic.
  if (typed.empty() || typed.size() > 100) return "";
  const std::string word = folded(typed);
  std::string best, begun;
  std::size_t best_distance = 0;
  for (const std::string& name : names) {
    const std::string other = folded(name);
    const std::size_t distance = edit_distance(word, other);
    const bool near = 3 * distance <= std::max(word.size(), other.size());
    if (near && (best.empty() || distance < best_distance)) best = name, best_distance = distance;
    if (begun.empty() && word.size() >= 3 && other.starts_with(word)) begun = name;
  }
  return best.empty() ? begun : best;
}

std::string did_you_mean(std::string_view typed, const std::vector<std::string>& names, std::string_view prefix) {
  const std::string name = nearest(typed, names);
  return name.empty() ? "" : "; did you mean " + std::string(prefix) + escape_for_terminal(name) + "?";
}

}  // namespace rapt
