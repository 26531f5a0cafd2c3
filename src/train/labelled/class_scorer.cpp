// --task classify.
#include "text/labelled/glue.h"
#include "train/labelled/logits.h"
#include "train/labelled/task_scorer.h"

namespace rapt {
namespace {

class ClassScorer final : public TaskScorer {
 public:
  explicit ClassScorer(const LabelledData& data)
      : TaskScorer(data.labels().names()), none_(data.labels().size(), positive_of(data)), counts_(none_) {}

  LabelledPrediction add(const LabelledData& data, Dim sample, std::span<const float> logits) override {
    const auto best = static_cast<std::int32_t>(largest(logits));
    LabelledPrediction prediction{.labels = {data.labels().name(static_cast<std::size_t>(best))},
                                  .probabilities = softmax(logits)};
    std::int32_t gold = data.class_of(sample);
    if (gold >= 0) {
      add_loss(cross_entropy(logits, gold));
    } else {
      if (data.unknown_of(sample).empty()) return prediction;
      gold = place_of_unknown(data.unknown_of(sample).front());
      counts_.grow(names().size());
    }
    pairs_.emplace_back(gold, best);
    counts_.add(gold, best);
    return prediction;
  }

  std::size_t examples() const override { return pairs_.size(); }
  MetricValues values() const override { return counts_.values(); }

  MetricValues values_of(std::span<const std::uint32_t> times) const override {
    ClassificationCounts counts = none_;
    counts.grow(names().size());
    for (std::size_t i = 0; i < times.size(); ++i) counts.add(pairs_[i].first, pairs_[i].second, times[i]);
    MetricValues values = counts.values();
    std::erase_if(values, [](const auto& value) { return value.first == "majority_accuracy"; });
    return values;
  }

  std::vector<std::pair<std::string, MatchCounts>> by_class() const override {
    std::vector<std::pair<std::string, MatchCounts>> result;
    for (std::size_t k = 0; k < names().size(); ++k) result.emplace_back(names()[k], counts_.of_class(k));
    return result;
  }

  const ClassificationCounts* confusion() const override { return &counts_; }
  std::string positive_class() const override {
    return counts_.positive() < 0 ? "" : names()[static_cast<std::size_t>(counts_.positive())];
  }
  std::string report() const override { return TaskScorer::report() + "\n" + confusion_text(counts_, names()); }

 private:
  static std::int32_t positive_of(const LabelledData& data) {
    const std::string& glue = data.options().glue;
    return glue.empty() ? -1 : rapt::positive_class(glue_task(glue), data.labels());
  }

  ClassificationCounts none_;  // of no examples
  ClassificationCounts counts_;
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs_;  // gold and predicted class of each example
};

}  // namespace

std::unique_ptr<TaskScorer> make_class_scorer(const LabelledData& data) { return std::make_unique<ClassScorer>(data); }

}  // namespace rapt
