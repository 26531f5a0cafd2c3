#include <fmt/format.h>

#include <cmath>
#include <map>

#include "evaluate.h"
#include "io/escape.h"
#include "io/json.h"
#include "labelled_input.h"
#include "terminal.h"
#include "train/labelled/labelled_scores.h"
#include "train/labelled/labelled_summary.h"
#include "train/tasks/labelled_task.h"

namespace rapt::app {
namespace {

using Intervals = std::map<std::string, Interval>;

constexpr std::size_t kMostInMatrix = 100;  // classes: the matrix grows with their square

// JSON has no NaN.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// Rows are gold classes, columns are predicted ones, both in the order of "classes".
Json confusion_matrix(const ClassificationCounts& counts) {
  const auto K = static_cast<std::int32_t>(counts.classes());
  Json matrix = Json::array();
  for (std::int32_t gold = 0; gold < K; ++gold) {
    Json row = Json::array();
    for (std::int32_t predicted = 0; predicted < K; ++predicted) row.push_back(counts.count(gold, predicted));
    matrix.push_back(std::move(row));
  }
  return matrix;
}

Json as_json(const Pretrained& model, const std::string& task, std::int64_t examples, const Evaluation& result,
             const std::string& metric, const Intervals& intervals, const LabelledScores& scores) {
  Json json;
  json["task"] = task;
  json["loss"] = number(result.loss);
  if (!scores.positive_class().empty()) json["positive_class"] = scores.positive_class();
  for (const auto& [name, value] : result.metrics) json[name] = number(value);
  for (const auto& [name, interval] : intervals) {
    json["intervals"][name] = Json::array({number(interval.low), number(interval.high)});
  }
  for (const auto& [name, counts] : scores.by_class()) {
    json["classes"][name] = {{"precision", counts.precision()},
                             {"recall", counts.recall()},
                             {"f1", counts.f1()},
                             {"support", static_cast<std::int64_t>(counts.gold)}};
  }
  const ClassificationCounts* const confusion = scores.confusion();
  if (confusion != nullptr && confusion->classes() <= kMostInMatrix) json["confusion"] = confusion_matrix(*confusion);
  json["metric"] = metric;
  json["examples"] = examples;
  for (const auto& [name, count] : scores.unknown()) json["unknown_labels"][name] = count;
  json["model"] = model.source;
  return json;
}

// The name of a value: for the F1 of one class, includes the class.
std::string metric_title(const std::string& name, const std::string& positive) {
  const bool of_class = !positive.empty() && (name == "f1" || name == "precision" || name == "recall");
  return of_class ? name + " of " + in_quotes(positive, 30) : name;
}

std::string as_text(std::int64_t examples, const Evaluation& result, const Intervals& intervals,
                    const LabelledScores& scores) {
  std::string text = fmt::format("{:<24}{:>10.4f}   {} examples\n", "loss", result.loss, fmt::group_digits(examples));
  for (const auto& [name, value] : result.metrics) {
    text += fmt::format("{:<24}{:>10.4f}", metric_title(name, scores.positive_class()), value);
    const auto interval = intervals.find(name);
    if (interval != intervals.end()) {
      text += fmt::format("   {:.4f} to {:.4f}", interval->second.low, interval->second.high);
    }
    text += '\n';
  }
  if (!intervals.empty()) text += "(to the right: 95 % bootstrap intervals)\n";
  const std::string report = scores.report();
  return report.empty() ? text : text + "\n" + report;
}

}  // namespace

int eval_labelled(const Arguments& arguments, const Pretrained& model, Team& team) {
  const TaskNetwork& network = model.task_network();
  const TrainConfig config = labelled_config(arguments, model);
  const std::string metric = deciding_metric(config);
  arguments.required("data");
  LabelledStream data = open_labelled(arguments.list("data"), arguments, model, config, LabelledUse::kJudge);
  std::int64_t examples = 0;
  const LabelledScores scores = score_labelled(
      network, data,
      [&](const LabelledData&, Dim, const LabelledPrediction& predicted) { examples += predicted.complete ? 1 : 0; },
      team);
  const Evaluation result = scores.evaluation(metric);
  Intervals intervals;
  for (const auto& [name, interval] : scores.intervals()) intervals[name] = interval;
  if (!scores.unknown().empty()) say("note: the data has " + unknown_labels_text(scores.unknown()));
  if (arguments.has("json")) {
    out(as_json(model, config.task, examples, result, metric, intervals, scores).dump() + "\n");
  } else {
    out(as_text(examples, result, intervals, scores));
  }
  return 0;
}

}  // namespace rapt::app
