// rapt predict: what a model with a task's head says about texts, one by one.
#include <fmt/format.h>

#include <memory>

#include "commands.h"
#include "io/durable_file.h"
#include "labelled_input.h"
#include "model_input.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/labelled/predictions.h"
#include "train/labelled_scores.h"

namespace rapt::app {
namespace {

// --out, which appears whole, or standard output.
class Output {
 public:
  explicit Output(const std::string& path) {
    if (!path.empty()) file_ = std::make_unique<DurableFile>(path);
  }
  void write(std::string_view text) {
    if (file_ == nullptr) return out(text);
    file_->append(text);
  }
  void finish() {
    if (file_ != nullptr) file_->commit();
  }

 private:
  std::unique_ptr<DurableFile> file_;
};

std::string print_value(double value) { return fmt::format("{}", static_cast<float>(value)); }

// The names of what probabilities are of.
std::vector<std::string> classes_of(const LabelledData& data) {
  if (data.task() != Task::kChoice) return data.labels().names();
  std::vector<std::string> names;
  for (Dim i = 0; i < data.choices_of(0); ++i) names.push_back(std::to_string(i));
  return names;
}

void require_probabilities(Task task) {
  if (task == Task::kClassify || task == Task::kMultilabel || task == Task::kChoice) return;
  throw UsageError(
      fmt::format("--probabilities is for classes, labels and choices, got a model for --task {}", name_of(task)));
}

PredictionLayout layout_of(const LabelledData& data, PredictionFormat format, bool probabilities) {
  PredictionLayout layout;
  layout.format = format;
  layout.gold = data.labelled() && data.task() != Task::kQuestion;
  layout.sets = data.task() == Task::kMultilabel;
  if (probabilities) layout.classes = classes_of(data);
  if (data.task() == Task::kQuestion) {
    layout.ids = true;
    layout.texts = {"question"};
  } else {
    layout.texts = {"text"};
    if (data.task() != Task::kChoice && data.texts(0).size() > 1) layout.texts.emplace_back("pair");
  }
  return layout;
}

// The row of one sample.
Prediction row_of(const LabelledData& data, Dim sample, const LabelledPrediction& predicted,
                  const PredictionLayout& layout) {
  Prediction row;
  row.line = data.line(sample);
  row.labels = predicted.labels;
  if (!layout.classes.empty()) row.probabilities = predicted.probabilities;
  if (data.task() == Task::kQuestion) {
    const QaQuestion& question = data.questions().questions[data.question_of(sample)];
    row.id = question.id;
    row.labels = {predicted.answer};
    row.texts = {question.question};
    return row;
  }
  for (std::size_t i = 0; i < layout.texts.size(); ++i) row.texts.push_back(data.texts(sample)[i]);
  if (data.task() == Task::kRegress) row.labels = {print_value(predicted.value)};
  if (!layout.gold || !data.labelled()) return row;
  switch (data.task()) {
    case Task::kClassify:
      row.gold = {data.labels().name(static_cast<std::size_t>(data.class_of(sample)))};
      break;
    case Task::kChoice:
      row.gold = {std::to_string(data.class_of(sample))};
      break;
    case Task::kRegress:
      row.gold = {print_value(data.value_of(sample))};
      break;
    case Task::kMultilabel:
      for (std::size_t k = 0; k < data.labels().size(); ++k) {
        if (data.set_of(sample)[k] != 0) row.gold.push_back(data.labels().name(k));
      }
      break;
    case Task::kTag:
    case Task::kQuestion:
      break;
  }
  return row;
}

PredictionFormat format_of(const Arguments& arguments, const std::string& path) {
  const std::string format = arguments.choice("format", "", {"tsv", "jsonl"});
  if (!format.empty()) return format == "tsv" ? PredictionFormat::kTsv : PredictionFormat::kJsonLines;
  if (arguments.has("json")) return PredictionFormat::kJsonLines;
  return path.empty() ? PredictionFormat::kTsv : prediction_format_of(path);
}

// Rows as predictions come, from the first piece of the data on: it tells which columns there are.
class Rows {
 public:
  Rows(PredictionFormat format, bool probabilities, TextSink sink)
      : format_(format), probabilities_(probabilities), sink_(std::move(sink)) {}

