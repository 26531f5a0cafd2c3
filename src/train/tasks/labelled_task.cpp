// classify, regress, multilabel, tag, qa, choice: a backbone with a task head that is trained on labels.
#include "train/tasks/labelled_task.h"

#include <algorithm>

#include "nn/models/task_network.h"
#include "tensor/error.h"
#include "text/batches/permutation.h"
#include "text/labelled/glue.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "train/labelled/labelled_scores.h"
#include "train/labelled/labelled_summary.h"
#include "train/models/family.h"
#include "train/tasks/make_tokenizer.h"
#include "train/tasks/task_data.h"

namespace rapt {
namespace {

std::unique_ptr<Tokenizer> train_on_examples(const TrainConfig& config, const TokenizerTrainerOptions& options) {
  TokenizerTrainer trainer(options);
  for (const std::string& text : texts_of(config)) trainer.add_text(text + "\n");
  return trainer.train();
}

using SharedData = std::shared_ptr<const LabelledData>;

// Holds out a random part of the data for validation, the same for every seed of a run; windows of a question stay
// together.
SharedData hold_out(SharedData& data, double fraction) {
  const bool windows = data->task() == Task::kQuestion;
  const std::size_t units = windows ? data->questions().questions.size() : static_cast<std::size_t>(data->samples());
  const auto held = static_cast<std::uint64_t>(fraction * static_cast<double>(units));
  if (held == 0 || held == units) return nullptr;
  const IndexPermutation order(units, order_key(1, OrderSite::kSamples));
  std::vector<bool> is_held(units);
  for (std::uint64_t i = 0; i < held; ++i) is_held[order(i)] = true;
  std::vector<Dim> kept, out;
  for (Dim s = 0; s < data->samples(); ++s) {
    (is_held[windows ? data->question_of(s) : static_cast<std::size_t>(s)] ? out : kept).push_back(s);
  }
  if (kept.empty() || out.empty()) return nullptr;
  auto validation = std::make_shared<const LabelledData>(data->subset(out));
  data = std::make_shared<const LabelledData>(data->subset(kept));
  return validation;
}

// Samples with about `most` tokens, evenly spaced; windows of a question stay together.
std::vector<Dim> part_of(const LabelledData& data, std::int64_t most) {
  const bool windows = data.task() == Task::kQuestion;
  const auto units = windows ? static_cast<Dim>(data.questions().questions.size()) : data.samples();
  const std::vector<Dim> chosen = evenly_spaced(units, units * most / data.tokens());
  if (!windows) return chosen;
  std::vector<Dim> samples;
  for (Dim s = 0; s < data.samples(); ++s) {
    if (std::ranges::binary_search(chosen, static_cast<Dim>(data.question_of(s)))) samples.push_back(s);
  }
  return samples;
}

// The columns of validation data if its own names do not determine them: those of the training data.
TextColumns usual_columns(TextColumns asked, const TextColumns& found) {
  if (asked.text.empty()) asked.text = found.text;
  if (asked.pair.empty()) asked.pair = found.pair;
  if (asked.label.empty()) asked.label = found.label;
  return asked;
}

class LabelledTaskData final : public TaskData {
 public:
  std::optional<CorpusInfo> text(const TrainConfig&) override { return std::nullopt; }
  bool is_tokens() const override { return false; }

  void read(const ReadingRequest& request) override {
    const TrainConfig& config = request.config;
    const bool is_new = request.start != Start::kCheckpoint;
    tokenizer_ = request.tokenizers.target;
    if (tokenizer_ == nullptr) {
      tokenizer_ = make_tokenizer(config, request.notice, [&](const TokenizerTrainerOptions& options) {
        return train_on_examples(config, options);
      });
    }
    if (is_new && !family_of(config).framed_by_tokenizer) tokenizer_ = with_delimiters(*tokenizer_);
    const SequenceFrame frame = frame_of(config, tokenizer_);
    LabelledOptions options = labelled_options(config);
    if (!is_new) std::swap(options.columns, options.usual);  // detected once; each of several files may have its own
    data_ = std::make_shared<const LabelledData>(LabelledData::read(config.data, frame, options));
    facts_ = {.labels = data_->labels().names(), .columns = data_->facts().columns};
    const Notice told = is_new ? request.notice : [](const std::string&) {};
    if (request.start != Start::kOwnWords) tell_examples(*data_, told);  // otherwise already reported
    tell_lengths(*data_, frame.max_length(), told);
    read_held_out(config, frame);
    tell_validation(held_out_.get(), !config.validation_data.empty(), told);
    facts_.examples = data_->samples();
  }

  Tokenizers tokenizers() const override { return {.target = tokenizer_}; }
  DataFacts facts() const override { return facts_; }
  VocabularySizes vocabulary(VocabularySizes known) const override {
    return std::max<Dim>(tokenizer_->vocabulary_size(), known.target);
  }
  TrainingData batches(const TrainConfig& config) const override { return training_data(config, data_); }
  double validation_tokens(const TrainConfig&, const TrainingData&) const override {
    return held_out_ ? static_cast<double>(held_out_->tokens()) : 0;
  }

