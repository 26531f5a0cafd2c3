// One scorer a task: what a network says about an example, and how good all it said was. labelled_scores.h runs one
// over labelled data.
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

/// What is predicted for one sample.
struct LabelledPrediction {
  std::vector<std::string> labels = {};   ///< kClassify, kChoice: one; kMultilabel: any number; kTag: one a word
  std::vector<float> probabilities = {};  ///< of each label (kClassify, kMultilabel) or choice
  double value = 0;                       ///< kRegress
  std::string answer = {};                ///< kQuestion, of the question that the window is the last of
  bool complete = true;                   ///< kQuestion: false for a window that others of its question follow
};

/// Adds up the predictions of one task. Keeps a few numbers an example, which confidence intervals draw again.
class TaskScorer {
 public:
  virtual ~TaskScorer() = default;

  /// How many rows of logits are about a sample.
  virtual std::size_t rows(const LabelledData& data, Dim sample) const;
  /// Takes the next sample. \param logits  rows(data, sample) of them, finite
  virtual LabelledPrediction add(const LabelledData& data, Dim sample, std::span<const float> logits) = 0;

  /// What confidence intervals draw: examples, sentences, questions.
  virtual std::size_t examples() const = 0;
  virtual MetricValues values() const = 0;
  /// The metrics of a test set that has example i times[i] times; some may be left out.
  virtual MetricValues values_of(std::span<const std::uint32_t> times) const = 0;

  /// What precision, recall and F1 follow from, for each class, label or type of span. Empty for other tasks.
  virtual std::vector<std::pair<std::string, MatchCounts>> by_class() const { return {}; }
  /// Which class was taken for which, and how often; nullptr for other tasks.
  virtual const ClassificationCounts* confusion() const { return nullptr; }
  /// The class whose F1, precision and recall the metrics of these names are; empty if there is none.
  virtual std::string positive_class() const { return ""; }
  /// For people: a confusion matrix, or scores by class. May be empty.
  virtual std::string report() const;

  /// Mean loss as training has it, in nats (kRegress: squared error), over labels that the model knows; NaN if there
  /// are none.
  double loss() const;
  std::int64_t predictions() const { return predictions_; }
  /// The model's labels, then those that only the data has, which nothing predicts.
  const std::vector<std::string>& names() const { return names_; }
  /// Labels in the data that the model does not know, and how often they occur.
  const std::map<std::string, std::int64_t>& unknown() const { return unknown_; }

 protected:
  explicit TaskScorer(std::vector<std::string> names) : names_(std::move(names)), known_(names_.size()) {}

  void add_loss(double loss) {
    loss_ += loss;
    ++predictions_;
  }
  void count_unknown(const std::string& label) { ++unknown_[label]; }
  /// Counts a label that the model does not know. \return  its place in names(), behind those that it does
  std::int32_t place_of_unknown(const std::string& label);

 private:
  std::vector<std::string> names_;
  std::size_t known_;  // how many of them the model knows
  std::map<std::string, std::int64_t> unknown_;
  double loss_ = 0;
  std::int64_t predictions_ = 0;
};

/// \param data  what is judged, or its first piece
std::unique_ptr<TaskScorer> make_scorer(const LabelledData& data);

/// The metric that decides by default: the first of a GLUE task, else accuracy, pearson, f1_micro, f1.
/// \param glue  a task of GLUE; empty: none
std::string default_metric(Task task, const std::string& glue);

// The scorers by task, each in a file of its name.
std::unique_ptr<TaskScorer> make_class_scorer(const LabelledData& data);
std::unique_ptr<TaskScorer> make_choice_scorer(const LabelledData& data);
std::unique_ptr<TaskScorer> make_number_scorer(const LabelledData& data);
std::unique_ptr<TaskScorer> make_set_scorer(const LabelledData& data);
std::unique_ptr<TaskScorer> make_tag_scorer(const LabelledData& data);
std::unique_ptr<TaskScorer> make_answer_scorer(const LabelledData& data);

}  // namespace rapt
