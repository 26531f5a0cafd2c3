// Translation edit rate (Snover et al. 2006, "A Study of Translation Edit Rate with Targeted Human Annotation"), equal
// to sacreBLEU, which follows Tercom.
#pragma once

#include "train/metrics/text_metric.h"
#include "train/metrics/text_tokenization.h"

namespace rapt {

/// The number of insertions, deletions, replacements and moves of phrases that turn the hypothesis into the reference:
/// moves are chosen greedily, each the one that saves the most edits.
///
/// Limits as in Tercom: a phrase has at most 10 words and moves over at most 50; the edit distance is searched within
/// 25 words of the diagonal. As in sacreBLEU, at most about 1000 moves are tried for a pair of texts. \param
/// hypothesis, reference  numbers of words
std::size_t translation_edits(std::u32string_view hypothesis, std::u32string_view reference);

class Ter final : public TextMetric {
 public:
  Ter(const TerTokenization& tokenization, bool case_sensitive)
      : tokenization_(tokenization), case_sensitive_(case_sensitive) {}

  std::string_view name() const override { return "ter"; }
  std::string settings() const override;
  /// Edits to the closest reference, mean length of the references.
  std::size_t size() const override { return 2; }
  std::vector<double> compare(std::string_view hypothesis, std::span<const std::string> references) const override;
  /// Edits per word of the references, in per cent: lower is better.
  double score(std::span<const double> sums) const override;
  std::string details(std::span<const double> sums) const override;

 private:
  TerTokenization tokenization_;
  bool case_sensitive_;
};

}  // namespace rapt
