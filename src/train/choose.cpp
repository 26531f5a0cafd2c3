#include "train/choose.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "train/machine.h"
#include "train/model_size.h"
#include "train/networks.h"
#include "train/presets.h"
#include "train/settings.h"
#include "train/trainer.h"

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

// Seconds of one update, and of one token of it.
struct Pace {
  double update = 0, token = 0;
};

// Measured on a copy of the network that is thrown away.
Pace measure_pace(const TrainConfig& config, const NetworkConfig& network, const TrainingData& data) {
  Initializer init(1);
  AnyNetwork copy(network, init);
  Trainer trainer(config, *copy.as<Network>(), data, 1000);
  trainer.update();  // fills the pool and the caches
  const std::int64_t tokens_before = trainer.state().tokens;
  const auto start = Clock::now();
  int updates = 0;
  double seconds = 0;
  while (updates < 2 || seconds < 1) {
    trainer.update();
    ++updates;
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return {seconds / updates, seconds / static_cast<double>(trainer.state().tokens - tokens_before)};
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

// Half the square root of the text's size: 512 entries for a megabyte, 16,000 for a gigabyte. A token should be seen
// often enough to be learnt, and the more text it stands for, the fewer of them a text costs: on a megabyte of
// Shakespeare, 512 byte pairs reach 1.54 nats a byte where characters reach 1.83 with the same work.
void choose_tokenizer(LayeredConfig& config, const char* kind, std::uint64_t text_bytes) {
  choose(config, "tokenizer", kind);
  const double entries = std::sqrt(static_cast<double>(text_bytes)) / 2;
  choose(config, "vocab", std::to_string(std::clamp<std::int64_t>(std::llround(entries / 64) * 64, 320, 32000)));
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

void choose_length(LayeredConfig& config, const NetworkConfig& network, const TrainingData& data,
                   double validation_tokens, const Notice& notice) {
  TrainConfig& c = config.values;
  if (has_end(c)) return;
  c.minutes = minutes_of(c);
  const double budget = 60 * c.minutes;
  const Pace pace = measure_pace(c, network, data);
  // Ten validations, whose forward passes are a third of an update's work; what they, the samples and the start take is
  // not training.
  const double training = std::max(0.5 * budget, 0.97 * budget - 10 * pace.token / 3 * validation_tokens);
  auto steps = std::max<std::int64_t>(10, static_cast<std::int64_t>(training / pace.update));
  if (c.most_epochs > 0) {
    TrainConfig enough = c;
    enough.epochs = c.most_epochs;
    steps = std::min(steps, total_updates(enough, data));
  }
  choose_all(config, {{"schedule", "cosine"},
                      {"min-learning-rate", text_of(c.learning_rate / 20)},
                      {"warmup", std::to_string(std::clamp<std::int64_t>(steps / 20, 5, 200))},
                      {"eval-every", std::to_string((steps + 9) / 10)},
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