  void judge(Job& job, const TrainConfig& config) const override {
    job.metric = deciding_metric(config);
    job.held_out_tokens = validation_tokens(config, job.data);
    if (!held_out_) return;
    job.evaluate = [&network = *job.network->as<TaskNetwork>(), held_out = held_out_, metric = job.metric](
                       std::int64_t most, Team& team) {
      const auto score = [&](const LabelledData& data) {
        return score_labelled(network, data, nullptr, team).evaluation(metric);
      };
      if (most <= 0 || most >= held_out->tokens()) return score(*held_out);
      const LabelledData part = held_out->subset(part_of(*held_out, most));
      Evaluation evaluation = score(part);
      evaluation.share = static_cast<double>(part.tokens()) / static_cast<double>(held_out->tokens());
      return evaluation;
    };
  }

 private:
  // Validation data may have its own columns, and labels that are not in the training data, which count as wrong.
  void read_held_out(const TrainConfig& config, const SequenceFrame& frame) {
    if (config.validation_data.empty()) {
      if (config.validation_fraction > 0) held_out_ = hold_out(data_, config.validation_fraction);
      return;
    }
    LabelledOptions options = labelled_options(config);
    if (config.glue.empty()) options.usual = usual_columns(options.columns, facts_.columns);
    options.columns = {};
    options.labels = facts_.labels;
    options.unknown_labels = true;
    held_out_ = std::make_shared<const LabelledData>(LabelledData::read({config.validation_data}, frame, options));
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  SharedData data_, held_out_;
  DataFacts facts_;
};

}  // namespace

std::vector<std::string> texts_of(const TrainConfig& config, const Notice& told) {
  // A byte tokenizer is enough to read the examples.
  TokenizerTrainer bytes({.type = TokenizerType::kByte});
  bytes.add_text(" ");
  const SequenceFrame frame(bytes.train(), true, std::max<Dim>(config.context, 512));
  const LabelledData data = LabelledData::read(config.data, frame, labelled_options(config));
  if (told) tell_examples(data, told);
  std::vector<std::string> texts;
  for (Dim s = 0; s < data.samples(); ++s) {
    std::string words;
    for (const std::string& text : data.texts(s)) {
      if (data.task() == Task::kTag) {
        words += (words.empty() ? "" : " ") + text;
      } else {
        texts.push_back(text);
      }
    }
    if (data.task() == Task::kTag) texts.push_back(std::move(words));
  }
  for (const std::string& context : data.questions().contexts) texts.push_back(context);
  for (const QaQuestion& q : data.questions().questions) texts.push_back(q.question);
  return texts;
}

LabelledOptions labelled_options(const TrainConfig& config) {
  LabelledOptions options;
  options.task = task_named(config.task);
  options.glue = config.glue;
  options.columns = {config.text_column, config.pair_column, config.label_column};
  options.format = config.format;
  options.header = config.header;
  if (config.label_separator.size() != 1) {
    throw UsageError("--label-separator must be one character, got " + std::to_string(config.label_separator.size()));
  }
  options.separator = config.label_separator[0];
  options.labels = config.labels;
  options.stride = config.stride;
  options.language_model = config.language_model_weight > 0;
  return options;
}

std::string deciding_metric(const TrainConfig& config) {
  if (config.has_source() && !config.valid_metrics.empty()) return config.valid_metrics.front();
  if (!config.is_labelled()) return "loss";
  return config.metric.empty() ? default_metric(task_named(config.task), config.glue) : config.metric;
}

SequenceFrame frame_of(const TrainConfig& config, std::shared_ptr<const Tokenizer> tokenizer) {
  return SequenceFrame(std::move(tokenizer), family_of(config).framed_by_tokenizer, config.longest_sequence());
}

TrainingData training_data(const TrainConfig& config, std::shared_ptr<const LabelledData> data) {
  const Dim samples = data->samples();
  const auto sample_at = [samples, seed = static_cast<std::uint64_t>(config.seed)](std::int64_t i) {
    const auto epoch = static_cast<std::uint64_t>(i / samples);
    const IndexPermutation order(static_cast<std::uint64_t>(samples), order_key(seed, OrderSite::kSamples, epoch));
    return static_cast<Dim>(order(static_cast<std::uint64_t>(i % samples)));
  };
  TrainingData result;
  result.train = [data, sample_at](std::int64_t first, Dim count) {
    std::vector<Dim> chosen;
    for (Dim i = 0; i < count; ++i) chosen.push_back(sample_at(first + i));
    return data->batch(chosen);
  };
  if (config.batch_tokens > 0) {
    result.fitting = fitting_by_tokens(
        config.batch_tokens, [data, sample_at](std::int64_t sample) { return data->tokens_of(sample_at(sample)); });
  }
  result.samples_per_epoch = samples;
  result.tokens_per_sample = static_cast<double>(data->tokens()) / static_cast<double>(samples);
  return result;
}

std::unique_ptr<TaskData> open_labelled_data() { return std::make_unique<LabelledTaskData>(); }

}  // namespace rapt
