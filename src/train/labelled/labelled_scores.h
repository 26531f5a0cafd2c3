// The predictions of a network with a task head on labelled data, and their scores.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "train/labelled/task_scorer.h"
#include "train/metrics/bootstrap.h"
#include "train/metrics/evaluation.h"
#include "train/team/team.h"

namespace rapt {

/// Accumulates a network's predictions with the scorer of the data's task.
class LabelledScores final {
 public:
  /// \param data  the data to evaluate, or its first piece
  explicit LabelledScores(const LabelledData& data);

  /// Adds the logits of the samples [first, first + count), in order, as TaskNetwork::logits returns them for a batch;
  /// calls `visit` for each prediction.
  /// \throws NotFiniteError  naming the line of the data whose logits are not finite
  using Visit = std::function<void(const LabelledData& data, Dim sample, const LabelledPrediction&)>;
  void add(const LabelledData& data, Dim first, Dim count, const Tensor& logits, const Visit& visit = nullptr);

  /// The mean loss and the metrics of the task. The score is the default metric, or `metric` if given.
  /// \throws UsageError  for a metric that the task does not have
  Evaluation evaluation(const std::string& metric = "") const;
  /// default_metric() of the data.
  std::string metric() const { return metric_; }

  /// Confidence intervals (95 %) of the metrics, except macro means of tags and results by kind of question. Resamples
  /// the examples; questions and sentences count as one example each. Empty with fewer than two.
  std::vector<std::pair<std::string, Interval>> intervals() const;

  // As in the task's scorer (task_scorer.h).
  std::vector<std::pair<std::string, MatchCounts>> by_class() const { return scorer_->by_class(); }
  const std::vector<std::string>& class_names() const { return scorer_->names(); }
  const std::map<std::string, std::int64_t>& unknown() const { return scorer_->unknown(); }
  std::string positive_class() const { return scorer_->positive_class(); }
  const ClassificationCounts* confusion() const { return scorer_->confusion(); }
  std::string report() const { return scorer_->report(); }

 private:
  std::unique_ptr<TaskScorer> scorer_;
  std::string metric_;
};

/// Evaluates a network on all of the data, in forward passes of about kEvaluationRows tokens.
/// \param team  divides the passes among itself; each process has all scores
LabelledScores score_labelled(const TaskNetwork& network, const LabelledData& data,
                              const LabelledScores::Visit& visit = nullptr, Team& team = Team::alone());
/// The same for data that is read in pieces.
LabelledScores score_labelled(const TaskNetwork& network, LabelledStream& stream,
                              const LabelledScores::Visit& visit = nullptr, Team& team = Team::alone());

}  // namespace rapt
