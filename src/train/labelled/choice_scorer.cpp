// --task choice.
#include "train/labelled/logits.h"
#include "train/labelled/task_scorer.h"

namespace rapt {
namespace {

class ChoiceScorer final : public TaskScorer {
 public:
  ChoiceScorer() : TaskScorer({}) {}

  std::size_t rows(const LabelledData& data, Dim sample) const override {
    return static_cast<std::size_t>(data.choices_of(sample));
  }

  LabelledPrediction add(const LabelledData& data, Dim sample, std::span<const float> logits) override {
    const auto best = static_cast<std::int32_t>(largest(logits));
    LabelledPrediction prediction{.labels = {std::to_string(best)}, .probabilities = softmax(logits)};
    const std::int32_t gold = data.class_of(sample);
    if (gold < 0) return prediction;
    add_loss(cross_entropy(logits, gold));
    right_.push_back(best == gold);
    return prediction;
  }

  std::size_t examples() const override { return right_.size(); }
  MetricValues values() const override { return values_of(std::vector<std::uint32_t>(right_.size(), 1)); }

  MetricValues values_of(std::span<const std::uint32_t> times) const override {
    AccuracyCount right;
    for (std::size_t i = 0; i < times.size(); ++i) right.add(right_[i] != 0, times[i]);
    return {{"accuracy", right.value()}};
  }

 private:
  std::vector<std::uint8_t> right_;  // per question
};

}  // namespace

std::unique_ptr<TaskScorer> make_choice_scorer(const LabelledData&) { return std::make_unique<ChoiceScorer>(); }

}  // namespace rapt
