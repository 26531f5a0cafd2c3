// --task regress.
#include "train/labelled/task_scorer.h"
#include "train/metrics/correlation.h"

namespace rapt {
namespace {

class NumberScorer final : public TaskScorer {
 public:
  NumberScorer() : TaskScorer({}) {}

  LabelledPrediction add(const LabelledData& data, Dim sample, std::span<const float> logits) override {
    const double value = static_cast<double>(logits[0]), error = value - data.value_of(sample);
    numbers_.add(data.value_of(sample), value);
    add_loss(error * error);
    return {.value = value};
  }

  std::size_t examples() const override { return numbers_.examples(); }
  MetricValues values() const override { return numbers_.values(); }
  MetricValues values_of(std::span<const std::uint32_t> times) const override { return numbers_.values(times); }

 private:
  RegressionScores numbers_;
};

}  // namespace

std::unique_ptr<TaskScorer> make_number_scorer(const LabelledData&) { return std::make_unique<NumberScorer>(); }

}  // namespace rapt
