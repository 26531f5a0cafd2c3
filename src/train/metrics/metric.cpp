#include "train/metrics/metric.h"

#include <array>
#include <cmath>

#include "io/names.h"

namespace rapt {

static constexpr auto kMetrics = std::to_array<MetricInfo>({
    {"accuracy", "share of examples (of tokens, for tags) that are correct"},
    {"majority_accuracy", "accuracy of always predicting the most frequent class"},
    {"f1", "F1 of the positive class, of spans for tags, of words for answers"},
    {"precision", "precision of the positive class; of spans for tags"},
    {"recall", "recall of the positive class; of spans for tags"},
    {"f1_micro", "F1 of all decisions together"},
    {"precision_micro", "precision of all decisions together"},
    {"recall_micro", "recall of all decisions together"},
    {"f1_macro", "mean of the classes' F1"},
    {"precision_macro", "mean of the classes' precision"},
    {"recall_macro", "mean of the classes' recall"},
    {"subset_accuracy", "share of examples whose whole set of labels is correct"},
    {"matthews", "Matthews' correlation of predicted and gold classes, -1 to 1"},
    {"pearson", "linear correlation, -1 to 1"},
    {"spearman", "correlation of ranks, -1 to 1"},
    {"mse", "mean squared error", false},
    {"mae", "mean absolute error", false},
    {"exact_match", "share of answers that match exactly"},
    {"exact_match_answerable", "exact_match of the questions that have an answer"},
    {"f1_answerable", "f1 of the questions that have an answer"},
    {"accuracy_unanswerable", "share of the questions without an answer for which none is given"},
    {"bleu", "BLEU of generated texts, 0 to 100"},
    {"chrf", "chrF of generated texts: F-score of n-grams of characters, 0 to 100"},
    {"chrf++", "chrf with n-grams of words"},
    {"ter", "translation edit rate: edits per 100 words of the references", false},
    {"rouge-1", "ROUGE-1 of generated texts: F1 of words, 0 to 100"},
    {"rouge-2", "F1 of pairs of words"},
    {"rouge-l", "F1 of the longest common subsequence"},
    {"rouge-lsum", "F1 of the longest common subsequences of lines"},
    {"loss", "mean loss", false},
});

const MetricInfo& metric_info(std::string_view name) {
  return find_named(name, kMetrics, &MetricInfo::name, "metric:");
}

double metric_value(const MetricValues& values, std::string_view name) {
  metric_info(name);
  return find_named(name, values, &MetricValues::value_type::first, "metric: for this task it").second;
}

double share(double a, double b) { return b == 0 ? 0 : a / b; }

MatchCounts& MatchCounts::operator+=(const MatchCounts& other) {
  right += other.right;
  found += other.found;
  gold += other.gold;
  return *this;
}

}  // namespace rapt
