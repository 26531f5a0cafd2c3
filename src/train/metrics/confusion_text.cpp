#include <fmt/format.h>

#include <algorithm>

#include "io/escape.h"
#include "text/utf8.h"
#include "train/metrics/classification.h"

namespace rapt {

static constexpr std::size_t kMostClasses = 12, kLongestName = 16;

static std::size_t characters(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count)
    at += read_utf8(text.data() + at, text.data() + text.size()).length;
  return count;
}

static std::string shown(const std::string& name) {
  std::string text = escape_for_terminal(name);
  if (characters(text) <= kLongestName) return text;
  std::size_t at = 0;
  for (std::size_t i = 0; i + 2 < kLongestName; ++i)
    at += read_utf8(text.data() + at, text.data() + text.size()).length;
  return text.substr(0, at) + "..";
}

static std::string padded(const std::string& text, std::size_t width, bool to_the_right) {
  const std::string spaces(width - std::min(width, characters(text)), ' ');
  return to_the_right ? spaces + text : text + spaces;
}

static std::string percent(double value) { return fmt::format("{:.1f}%", 100 * value); }

static std::string without_trailing_spaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string class_text(std::span<const std::pair<std::string, MatchCounts>> all) {
  std::vector<std::pair<std::string, MatchCounts>> classes(all.begin(), all.end());
  std::string text;
  if (classes.size() > kMostClasses) {
    std::ranges::stable_sort(classes, [](const auto& a, const auto& b) { return a.second.gold > b.second.gold; });
    classes.resize(kMostClasses);
    text = "the " + std::to_string(kMostClasses) + " most frequent of " + std::to_string(all.size()) + ":\n";
  }
  std::size_t first = 0;
  for (auto& [name, counts] : classes) {
    name = shown(name);
    first = std::max(first, characters(name));
  }
  text += padded("", first, false) + "  precision  recall      F1  support\n";
  for (const auto& [name, counts] : classes) {
    text += padded(name, first, false) + "  " + padded(percent(counts.precision()), 9, true) + "  " +
            padded(percent(counts.recall()), 6, true) + "  " + padded(percent(counts.f1()), 6, true) + "  " +
            padded(std::to_string(static_cast<std::int64_t>(counts.gold)), 7, true) + '\n';
  }
  return text;
}

static std::string confusion_list(const ClassificationCounts& counts, const std::vector<std::string>& names) {
  std::string text = "most confused (gold -> predicted):\n";
  for (const ClassificationCounts::Confusion& confusion : counts.confusions(kMostClasses)) {
    text += padded(std::to_string(confusion.times), 8, true) + "  " + names[static_cast<std::size_t>(confusion.gold)] +
            " -> " + names[static_cast<std::size_t>(confusion.predicted)] + '\n';
  }
  return text;
}

std::string confusion_text(const ClassificationCounts& counts, std::span<const std::string> all_names) {
  std::vector<std::string> names;
  for (const std::string& name : all_names) names.push_back(shown(name));
  names.resize(counts.classes(), "?");
  if (names.size() > kMostClasses) return confusion_list(counts, names);

  constexpr std::size_t kFirst = 9;  // "precision"
  std::size_t first = kFirst, width = 6;
  for (const std::string& name : names) {
    first = std::max(first, characters(name));
    width = std::max(width, characters(name));
  }
  width = std::max(width, std::to_string(counts.examples()).size());
  std::string text = padded("", first, false) + "  predicted\n" + padded("gold", first, false);
  for (const std::string& name : names) text += "  " + padded(name, width, true);
  text += "   recall\n";
  std::string last = padded("precision", first, false);
  for (std::size_t gold = 0; gold < names.size(); ++gold) {
    text += padded(names[gold], first, false);
    for (std::size_t predicted = 0; predicted < names.size(); ++predicted) {
      const std::int64_t count = counts.count(static_cast<std::int32_t>(gold), static_cast<std::int32_t>(predicted));
      text += "  " + padded(std::to_string(count), width, true);
    }
    text += "  " + padded(percent(counts.of_class(gold).recall()), 7, true) + '\n';
    last += "  " + padded(percent(counts.of_class(gold).precision()), width, true);
  }
  return text + without_trailing_spaces(last);
}

}  // namespace rapt
