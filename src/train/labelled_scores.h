// What a network with a task's head says about labelled data: predictions one by one, and how good they are together.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/evaluation.h"
#include "train/labelled_data.h"
#include "train/metrics/classification.h"
#include "train/metrics/correlation.h"
#include "train/metrics/multilabel.h"
#include "train/metrics/spans.h"
#include "train/metrics/squad_score.h"

namespace rapt {

/// The metric that decides by default: the first of a GLUE task, else accuracy, pearson, f1_micro, f1.
/// \param glue  a task of GLUE; empty: none
std::string default_metric(Task task, const std::string& glue);

/// What is predicted for one sample.
struct LabelledPrediction {
  std::vector<std::string> labels;   ///< kClassify, kChoice: one; kMultilabel: any number; kTag: one a word
  std::vector<float> probabilities;  ///< of each label (kClassify, kMultilabel) or choice
  double value = 0;                  ///< kRegress
  std::string answer;                ///< kQuestion, of the question that the window is the last of
  bool complete = true;              ///< kQuestion: false for a window that others of its question follow
};

/// Adds up what a network predicts. Memory does not grow with what it predicts but for the values of regressions, whose
/// ranks are wanted, and one number an example for confidence intervals.
class LabelledScores final {
 public:
  /// \param data  what is judged, or its first piece
  explicit LabelledScores(const LabelledData& data);

  /// Takes the logits of the samples [first, first + count), in order, as TaskNetwork::logits gives them for a batch of
  /// them; calls `visit` for each prediction.
  using Visit = std::function<void(const LabelledData& data, Dim sample, const LabelledPrediction&)>;
  void add(const LabelledData& data, Dim first, Dim count, const Tensor& logits, const Visit& visit = nullptr);

  /// Mean loss as training has it, and the metrics of the task; score is that of the first, or of `metric` if given.
  /// \throws UsageError  a metric that the task does not have
  Evaluation evaluation(const std::string& metric = "") const;
  /// default_metric() of the data.
  std::string metric() const;

  /// Confidence intervals (95 %) of the metrics; empty for tasks of which single scores say too little.
  std::vector<std::pair<std::string, std::pair<double, double>>> intervals() const;
  /// For people: a confusion matrix, or scores by class. May be empty.
  std::string report() const;

 private:
  MetricValues values() const;
  void add_class(const LabelledData& data, Dim sample, std::span<const float> logits, LabelledPrediction& prediction);
  void add_set(const LabelledData& data, Dim sample, std::span<const float> logits, LabelledPrediction& prediction);
  void add_tags(const LabelledData& data, Dim sample, std::span<const float> logits, LabelledPrediction& prediction);
  void add_window(const LabelledData& data, Dim sample, std::span<const float> logits, LabelledPrediction& prediction);

  Task task_;
  std::string glue_;
  LabelVocabulary labels_;
  std::int32_t positive_ = -1;
  double loss_ = 0;
  std::int64_t predictions_ = 0;
  std::optional<ClassificationCounts> classes_;
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs_;  // gold and predicted class of each example
  AccuracyCount choices_;
  RegressionScores numbers_;
  std::optional<MultilabelCounts> sets_;
  SpanScores spans_;
  std::optional<SquadScores> answers_;
  std::vector<std::vector<float>> starts_, ends_;  // of the windows of the question that is being read
};

/// Judges a network on all of the data, in forward passes of about kEvaluationRows tokens.
LabelledScores score_labelled(const TaskNetwork& network, const LabelledData& data,
                              const LabelledScores::Visit& visit = nullptr);
/// The same for data that is read piece by piece.
LabelledScores score_labelled(const TaskNetwork& network, LabelledStream& stream,
                              const LabelledScores::Visit& visit = nullptr);

}  // namespace rapt
