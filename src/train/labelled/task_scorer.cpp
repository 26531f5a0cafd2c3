#include "train/labelled/task_scorer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "text/labelled/glue.h"

namespace rapt {

namespace {

struct TaskRow {
  Task task;
  const char* metric;  // the default metric
  std::unique_ptr<TaskScorer> (*make)(const LabelledData& data);
};

constexpr TaskRow kTasks[] = {
    {Task::kClassify, "accuracy", make_class_scorer}, {Task::kChoice, "accuracy", make_choice_scorer},
    {Task::kRegress, "pearson", make_number_scorer},  {Task::kTag, "f1", make_tag_scorer},
    {Task::kMultilabel, "f1_micro", make_set_scorer}, {Task::kQuestion, "f1", make_answer_scorer},
};

const TaskRow& row_of(Task task) {
  return *std::ranges::find(kTasks, task, &TaskRow::task);  // each task has a row
}

}  // namespace

std::unique_ptr<TaskScorer> make_scorer(const LabelledData& data) { return row_of(data.task()).make(data); }

std::string default_metric(Task task, const std::string& glue) {
  return glue.empty() ? row_of(task).metric : std::string(glue_task(glue).metrics.front());
}

std::size_t TaskScorer::rows(const LabelledData&, Dim) const { return 1; }

double TaskScorer::loss() const {
  return predictions_ > 0 ? loss_ / static_cast<double>(predictions_) : std::numeric_limits<double>::quiet_NaN();
}

std::int32_t TaskScorer::place_of_unknown(const std::string& label) {
  count_unknown(label);
  const auto named = std::find(names_.begin() + static_cast<std::ptrdiff_t>(known_), names_.end(), label);
  const auto place = static_cast<std::int32_t>(named - names_.begin());
  if (named == names_.end()) names_.push_back(label);
  return place;
}

std::string TaskScorer::report() const {
  const auto classes = by_class();
  return classes.empty() ? "" : class_text(classes);
}

}  // namespace rapt
