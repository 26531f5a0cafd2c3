// --task multilabel.
#include <algorithm>
#include <cmath>

#include "train/labelled/task_scorer.h"
#include "train/metrics/multilabel.h"

namespace rapt {
namespace {

class SetScorer final : public TaskScorer {
 public:
  explicit SetScorer(const LabelledData& data) : TaskScorer(data.labels().names()), counts_(data.labels().size()) {}

  LabelledPrediction add(const LabelledData& data, Dim sample, std::span<const float> logits) override {
    const std::span<const std::uint8_t> gold = data.set_of(sample);
    LabelledPrediction prediction;
    Sets sets;
    for (std::size_t k = 0; k < logits.size(); ++k) {
      const double x = static_cast<double>(logits[k]);
      prediction.probabilities.push_back(static_cast<float>(1 / (1 + std::exp(-x))));
      if (gold[k] != 0) sets.gold.push_back(static_cast<std::int32_t>(k));
      if (x > 0) sets.predicted.push_back(static_cast<std::int32_t>(k));
      if (x > 0) prediction.labels.push_back(data.labels().name(k));
      add_loss(std::max(x, 0.0) - x * gold[k] + std::log1p(std::exp(-std::abs(x))));
    }
    for (const std::string& unknown : data.unknown_of(sample)) sets.gold.push_back(place_of_unknown(unknown));
    counts_.grow(names().size());
    add_to(counts_, sets, 1);
    examples_.push_back(std::move(sets));
    return prediction;
  }

  std::size_t examples() const override { return examples_.size(); }
  MetricValues values() const override { return counts_.values(); }

  MetricValues values_of(std::span<const std::uint32_t> times) const override {
    MultilabelCounts counts(names().size());
    for (std::size_t i = 0; i < times.size(); ++i)
      if (times[i] > 0) add_to(counts, examples_[i], times[i]);
    return counts.values();
  }

  std::vector<std::pair<std::string, MatchCounts>> by_class() const override {
    std::vector<std::pair<std::string, MatchCounts>> result;
    for (std::size_t k = 0; k < names().size(); ++k) result.emplace_back(names()[k], counts_.of_label(k));
    return result;
  }

 private:
  // The labels of one example, as indices in names().
  struct Sets {
    std::vector<std::int32_t> gold, predicted;
  };

  static void add_to(MultilabelCounts& counts, const Sets& sets, std::int64_t times) {
    std::vector<std::uint8_t> gold(counts.labels()), predicted(counts.labels());
    for (const std::int32_t k : sets.gold) gold[static_cast<std::size_t>(k)] = 1;
    for (const std::int32_t k : sets.predicted) predicted[static_cast<std::size_t>(k)] = 1;
    counts.add(gold, predicted, times);
  }

  MultilabelCounts counts_;
  std::vector<Sets> examples_;
};

}  // namespace

std::unique_ptr<TaskScorer> make_set_scorer(const LabelledData& data) { return std::make_unique<SetScorer>(data); }

}  // namespace rapt
