// Scores of predicted spans of words, such as names or phrases. Equal to conlleval.pl of the CoNLL shared tasks (Tjong
// Kim Sang and Buchholz 2000) and to the default mode of Python's seqeval.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/metrics/metric.h"

namespace rapt {

/// Which tags start and end a span. A tag is a letter and a type, `B-person`, or `O`.
///
/// Both read IOB1 and IOB2 (a span starts at B, or at I if no span of its type is open) and IOE (E ends one). seqeval
/// also knows S, a span of one word, and always ends a span at E and starts one at B, whatever is before and after it.
enum class SpanRules { kConlleval, kSeqeval };

/// Words [begin, end) of a sentence and their type.
struct TagSpan {
  std::size_t begin = 0, end = 0;
  std::string_view type;  ///< a part of the tag; "" for a tag without a type
  bool operator==(const TagSpan&) const = default;
};

/// The spans of one sentence, from left to right.
std::vector<TagSpan> spans_of(std::span<const std::string> tags, SpanRules rules = SpanRules::kConlleval);

/// Counts of spans and words over sentences. A span is correct if its start, end and type are.
class SpanScores final {
 public:
  explicit SpanScores(SpanRules rules = SpanRules::kConlleval) : rules_(rules) {}

  /// Adds one sentence; returns its own counts, for bootstrap_intervals.
  /// \throws std::invalid_argument  if the numbers of predicted and gold tags differ
  MatchCounts add(std::span<const std::string> gold, std::span<const std::string> predicted);

  const MatchCounts& overall() const { return overall_; }
  /// By type, sorted by name: the types of gold or predicted spans.
  const std::map<std::string, MatchCounts, std::less<>>& by_type() const { return by_type_; }
  double accuracy() const;  ///< of words

  /// accuracy, f1, precision, recall, f1_macro (mean over types), precision_macro, recall_macro.
  MetricValues values() const;

  /// The output of conlleval.pl.
  std::string report() const;

 private:
  SpanRules rules_;
  MatchCounts overall_;
  std::map<std::string, MatchCounts, std::less<>> by_type_;
  std::int64_t words_ = 0, right_words_ = 0;
};

}  // namespace rapt
