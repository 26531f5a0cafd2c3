// One scorer per task: a network's predictions, and their scores. labelled_scores.h runs one on labelled data.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "train/labelled/labelled_data.h"
#include "train/metrics/classification.h"
#include "train/metrics/metric.h"
#include "train/metrics/spans.h"

namespace rapt {

/// The prediction for one sample.
struct LabelledPrediction {
  std::vector<std::string> labels = {};   ///< kClassify, kChoice: one; kMultilabel: any number; kTag: one per word
  std::vector<float> probabilities = {};  ///< of each label (kClassify, kMultilabel) or choice
  double value = 0;                       ///< kRegress
  std::string answer = {};                ///< kQuestion, for the last window of a question
  bool complete = true;                   ///< kQuestion: false for a window that is followed by others of its question
};

/// Accumulates the predictions of one task. Keeps a few numbers per example, which confidence intervals resample.
class TaskScorer {
 public:
  virtual ~TaskScorer() = default;

  /// Number of rows of logits for a sample.
  virtual std::size_t rows(const LabelledData& data, Dim sample) const;
  /// Adds the next sample. \param logits  rows(data, sample) of them, finite
  virtual LabelledPrediction add(const LabelledData& data, Dim sample, std::span<const float> logits) = 0;

  /// Number of units that confidence intervals resample: examples, sentences, questions.
  virtual std::size_t examples() const = 0;
  virtual MetricValues values() const = 0;
  /// The metrics of a test set that contains example i times[i] times, possibly 0.
  virtual MetricValues values_of(std::span<const std::uint32_t> times) const = 0;

  /// Counts for precision, recall and F1 of each class, label or type of span. Empty for other tasks.
  virtual std::vector<std::pair<std::string, MatchCounts>> by_class() const { return {}; }
  /// How often each class was predicted for each; nullptr for other tasks.
  virtual const ClassificationCounts* confusion() const { return nullptr; }
  /// The class that F1, precision and recall in these metrics refer to; empty if there is none.
  virtual std::string positive_class() const { return ""; }
  /// For users: a confusion matrix, or scores by class. May be empty.
  virtual std::string report() const;

  /// The mean loss as in training, in nats (kRegress: squared error), over labels that the model knows; NaN if there
  /// are none.
  double loss() const;
  std::int64_t predictions() const { return predictions_; }
  /// The model's labels, then those that occur only in the data and are never predicted.
  const std::vector<std::string>& names() const { return names_; }
  /// Labels in the data that the model does not know, with their counts.
  const std::map<std::string, std::int64_t>& unknown() const { return unknown_; }

 protected:
  explicit TaskScorer(std::vector<std::string> names) : names_(std::move(names)), known_(names_.size()) {}

  void add_loss(double loss) {
    loss_ += loss;
    ++predictions_;
  }
  void count_unknown(const std::string& label) { ++unknown_[label]; }
  /// Counts a label that the model does not know. \return  its index in names(), after those that it does
  std::int32_t place_of_unknown(const std::string& label);

 private:
  std::vector<std::string> names_;
  std::size_t known_;  // number of them that the model knows
  std::map<std::string, std::int64_t> unknown_;
  double loss_ = 0;
  std::int64_t predictions_ = 0;
};

/// \param data  the data to evaluate, or its first piece
std::unique_ptr<TaskScorer> make_scorer(const LabelledData& data);

/// The default metric for the best checkpoint: the first one of a GLUE task, else accuracy, pearson, f1_micro, f1.
/// \param glue  a GLUE task; empty: none
std::string default_metric(Task task, const std::string& glue);

// The scorers of the tasks, each in its own file.
std::unique_ptr<TaskScorer> make_class_scorer(const LabelledData& data);
std::unique_ptr<TaskScorer> make_choice_scorer(const LabelledData& data);
std::unique_ptr<TaskScorer> make_number_scorer(const LabelledData& data);
std::unique_ptr<TaskScorer> make_set_scorer(const LabelledData& data);
std::unique_ptr<TaskScorer> make_tag_scorer(const LabelledData& data);
std::unique_ptr<TaskScorer> make_answer_scorer(const LabelledData& data);

}  // namespace rapt
