// What a network with a task's head says about labelled data: predictions one by one, and how good they are together.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/labelled/labelled_data.h"
#include "train/metrics/bootstrap.h"
#include "train/metrics/classification.h"
#include "train/metrics/correlation.h"
#include "train/metrics/evaluation.h"
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

/// Adds up what a network predicts. Memory grows by a few numbers an example, which confidence intervals draw again.
class LabelledScores final {
 public:
  /// \param data  what is judged, or its first piece
  explicit LabelledScores(const LabelledData& data);

  /// Takes the logits of the samples [first, first + count), in order, as TaskNetwork::logits gives them for a batch of
  /// them; calls `visit` for each prediction.
  /// \throws NotFiniteError  naming the line of the data whose logits are not finite
  using Visit = std::function<void(const LabelledData& data, Dim sample, const LabelledPrediction&)>;
  void add(const LabelledData& data, Dim first, Dim count, const Tensor& logits, const Visit& visit = nullptr);

  /// Mean loss as training has it, over labels that the model knows, and the metrics of the task; score is that of the
  /// first, or of `metric` if given. \throws UsageError  a metric that the task does not have
  Evaluation evaluation(const std::string& metric = "") const;
  /// default_metric() of the data.
  std::string metric() const;

  /// Confidence intervals (95 %) of the metrics, but for macro means of tags and questions by their kind: examples are
  /// drawn again, questions and sentences each as a whole. Empty with fewer than two.
  std::vector<std::pair<std::string, Interval>> intervals() const;
  /// Precision, recall and F1 follow for each class, label or type of span. Empty for other tasks.
  std::vector<std::pair<std::string, MatchCounts>> by_class() const;
  /// The names that by_class() and confusion() go by: the model's labels, then those that only the data has, which
  /// nothing predicts.
  const std::vector<std::string>& class_names() const { return names_; }
  /// Labels in the data that the model does not know, and how often they stand there.
  const std::map<std::string, std::int64_t>& unknown() const { return unknown_; }
  /// The class whose F1, precision and recall the metrics of these names are; empty if there is none.
  std::string positive_class() const;
  /// kClassify: which class was taken for which, and how often; nullptr for other tasks.
  const ClassificationCounts* confusion() const { return classes_ ? &*classes_ : nullptr; }
  /// For people: a confusion matrix, or scores by class. May be empty.
  std::string report() const;

 private:
  struct Sentence {
    MatchCounts spans;
    double words = 0, right_words = 0;
  };

  // The labels of one example, as indices of names_.
  struct LabelSets {
    std::vector<std::int32_t> gold, predicted;
  };

  MetricValues values() const;
  std::int32_t class_named(const std::string& unknown);
  static void add_sets(MultilabelCounts& counts, const LabelSets& sets, std::int64_t times);
  MetricValues values_of(std::span<const std::uint32_t> times) const;
  std::size_t examples() const;
  void add_class(const LabelledData& data, Dim sample, std::span<const float> logits, LabelledPrediction& prediction);
  void add_set(const LabelledData& data, Dim sample, std::span<const float> logits, LabelledPrediction& prediction);
  void add_tags(const LabelledData& data, Dim sample, std::span<const float> logits, LabelledPrediction& prediction);
  void add_window(const LabelledData& data, Dim sample, std::span<const float> logits, LabelledPrediction& prediction);

  Task task_;
  std::string glue_;
  LabelVocabulary labels_;
  std::vector<std::string> names_;
  std::map<std::string, std::int64_t> unknown_;
  std::int32_t positive_ = -1;
  double loss_ = 0;
  std::int64_t predictions_ = 0;
  std::optional<ClassificationCounts> classes_;
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs_;  // gold and predicted class of each example
  AccuracyCount choices_;
  RegressionScores numbers_;
  std::optional<MultilabelCounts> sets_;
  std::vector<LabelSets> each_set_;
  SpanScores spans_;
  std::vector<Sentence> sentences_;
  std::optional<SquadScores> answers_;
  std::vector<AnswerScore> each_answer_;
  std::vector<std::vector<float>> starts_, ends_;  // of the windows of the question that is being read
};

/// Judges a network on all of the data, in forward passes of about kEvaluationRows tokens.
LabelledScores score_labelled(const TaskNetwork& network, const LabelledData& data,
                              const LabelledScores::Visit& visit = nullptr);
/// The same for data that is read piece by piece.
LabelledScores score_labelled(const TaskNetwork& network, LabelledStream& stream,
                              const LabelledScores::Visit& visit = nullptr);

}  // namespace rapt
