#include "train/tasks/choose.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "tensor/error.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "train/models/model_size.h"
#include "train/models/networks.h"
#include "train/optimise/trainer.h"
#include "train/settings/presets.h"
#include "train/settings/settings.h"
#include "train/tasks/machine.h"

namespace rapt {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kDefaultMinutes = 5;

std::string text_of(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

// A network of the table: what fits a budget of `operations`.
struct Rung {
  double operations;  // of the whole run, from which on this one is worth it
  const char *layers, *heads, *width, *context, *batch, *learning_rate;
};

// Larger networks only pay when the budget lets them see enough text; below that a small one that sees more is better.
// docs/results.md, "A text file and nothing else", has what was measured.
constexpr Rung kLadder[] = {
    {0, "2", "4", "64", "64", "8", "4e-3"},       {2e11, "3", "4", "96", "64", "8", "4e-3"},
    {2e12, "4", "4", "128", "128", "8", "3e-3"},  {1e14, "6", "6", "192", "128", "12", "2e-3"},
    {1e15, "6", "6", "384", "256", "12", "1e-3"}, {2e16, "12", "12", "768", "512", "16", "6e-4"},
};

const Rung& rung_for(double operations) {
  const Rung* best = &kLadder[0];
  for (const Rung& rung : kLadder) {
    if (operations >= rung.operations) best = &rung;
  }
  return *best;
}

// Seconds of one update, of one token of it, and of a token that is only looked at, as a validation does.
struct Pace {
  double update = 0, token = 0, look = 0;
};

// Calls `work`, which returns how many tokens it read, for at least some seconds. Returns calls, seconds and tokens.
template <typename Work>
std::array<double, 3> measure(double least, Work work) {
  const auto start = Clock::now();
  std::array<double, 3> sums = {};
  auto& [calls, seconds, tokens] = sums;
  while (calls < 2 || seconds < least) {
    tokens += static_cast<double>(work());
    ++calls;
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return sums;
}

// Measured on a copy of the network that is thrown away.
Pace measure_pace(const TrainConfig& config, const NetworkConfig& network, const TrainingData& data) {
  Initializer init(1);
  AnyNetwork copy(network, init);
  Network& trained = *copy.as<Network>();
  Trainer trainer(config, trained, data, 1000);
  trainer.update();  // fills the pool and the caches
  const auto [updates, seconds, tokens] = measure(1, [&] { return trainer.update().tokens; });
  const Batch batch = data.train(0, data.fitting ? data.fitting(0) : config.batch);
  const NoGrad no_grad;
  const auto [looks, look_seconds, looked_at] = measure(0.2, [&] {
    Context ctx;
    static_cast<void>(trained.loss(batch, {.targets = 1, .sequences = 1}, ctx));
    return batch.tokens.size();
  });
  return {.update = seconds / updates, .token = seconds / tokens, .look = look_seconds / looked_at};
}

}  // namespace

void choose(LayeredConfig& config, const char* name, const std::string& value) {
  if (config.given(name)) return;
  find_setting(name)->set(config.values, {value});
  config.origin[name] = Origin::kChosen;
}

void choose_all(LayeredConfig& config, std::initializer_list<std::pair<const char*, std::string>> values) {
  for (const auto& [name, value] : values) choose(config, name, value);
}

void choose_fine_tuning(LayeredConfig& config) {
  choose_all(config, {{"learning-rate", "5e-5"},
                      {"batch", "32"},
                      {"beta2", "0.999"},
                      {"weight-decay", "0.01"},
                      {"schedule", "linear"},
                      {"min-learning-rate", "0"},
                      {"warmup", "10%"},
                      {"dropout", "0.1"},
                      {"eval-every", "1e"},
                      {"save-every", "1e"}});
  const TrainConfig& c = config.values;
  if (!has_end(c) && c.minutes <= 0) choose(config, "epochs", "3");
}

void choose_adaptation(LayeredConfig& config) {
  choose_all(config, {{"learning-rate", "5e-5"},
                      {"schedule", "linear"},
                      {"min-learning-rate", "0"},
                      {"warmup", "10%"},
                      {"weight-decay", "0.01"},
                      {"beta2", "0.999"},
                      {"dropout", "0.1"},
                      {"sampling-order", "epoch"},
                      {"batch", "8"},
                      {"eval-every", "1e"},
                      {"save-every", "1e"}});
  const TrainConfig& c = config.values;
  if (!has_end(c) && c.minutes <= 0) choose(config, "epochs", "3");
}

bool has_end(const TrainConfig& config) { return config.steps > 0 || config.epochs > 0 || config.tokens > 0; }

double minutes_of(const TrainConfig& config) { return config.minutes > 0 ? config.minutes : kDefaultMinutes; }

void fit_warmup(LayeredConfig& config, const Notice& notice) {
  TrainConfig& c = config.values;
  const bool too_long =
      c.steps > 0 && c.warmup.unit == Period::Unit::kUpdates && c.warmup.amount > static_cast<double>(c.steps);
  if (!too_long || config.origin_of("warmup") >= Origin::kFile) return;
  c.warmup = Period::updates(std::max<std::int64_t>(1, c.steps / 10));
  config.origin["warmup"] = Origin::kChosen;
  notice("train: the warm-up is " + to_string(c.warmup) + " updates, a tenth of --steps");
}

void fit_max_length(LayeredConfig& config) {
  TrainConfig& c = config.values;
  if (c.max_length <= c.context) return;
  if (config.origin_of("max-length") >= Origin::kFile) {
    throw UsageError("--max-length must be at most the context" + std::string(c.init.empty() ? "" : " of the model") +
                     ", which is " + std::to_string(c.context) + ", got " + std::to_string(c.max_length));
  }
  c.max_length = c.context;
}

// With little time, most of it goes into one look at everything at the end, and the rest into looks at a part.
ValidationPlan plan_validations(double full, double allowed) {
  constexpr int kMost = 10, kFewest = 5;
  if (full <= 0 || kMost * full <= allowed) return {};
  ValidationPlan plan;
  plan.whole = std::min(1.0, 0.8 * allowed / full);
  const double parts = allowed - plan.whole * full;  // seconds that are left for all but the look at everything
  plan.part = std::min(1.0, parts / (kFewest * full));
  plan.count = kFewest;
  if (plan.part < 1) return plan;
  plan.count = std::clamp(static_cast<int>(allowed / full), kFewest, kMost);
  return plan;
}

// Half the square root of the text's size: 512 entries for a megabyte, 16,000 for a gigabyte. A token should be seen
// often enough to be learnt, and the more text it stands for, the fewer of them a text costs: on a megabyte of
// Shakespeare, 512 byte pairs reach 1.54 nats a byte where characters reach 1.83 with the same work.
void choose_tokenizer(LayeredConfig& config, const char* kind, const CorpusInfo& text) {
  choose(config, "tokenizer", kind);
  const double entries = std::sqrt(static_cast<double>(text.bytes)) / 2;
  const bool of_bytes = config.values.tokenizer == "byte-bpe";
  choose(config, "vocab", std::to_string(vocabulary_for(entries, of_bytes ? 0 : text.different_characters, 32000)));
}

std::int64_t vocabulary_for(double entries, std::size_t different_characters, std::int64_t most) {
  const TokenizerTrainerOptions trainer;  // rarer characters than it takes are unknown
  const auto characters = static_cast<double>(std::min(different_characters, trainer.max_characters));
  constexpr double kSpecial = 64;  // special tokens, with room to spare
  const double needed = characters > 0 ? 2 * characters + kSpecial : 0;
  return std::clamp<std::int64_t>(std::llround(std::max(entries, needed) / 64) * 64, 320, most);
}

void choose_network(LayeredConfig& config, const TokenStore& store, const Notice& notice) {
  TrainConfig& c = config.values;
  if (c.documents == "line") choose(config, "sampling-order", "documents");
  if (has_end(c)) return;
  c.minutes = minutes_of(c);
  if (config.given("preset") || !c.init.empty()) {
    notice("train: no --steps given; trains for " + text_of(c.minutes) + " minutes");
    return;
  }
  const Rung& rung = rung_for(0.6 * measure_sgemm_peak() * 60 * c.minutes);
  choose_all(config, {{"layers", rung.layers},
                      {"heads", rung.heads},
                      {"width", rung.width},
                      {"context", rung.context},
                      {"batch", rung.batch},
                      {"learning-rate", rung.learning_rate},
                      {"beta2", "0.99"},
                      {"weight-decay", "0.1"},
                      {"position", "rope"}});
  // A context longer than the held-out text would leave nothing to validate on.
  const Dim validation = store.part(Part::kValidation).size();
  if (validation > 0 && c.context > validation / 2) {
    choose(config, "context", std::to_string(std::max<Dim>(8, validation / 2)));
  }
}

static double validation_seconds(const Pace& pace, double tokens) { return pace.look * tokens; }

// What is left of some minutes for updates: the start and samples take a little, too.
constexpr double kShareOfUpdates = 0.97, kShareOfValidations = 0.1;

std::int64_t updates_in_minutes(double minutes, const TrainConfig& config, const NetworkConfig& network,
                                const TrainingData& data, double validation_tokens) {
  TrainConfig alone = config;  // no longer a part of its run
  alone.stretch_start = 0;
  const Pace pace = measure_pace(alone, network, data);
  double update = pace.update;
  if (config.eval_every.unit == Period::Unit::kUpdates) {
    const double read = config.eval_tokens > 0 ? static_cast<double>(config.eval_tokens) : validation_tokens;
    update += validation_seconds(pace, std::min(read, validation_tokens)) / config.eval_every.amount;
  }
  const double last = config.last_eval_tokens > 0 ? static_cast<double>(config.last_eval_tokens) : validation_tokens;
  const double seconds = kShareOfUpdates * 60 * minutes - validation_seconds(pace, std::min(last, validation_tokens));
  return std::max<std::int64_t>(10, static_cast<std::int64_t>(seconds / update));
}

void choose_length(LayeredConfig& config, const NetworkConfig& network, const TrainingData& data,
                   double validation_tokens, const Notice& notice) {
  TrainConfig& c = config.values;
  if (has_end(c)) return;
  c.minutes = minutes_of(c);
  const double budget = 60 * c.minutes;
  const Pace pace = measure_pace(c, network, data);
  const double full = validation_seconds(pace, validation_tokens);
  const ValidationPlan plan = plan_validations(full, kShareOfValidations * budget);
  const double validating = (plan.count * plan.part + (plan.part < 1 ? plan.whole : 0)) * full;
  auto steps =
      std::max<std::int64_t>(10, static_cast<std::int64_t>((kShareOfUpdates * budget - validating) / pace.update));
  if (c.most_epochs > 0) {
    TrainConfig enough = c;
    enough.epochs = c.most_epochs;
    steps = std::min(steps, total_updates(enough, data));
  }
  const auto tokens = [&](double share) {
    return std::to_string(share < 1 ? std::max<std::int64_t>(1, std::llround(share * validation_tokens)) : 0);
  };
  choose_all(config, {{"schedule", "cosine"},
                      {"min-learning-rate", text_of(c.learning_rate / 20)},
                      {"warmup", std::to_string(std::clamp<std::int64_t>(steps / 20, 5, 200))},
                      {"eval-every", std::to_string((steps + plan.count - 1) / plan.count)},
                      {"eval-tokens", tokens(plan.part)},
                      {"last-eval-tokens", tokens(plan.whole)},
                      {"save-every", std::to_string((steps + 9) / 10)},
                      {"log-every", std::to_string((steps + 49) / 50)}});
  c.steps = steps;
  config.origin["steps"] = Origin::kChosen;
  c.planned_minutes = std::exchange(c.minutes, 0);  // a resumed run must not depend on the clock
  config.origin.erase("minutes");
  const double samples = static_cast<double>(steps) * pace.update / (pace.token * data.tokens_per_sample);
  const double epochs = samples / static_cast<double>(std::max<std::int64_t>(1, data.samples_per_epoch));
  // Labels are few, and have rates of their own.
  if (!c.is_labelled()) choose(config, "dropout", epochs < 2 ? "0" : epochs < 10 ? "0.05" : "0.1");
  const Dim vocabulary = std::visit([](const auto& backbone) { return backbone.vocabulary; }, network.backbone);
  const ModelSize size = model_size(c, vocabulary);
  const std::string batch = c.batch_tokens > 0 ? "batches of " + std::to_string(c.batch_tokens) + " tokens"
                                               : "batches of " + std::to_string(c.batch);
  notice("train: chose " + std::to_string(c.layers) + " layers of width " + std::to_string(c.width) + " (" +
         text_of(static_cast<double>(size.parameters) / 1e6) + "M parameters), context " + std::to_string(c.context) +
         ", " + batch + ", " + std::to_string(steps) + " updates (" + text_of(epochs) +
         " passes over the data), learning rate " + text_of(c.learning_rate) + ", dropout " + text_of(c.dropout));
}

}  // namespace rapt
