#include "train/metrics/spans.h"

#include <fmt/format.h>

#include <stdexcept>

namespace rapt {
namespace {

struct Tag {
  std::string_view letter, type;
};

// "I-NP": the parts before and after the first hyphen. Types may contain hyphens.
Tag parse_tag(std::string_view tag) {
  const std::size_t hyphen = tag.find('-');
  if (hyphen == std::string_view::npos) return {tag, {}};
  return {tag.substr(0, hyphen), tag.substr(hyphen + 1)};
}

constexpr Tag kOutside = {"O", ""};

bool inside(const Tag& tag) { return tag.letter != "O" && tag.letter != "."; }

// Whether a span ends between two words.
bool ends(const Tag& before, const Tag& tag, SpanRules rules) {
  if (inside(before) && before.type != tag.type) return true;
  const std::string_view a = before.letter, b = tag.letter;
  if ((a == "B" || a == "I") && (b == "B" || b == "O")) return true;
  if (rules == SpanRules::kConlleval) {
    return (a == "E" && (b == "E" || b == "I" || b == "O")) || a == "[" || a == "]";
  }
  return a == "E" || a == "S" || ((a == "B" || a == "I") && b == "S");
}

// Whether a span starts with the second of two words.
bool begins(const Tag& before, const Tag& tag, SpanRules rules) {
  if (inside(tag) && before.type != tag.type) return true;
  const std::string_view a = before.letter, b = tag.letter;
  if ((a == "O" || a == "E") && (b == "E" || b == "I")) return true;
  if (rules == SpanRules::kConlleval) {
    return ((a == "B" || a == "I" || a == "O") && b == "B") || b == "[" || b == "]";
  }
  return b == "B" || b == "S" || (a == "S" && (b == "E" || b == "I"));
}

}  // namespace

std::vector<TagSpan> spans_of(std::span<const std::string> tags, SpanRules rules) {
  std::vector<TagSpan> spans;
  bool open = false;
  Tag before = kOutside;
  for (std::size_t i = 0; i <= tags.size(); ++i) {
    const Tag tag = i < tags.size() ? parse_tag(tags[i]) : kOutside;
    if (open && ends(before, tag, rules)) {
      spans.back().end = i;
      open = false;
    }
    if (begins(before, tag, rules)) {
      spans.push_back({i, i + 1, tag.type});
      open = true;
    }
    before = tag;
  }
  return spans;
}

MatchCounts SpanScores::add(std::span<const std::string> gold, std::span<const std::string> predicted) {
  if (gold.size() != predicted.size()) {
    throw std::invalid_argument("spans: there must be a predicted tag for each of " + std::to_string(gold.size()) +
                                " gold tags, got " + std::to_string(predicted.size()));
  }
  for (std::size_t i = 0; i < gold.size(); ++i) right_words_ += gold[i] == predicted[i] ? 1 : 0;
  words_ += static_cast<std::int64_t>(gold.size());

  const auto of_type = [&](std::string_view type) -> MatchCounts& {
    const auto found = by_type_.find(type);
    return found != by_type_.end() ? found->second : by_type_[std::string(type)];
  };
  const std::vector<TagSpan> wanted = spans_of(gold, rules_), found = spans_of(predicted, rules_);
  MatchCounts sentence;
  for (const TagSpan& span : wanted) ++of_type(span.type).gold;
  for (const TagSpan& span : found) ++of_type(span.type).found;
  sentence.gold = static_cast<double>(wanted.size());
  sentence.found = static_cast<double>(found.size());
  for (std::size_t w = 0, f = 0; w < wanted.size() && f < found.size();) {  // neither list overlaps itself
    if (wanted[w] == found[f]) {
      ++of_type(wanted[w].type).right;
      ++sentence.right;
    }
    const std::size_t at = wanted[w].begin;
    if (at <= found[f].begin) ++w;
    if (found[f].begin <= at) ++f;
  }
  overall_ += sentence;
  return sentence;
}

double SpanScores::accuracy() const { return share(static_cast<double>(right_words_), static_cast<double>(words_)); }

MetricValues SpanScores::values() const {
  double f1 = 0, precision = 0, recall = 0;
  for (const auto& [type, counts] : by_type_) {
    f1 += counts.f1();
    precision += counts.precision();
    recall += counts.recall();
  }
  const double types = static_cast<double>(by_type_.size());
  return {{"accuracy", accuracy()},
          {"f1", overall_.f1()},
          {"precision", overall_.precision()},
          {"recall", overall_.recall()},
          {"f1_macro", share(f1, types)},
          {"precision_macro", share(precision, types)},
          {"recall_macro", share(recall, types)}};
}

static std::string wide_percent(double value) { return fmt::format("{:6.2f}", 100 * value); }

static std::string whole(double count) { return std::to_string(static_cast<std::int64_t>(count)); }

static std::string precision_and_recall(const MatchCounts& counts) {
  return "precision: " + wide_percent(counts.precision()) + "%; recall: " + wide_percent(counts.recall()) +
         "%; FB1: " + wide_percent(counts.f1());
}

std::string SpanScores::report() const {
  std::string text = "processed " + std::to_string(words_) + " tokens with " + whole(overall_.gold) +
                     " phrases; found: " + whole(overall_.found) + " phrases; correct: " + whole(overall_.right) +
                     ".\n";
  if (words_ > 0) text += "accuracy: " + wide_percent(accuracy()) + "%; " + precision_and_recall(overall_) + '\n';
  for (const auto& [type, counts] : by_type_) {
    text += std::string(type.size() < 17 ? 17 - type.size() : 0, ' ') + type + ": " + precision_and_recall(counts) +
            "  " + whole(counts.found) + '\n';
  }
  return text;
}

}  // namespace rapt
