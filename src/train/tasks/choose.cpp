#include "train/tasks/choose.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tensor/error.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "train/settings/settings.h"

namespace rapt {
namespace {

std::string text_of(double value) { return fmt::format("{:.3g}", value); }

}  // namespace

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

// If time is short, most of it goes to one validation on everything at the end, and the rest to validations on a part.
ValidationPlan plan_validations(double full, double allowed) {
  constexpr int kMost = 10, kFewest = 5;
  if (full <= 0 || kMost * full <= allowed) return {};
  ValidationPlan plan;
  plan.whole = std::min(1.0, 0.8 * allowed / full);
  const double parts = allowed - plan.whole * full;  // seconds left after the full validation
  plan.part = std::min(1.0, parts / (kFewest * full));
  plan.count = kFewest;
  if (plan.part < 1) return plan;
  plan.count = std::clamp(static_cast<int>(allowed / full), kFewest, kMost);
  return plan;
}

constexpr std::int64_t kMostWords = 50000;

// Half the square root of the text's size: 512 entries for a megabyte, 16,000 for a gigabyte. A token must occur often
// enough to be learnt, but the more text each token covers, the fewer tokens a text needs. On a megabyte of
// Shakespeare, 512 byte pairs reach 1.54 nats per byte where characters reach 1.83 with equal compute.
void choose_tokenizer(LayeredConfig& config, const char* kind, const CorpusInfo& text) {
  choose(config, "tokenizer", kind);
  // Words of the source must be told apart, and pairs are short: 8,000 entries for four megabytes of both sides. Of
  // summaries, most of the text is source, and rare words are copied by their parts.
  const double scale = config.values.task == "summarize" ? 2 : config.values.has_source() ? 4 : 0.5;
  const double entries = scale * std::sqrt(static_cast<double>(text.bytes));
  if (config.values.tokenizer == "word") return choose(config, "vocab", std::to_string(kMostWords));
  const bool of_bytes = config.values.tokenizer == "byte-bpe";
  choose(config, "vocab", std::to_string(vocabulary_for(entries, of_bytes ? 0 : text.different_characters, 32000)));
}

std::int64_t vocabulary_for(double entries, std::size_t different_characters, std::int64_t most) {
  const TokenizerTrainerOptions trainer;  // rarer characters than its limit are unknown
  const auto characters = static_cast<double>(std::min(different_characters, trainer.max_characters));
  constexpr double kSpecial = 64;  // special tokens, with room to spare
  const double needed = characters > 0 ? 2 * characters + kSpecial : 0;
  return std::clamp<std::int64_t>(std::llround(std::max(entries, needed) / 64) * 64, 320, most);
}

void fit_context(LayeredConfig& config, std::int64_t validation) {
  if (validation <= 0 || config.values.context <= validation / 2) return;
  choose(config, "context", std::to_string(std::max<std::int64_t>(8, validation / 2)));
}

// Of the passes over pairs of texts and summaries. docs/results.md, "Subjects of mails".
constexpr double kShareOfCopies = 0.5;

static double validation_seconds(const Pace& pace, double tokens) { return pace.look * tokens; }

// The part of the minutes that is left for updates: start-up and samples take a little, too.
constexpr double kShareOfUpdates = 0.97, kShareOfValidations = 0.1;

std::int64_t updates_in_minutes(double minutes, const TrainConfig& config, const Pace& pace, double validation_tokens) {
  double update = pace.update;
  if (config.eval_every.unit == Period::Unit::kUpdates) {
    const double read = config.eval_tokens > 0 ? static_cast<double>(config.eval_tokens) : validation_tokens;
    update += validation_seconds(pace, std::min(read, validation_tokens)) / config.eval_every.amount;
  }
  const double last = config.last_eval_tokens > 0 ? static_cast<double>(config.last_eval_tokens) : validation_tokens;
  const double seconds = kShareOfUpdates * 60 * minutes - validation_seconds(pace, std::min(last, validation_tokens));
  return std::max<std::int64_t>(10, static_cast<std::int64_t>(seconds / update));
}

void choose_length(LayeredConfig& config, const BatchFacts& batches, const Pace& pace, const Notice& notice) {
  TrainConfig& c = config.values;
  c.minutes = minutes_of(c);
  const double budget = 60 * c.minutes;
  const double full = validation_seconds(pace, batches.validation_tokens);
  const ValidationPlan plan = plan_validations(full, kShareOfValidations * budget);
  const double validating = (plan.count * plan.part + (plan.part < 1 ? plan.whole : 0)) * full;
  auto steps =
      std::max<std::int64_t>(10, static_cast<std::int64_t>((kShareOfUpdates * budget - validating) / pace.update));
  if (batches.most_updates > 0) steps = std::min(steps, batches.most_updates);
  const auto tokens = [&](double share) {
    return std::to_string(share < 1 ? std::max<std::int64_t>(1, std::llround(share * batches.validation_tokens)) : 0);
  };
  choose_all(config, {{"schedule", "cosine"},
                      {"min-learning-rate", text_of(c.learning_rate / 20)},
                      {"warmup", std::to_string(std::clamp<std::int64_t>(steps / 20, 5, 200))},
                      {"eval-every", std::to_string((steps + plan.count - 1) / plan.count)},
                      {"eval-tokens", tokens(plan.part)},
                      {"last-eval-tokens", tokens(plan.whole)},
                      {"save-every", std::to_string((steps + 9) / 10)},
                      {"log-every", std::to_string((steps + 49) / 50)}});
  if (c.has_source()) choose(config, "sample-every", std::to_string((steps + plan.count - 1) / plan.count));
  c.steps = steps;
  config.origin["steps"] = Origin::kChosen;
  c.planned_minutes = std::exchange(c.minutes, 0);  // a resumed run must not depend on the clock
  config.origin.erase("minutes");
  const double samples = static_cast<double>(steps) * pace.update / (pace.token * batches.tokens_per_sample);
  const double epochs = samples / static_cast<double>(std::max<std::int64_t>(1, batches.samples_per_epoch));
  if (c.task == "summarize" && c.init.empty() && c.shared_vocabulary) {
    choose(config, "copy-epochs", text_of(kShareOfCopies * epochs));
  }
  // Labels are few, and have their own learning rates.
  if (c.has_source()) {
    choose(config, "dropout", epochs < 2 ? "0" : epochs < 8 ? "0.1" : epochs < 30 ? "0.2" : "0.3");
  } else if (!c.is_labelled()) {
    choose(config, "dropout", epochs < 2 ? "0" : epochs < 10 ? "0.05" : "0.1");
  }
  const std::string batch = c.batch_tokens > 0 ? "batches of " + std::to_string(c.batch_tokens) + " tokens"
                                               : "batches of " + std::to_string(c.batch);
  notice("train: chose " + std::to_string(c.layers) + " layers of width " + std::to_string(c.width) + " (" +
         text_of(static_cast<double>(batches.parameters) / 1e6) + "M parameters), context " +
         std::to_string(c.context) + ", " + batch + ", " + std::to_string(steps) + " updates (" + text_of(epochs) +
         " passes over the data), learning rate " + text_of(c.learning_rate) + ", dropout " + text_of(c.dropout) +
         (c.precision == "f32" ? "" : ", precision " + c.precision) +
         (c.copy_epochs > 0 ? "; the first " + text_of(c.copy_epochs) + " passes learn to copy passages" : ""));
}

}  // namespace rapt