  void write(const LabelledData& data, Dim sample, const LabelledPrediction& predicted) {
    if (!predicted.complete) return;
    if (writer_ == nullptr) {
      layout_ = layout_of(data, format_, probabilities_);
      writer_ = std::make_unique<PredictionWriter>(layout_, sink_);
    }
    writer_->write(row_of(data, sample, predicted, layout_));
  }

 private:
  PredictionFormat format_;
  bool probabilities_;
  TextSink sink_;
  PredictionLayout layout_;
  std::unique_ptr<PredictionWriter> writer_;
};

int predict(const Arguments& arguments, const Pretrained& model) {
  const TaskNetwork& network = model.task_network();
  const TrainConfig config = labelled_config(arguments, model);
  const Task task = task_from_name(config.task);
  const bool probabilities = arguments.has("probabilities");
  if (probabilities) require_probabilities(task);
  const std::string path = arguments.text("out");
  const PredictionFormat format = format_of(arguments, path);
  LabelledStream data = open_labelled(arguments, model, config, false);
  Output output(path);
  const TextSink sink = [&](std::string_view text) { output.write(text); };

  if (task == Task::kTag) {
    score_labelled(network, data, [&](const LabelledData& piece, Dim sample, const LabelledPrediction& predicted) {
      output.write(
          tagged_sentence(format, piece.line(sample), piece.texts(sample), piece.tags_of(sample), predicted.labels));
    });
  } else if (task == Task::kQuestion && path.ends_with(".json")) {
    SquadPredictionWriter writer(sink);
    score_labelled(network, data, [&](const LabelledData& piece, Dim sample, const LabelledPrediction& predicted) {
      if (predicted.complete) writer.write(piece.questions().questions[piece.question_of(sample)].id, predicted.answer);
    });
    writer.finish();
  } else {
    Rows rows(format, probabilities, sink);
    score_labelled(network, data, [&](const LabelledData& piece, Dim sample, const LabelledPrediction& predicted) {
      rows.write(piece, sample, predicted);
    });
  }
  output.finish();
  if (!path.empty()) say("wrote " + path);
  return 0;
}

int run(const Arguments& arguments) {
  const Pretrained model = open_model(arguments);
  return with_finite_results(model, [&] { return predict(arguments, model); });
}

}  // namespace

Command predict_command() {
  std::vector<Option> options = {
      {.name = "data", .kind = OptionKind::kList, .value = "FILE", .help = "what to predict; labels may be missing"},
      {.name = "out",
       .value = "FILE",
       .help = ".tsv, .jsonl, or .json for SQuAD's form; standard output if not given",
       .aliases = {"o", "output"}},
      {.name = "format", .value = "tsv|jsonl", .help = "how to write it", .fallback = "by the name of --out, tsv"},
      {.name = "probabilities", .kind = OptionKind::kSwitch, .help = "that of each class, label or choice as well"},
      {.name = "json", .kind = OptionKind::kSwitch, .help = "the same as --format jsonl"}};
  for (Option& option : labelled_input_options()) options.push_back(std::move(option));
  return {.name = "predict",
          .summary = "what a model with a task's head says: classes, numbers, tags, answers",
          .arguments = "MODEL",
          .least = 1,
          .most = 1,
          .examples = {"rapt predict runs/c --data V.tsv --out pred.tsv",
                       "rapt predict runs/c --data V.tsv --probabilities --json",
                       "rapt predict runs/squad --data dev.json --out answers.json"},
          .options = options,
          .more = "A sentence's tags come as lines `word TAB gold TAB predicted`, which conlleval -d '\\t' reads.\n",
          .run = run};
}

}  // namespace rapt::app
