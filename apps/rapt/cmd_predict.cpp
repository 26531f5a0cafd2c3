// rapt predict: the predictions of a model with a task head, one text at a time.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "commands.h"
#include "labelled_input.h"
#include "model_input.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/labelled/predictions.h"
#include "text_output.h"
#include "train/labelled/labelled_scores.h"

namespace rapt::app {
namespace {

std::string print_value(double value) { return fmt::format("{}", static_cast<float>(value)); }

// The names of the classes, labels or choices that probabilities refer to.
std::vector<std::string> classes_of(const LabelledData& data) {
  if (data.task() != Task::kChoice) return data.labels().names();
  std::vector<std::string> names;
  for (Dim i = 0; i < data.choices_of(0); ++i) names.push_back(std::to_string(i));
  return names;
}

// The requested form of predictions.
struct Wishes {
  PredictionFormat format = PredictionFormat::kTsv;
  bool probabilities = false;
  std::size_t top = 0;
};

Wishes wishes_of(const Arguments& arguments, Task task, const std::string& path) {
  Wishes wishes;
  wishes.probabilities = arguments.has("probabilities");
  wishes.top = static_cast<std::size_t>(arguments.whole("top", 0, 1, 10'000));
  const bool has_classes = task == Task::kClassify || task == Task::kMultilabel || task == Task::kChoice;
  for (const char* name : {"probabilities", "top"}) {
    if (!arguments.has(name) || has_classes) continue;
    throw UsageError(
        fmt::format("--{} is for classes, labels and choices, got a model for --task {}", name, name_of(task)));
  }
  const std::string format = arguments.choice("output-format", "", {"tsv", "csv", "jsonl"});
  if (format.empty() && arguments.has("json")) {
    wishes.format = PredictionFormat::kJsonLines;
  } else {
    wishes.format = prediction_format_of(format.empty() ? path : "." + format);
  }
  return wishes;
}

PredictionLayout layout_of(const LabelledData& data, const Wishes& wishes) {
  PredictionLayout layout;
  const bool question = data.task() == Task::kQuestion;
  layout.format = wishes.format;
  layout.gold = !question && (data.any_labelled() || !data.facts().columns.label.empty());
  layout.sets = data.task() == Task::kMultilabel;
  layout.probability = data.task() == Task::kClassify || data.task() == Task::kChoice;
  if (wishes.probabilities) layout.classes = classes_of(data);
  layout.top = std::min(wishes.top, classes_of(data).size());
  layout.ids = question;
  layout.texts = {question ? "question" : "text"};
  if (!question && data.task() != Task::kChoice && data.texts(0).size() > 1) layout.texts.emplace_back("pair");
  layout.others = data.other_columns();
  return layout;
}

std::vector<std::pair<std::string, float>> best_of(const std::vector<std::string>& names,
                                                   const std::vector<float>& probabilities, std::size_t count) {
  std::vector<std::pair<std::string, float>> best;
  for (std::size_t i = 0; i < names.size(); ++i) best.emplace_back(names[i], probabilities[i]);
  std::ranges::stable_sort(best, [](const auto& a, const auto& b) { return a.second > b.second; });
  best.resize(std::min(best.size(), count));
  return best;
}

// The row of one sample.
Prediction row_of(const LabelledData& data, Dim sample, const LabelledPrediction& predicted,
                  const PredictionLayout& layout) {
  Prediction row;
  row.line = data.line(sample);
  row.labels = predicted.labels;
  if (!layout.classes.empty()) row.probabilities = predicted.probabilities;
  if (layout.probability) row.probability = *std::ranges::max_element(predicted.probabilities);
  if (layout.top > 0) row.top = best_of(classes_of(data), predicted.probabilities, layout.top);
  if (data.task() == Task::kQuestion) {
    const QaQuestion& question = data.questions().questions[data.question_of(sample)];
    row.id = question.id;
    row.labels = {predicted.answer};
    row.texts = {question.question};
    return row;
  }
  for (std::size_t i = 0; i < layout.texts.size(); ++i) row.texts.push_back(data.texts(sample)[i]);
  if (data.task() == Task::kRegress) row.labels = {print_value(predicted.value)};
  if (layout.gold) row.gold = data.gold_of(sample);
  row.others = data.others_of(sample);
  row.others.resize(layout.others.size());
  return row;
}

// Writes rows as predictions arrive. The first piece of the data determines the columns.
class Rows {
 public:
  Rows(const Wishes& wishes, TextSink sink) : wishes_(wishes), sink_(std::move(sink)) {}

  void write(const LabelledData& data, Dim sample, const LabelledPrediction& predicted) {
    if (!predicted.complete) return;
    if (writer_ == nullptr) {
      layout_ = layout_of(data, wishes_);
      writer_ = std::make_unique<PredictionWriter>(layout_, sink_);
    }
    writer_->write(row_of(data, sample, predicted, layout_));
  }

 private:
  Wishes wishes_;
  TextSink sink_;
  PredictionLayout layout_;
  std::unique_ptr<PredictionWriter> writer_;
};

// The function that writes each prediction, by the task and the file's name.
LabelledScores::Visit visit_of(Task task, const Wishes& wishes, const std::string& path, const TextSink& sink,
                               SquadPredictionWriter& squad, Rows& rows) {
  if (task == Task::kTag) {
    if (wishes.format == PredictionFormat::kCsv) sink(kTaggedCsvHeader);
    return [&wishes, &sink](const LabelledData& data, Dim sample, const LabelledPrediction& predicted) {
      sink(tagged_sentence(wishes.format, data.line(sample), data.texts(sample), data.tags_of(sample), predicted.labels,
                           data.other_columns(), data.others_of(sample)));
    };
  }
  if (task == Task::kQuestion && path.ends_with(".json")) {
    return [&squad](const LabelledData& data, Dim sample, const LabelledPrediction& predicted) {
      if (predicted.complete) squad.write(data.questions().questions[data.question_of(sample)].id, predicted.answer);
    };
  }
  return [&rows](const LabelledData& data, Dim sample, const LabelledPrediction& predicted) {
    rows.write(data, sample, predicted);
  };
}

int predict(const Arguments& arguments, const Pretrained& model) {
  const TaskNetwork& network = model.task_network();
  const TrainConfig config = labelled_config(arguments, model);
  const Task task = task_named(config.task);
  const std::string path = arguments.text("out");
  const Wishes wishes = wishes_of(arguments, task, path);
  LabelledStream data = open_labelled(input_files(arguments), arguments, model, config, LabelledUse::kPredict);
  TextOutput output(path);
  const TextSink sink = [&](std::string_view text) { output.write(text); };
  Rows rows(wishes, sink);
  SquadPredictionWriter squad(sink);
  const LabelledScores::Visit write = visit_of(task, wishes, path, sink, squad, rows);
  score_labelled(network, data, [&](const LabelledData& piece, Dim sample, const LabelledPrediction& predicted) {
    write(piece, sample, predicted);
    if (sample + 1 == piece.samples()) output.flush();
  });
  if (task == Task::kQuestion && path.ends_with(".json")) squad.finish();
  output.finish();
  if (!path.empty()) say("wrote " + path);
  return 0;
}

int run_predict(const Arguments& arguments) {
  const Pretrained model = open_model(arguments);
  return with_finite_results(model, [&] { return predict(arguments, model); });
}

}  // namespace

Command predict_command() {
  std::vector<Option> options = {
      {.name = "data",
       .kind = OptionKind::kList,
       .value = "FILE",
       .help = "texts to predict, like the FILE argument; labels are not needed",
       .fallback = "standard input"},
      {.name = "out",
       .value = "FILE",
       .help = "output file: .tsv, .csv, .jsonl, or .json in SQuAD's format",
       .aliases = {"o", "output"},
       .fallback = "standard output"},
      {.name = "output-format",
       .value = "tsv|csv|jsonl",
       .help = "output format",
       .fallback = "from the name of --out, else tsv"},
      {.name = "top", .value = "N", .help = "also print the N most probable classes, labels or choices"},
      {.name = "probabilities",
       .kind = OptionKind::kSwitch,
       .help = "also print the probability of each class, label or choice"},
      {.name = "json", .kind = OptionKind::kSwitch, .help = "same as --output-format jsonl"}};
  for (Option& option : labelled_input_options()) options.push_back(std::move(option));
  return {
      .name = "predict",
      .summary = "predict classes, numbers, tags or answers with a fine-tuned model",
      .arguments = "MODEL [FILE]...",
      .least = 1,
      .most = 1 << 20,
      .examples = {"rapt predict runs/c V.tsv --out pred.tsv", "rapt predict runs/c reviews.txt --top 3",
                   "echo 'a fine film' | rapt predict runs/c", "rapt predict runs/c V.tsv --probabilities --json",
                   "rapt predict runs/squad dev.json --out answers.json"},
      .options = options,
      .more =
          "A file is a table with a text column, or has one text per line. Other columns are copied to the output.\n"
          "Tags are written as lines of `word TAB gold TAB predicted`, which conlleval -d '\\t' reads. If the input "
          "is\n"
          "not split into words, the tokenizer splits it.\n",
      .run = run_predict};
}

}  // namespace rapt::app
