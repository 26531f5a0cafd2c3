// classify, regress, multilabel, tag, qa, choice: a backbone with a task's head that learns from labels.
#include "train/tasks/labelled_job.h"

#include <algorithm>

#include "tensor/error.h"
#include "text/batches/permutation.h"
#include "text/labelled/glue.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "train/files/pretrained.h"
#include "train/labelled/labelled_scores.h"
#include "train/labelled/labelled_summary.h"
#include "train/models/model_size.h"
#include "train/models/networks.h"
#include "train/settings/numbers.h"
#include "train/tasks/choose.h"
#include "train/tasks/job.h"
#include "train/tasks/run_data.h"

namespace rapt {
namespace {

// Once a small network has seen so many examples, it begins to know them by heart; but all of them are worth a look,
// and ten are enough.
constexpr double kExamplesFromScratch = 60'000, kMostEpochs = 10;

std::string epochs_from_scratch(Dim examples) {
  return print_number(std::clamp(kExamplesFromScratch / static_cast<double>(examples), 1.0, kMostEpochs));
}

// docs/results.md, "Classifiers from scratch", has what was measured.
void choose_from_scratch(LayeredConfig& config, bool knows_words) {
  choose_all(config, {{"learning-rate", "1e-3"},
                      {"batch", "64"},
                      {"beta2", "0.98"},
                      {"weight-decay", "0.1"},
                      {"schedule", "linear"},
                      {"min-learning-rate", "0"},
                      {"warmup", "10%"},
                      {"dropout", knows_words ? "0.1" : "0.3"}});
  if (has_end(config.values)) choose_all(config, {{"eval-every", "1e"}, {"save-every", "1e"}});
}

// Loaded, or learnt from the texts of the examples.
std::shared_ptr<const Tokenizer> make_tokenizer(const TrainConfig& config, const Notice& notice) {
  if (!config.learns_tokenizer()) return load_tokenizer(config.tokenizer);
  TokenizerTrainerOptions options;
  options.type = tokenizer_type_named(config.tokenizer);
  options.vocabulary = config.vocabulary;
  options.special = default_special_tokens(options.type);
  options.lowercase = options.type == TokenizerType::kWordPiece && config.lowercase;
  TokenizerTrainer trainer(options);
  for (const std::string& text : texts_of(config)) trainer.add_text(text + "\n");
  std::shared_ptr<const Tokenizer> tokenizer = trainer.train();
  notice("tokenizer: " + tokenizer->kind() + ", " + std::to_string(tokenizer->vocabulary_size()) +
         " entries, learnt from the data");
  return tokenizer;
}

using SharedData = std::shared_ptr<const LabelledData>;

// Takes a random part of the data away for validation, the same for every seed of a run; windows of a question stay
// together.
SharedData hold_out(SharedData& data, double fraction) {
  const bool windows = data->task() == Task::kQuestion;
  const std::size_t units = windows ? data->questions().questions.size() : static_cast<std::size_t>(data->samples());
  const auto held = static_cast<std::uint64_t>(fraction * static_cast<double>(units));
  if (held == 0 || held == units) return nullptr;
  const IndexPermutation order(units, random_key(1, Purpose::kOrder));
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

// The examples of a run. What was found in them becomes settings: the labels' names, and the columns, so that those who
// use the model find them again.
SharedData read_training_data(LayeredConfig& layered, const SequenceFrame& frame, bool resumes) {
  TrainConfig& config = layered.values;
  LabelledOptions options = labelled_options(config);
  if (resumes) std::swap(options.columns, options.usual);  // found once; of several files each may have its own
  auto data = std::make_shared<const LabelledData>(LabelledData::read(config.data, frame, options));
  config.labels = data->labels().names();
  const TextColumns& found = data->facts().columns;
  if (config.glue.empty() && config.text_column.empty()) config.text_column = found.text;
  if (config.glue.empty() && config.pair_column.empty()) config.pair_column = found.pair;
  if (config.glue.empty() && config.label_column.empty()) config.label_column = found.label;
  return data;
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

// Validation data may have its own columns, and labels that training lacks, which count as wrong.
LabelledOptions validation_options(const TrainConfig& config) {
  LabelledOptions options = labelled_options(config);
  std::swap(options.columns, options.usual);
  options.unknown_labels = true;
  return options;
}

// --reset-layers: the top blocks get the weights that a new network would have. Zhang, Wu, Katiyar, Weinberger, Artzi,
// "Revisiting Few-sample BERT Fine-tuning", 2020, arXiv 2006.05987, section 5.
void reset_top_layers(AnyNetwork& network, const TrainConfig& config) {
  if (config.reset_layers == 0) return;
  if (config.reset_layers > config.layers) {
    throw UsageError("--reset-layers must be at most the number of layers, which is " + std::to_string(config.layers) +
                     ", got " + std::to_string(config.reset_layers));
  }
  Initializer init(static_cast<std::uint64_t>(config.seed) + 1);
  AnyNetwork fresh(network.config(), init);
  std::vector<NamedParameter> to = parameters_of(network.module()), from = parameters_of(fresh.module());
  for (std::size_t i = 0; i < to.size(); ++i) {
    for (Dim layer = config.layers - config.reset_layers; layer < config.layers; ++layer) {
      if (to[i].name.find("blocks." + std::to_string(layer) + ".") == std::string::npos) continue;
      to[i].variable.value().copy_from(from[i].variable.value());
    }
  }
}

}  // namespace

void choose_small_encoder(LayeredConfig& config) {
  choose_all(config, {{"model", "bert"},
                      {"tokenizer", "wordpiece"},
                      {"layers", "2"},
                      {"heads", "4"},
                      {"width", "128"},
                      {"context", "128"},
                      {"norm-epsilon", "1e-12"},
                      {"activation", "gelu"}});
  if (config.values.model == "bert") choose(config, "attention-start", "neighbours");
}

std::vector<std::string> texts_of(const TrainConfig& config, const Notice& told) {
  // Bytes are enough to read the examples.
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
  options.task = task_from_name(config.task);
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
  if (!config.is_labelled()) return "loss";
  return config.metric.empty() ? default_metric(task_from_name(config.task), config.glue) : config.metric;
}

SequenceFrame frame_of(const TrainConfig& config, std::shared_ptr<const Tokenizer> tokenizer) {
  return SequenceFrame(std::move(tokenizer), config.model == "bert", config.longest_sequence());
}

TrainingData training_data(std::shared_ptr<const LabelledData> data, const TrainConfig& config) {
  const Dim samples = data->samples();
  const auto sample_at = [samples, seed = static_cast<std::uint64_t>(config.seed)](std::int64_t i) {
    const auto epoch = static_cast<std::uint64_t>(i / samples);
    const IndexPermutation order(static_cast<std::uint64_t>(samples), random_key(seed, Purpose::kOrder, epoch));
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

Job prepare_labelled(const JobRequest& request) {
  LayeredConfig& layered = request.config;
  const TrainConfig& config = layered.values;
  const Pretrained start = start_of(request);
  const bool from_words = !config.init.empty() && !layered.given("init");
  std::shared_ptr<const Tokenizer> tokenizer = start.tokenizer;
  if (request.from == nullptr) {
    if (start.network != nullptr) {
      require_tokenizer(start);
      if (from_words) {
        choose_from_scratch(layered, true);
      } else {
        choose_fine_tuning(layered);
      }
    } else {
      choose_small_encoder(layered);
      choose_from_scratch(layered, false);
      tokenizer = make_tokenizer(config, request.notice);
    }
    if (config.model != "bert") tokenizer = with_delimiters(*tokenizer);
    fit_max_length(layered);
  }

  const SequenceFrame frame = frame_of(config, tokenizer);
  SharedData data = read_training_data(layered, frame, request.from != nullptr);
  const Notice told = request.from == nullptr ? request.notice : Notice([](const std::string&) {});
  if (!from_words) tell_examples(*data, told);
  tell_lengths(*data, frame.max_length(), told);
  SharedData held_out;
  const bool own_validation = !config.validation_data.empty();
  if (own_validation) {
    held_out = std::make_shared<const LabelledData>(
        LabelledData::read({config.validation_data}, frame, validation_options(config)));
  } else if (config.validation_fraction > 0) {
    held_out = hold_out(data, config.validation_fraction);
  }
  tell_validation(held_out.get(), own_validation, told);

  Job job;
  job.data = training_data(data, config);
  if (held_out) job.held_out_tokens = static_cast<double>(held_out->tokens());
  const Dim vocabulary = std::max<Dim>(tokenizer->vocabulary_size(),
                                       start.network != nullptr ? start.network->backbone().vocabulary() : 0);
  if (request.from == nullptr) {
    if (from_words || start.network == nullptr) {
      choose(layered, "most-epochs", epochs_from_scratch(data->samples()));
    }
    choose_length(layered, network_config(config, vocabulary), job.data, job.held_out_tokens, request.notice);
    validate(config);
  }
  const bool same_head = start.config.task == config.task && start.config.labels == config.labels;
  job.network = first_network(request, start, vocabulary, same_head);
  if (start.network != nullptr) reset_top_layers(*job.network, config);
  job.tokenizer = tokenizer;
  job.flop_per_token = model_size(config, vocabulary, job.data.tokens_per_sample).flop_per_token;
  job.metric = deciding_metric(config);
  if (held_out) {
    job.evaluate = [&network = *job.network->as<TaskNetwork>(), held_out, metric = job.metric](std::int64_t most) {
      if (most <= 0 || most >= held_out->tokens()) return score_labelled(network, *held_out).evaluation(metric);
      const LabelledData part = held_out->subset(part_of(*held_out, most));
      Evaluation evaluation = score_labelled(network, part).evaluation(metric);
      evaluation.share = static_cast<double>(part.tokens()) / static_cast<double>(held_out->tokens());
      return evaluation;
    };
  }
  return job;
}

}  // namespace rapt
