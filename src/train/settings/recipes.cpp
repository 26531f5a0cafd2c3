#include "train/settings/recipes.h"

#include <algorithm>
#include <array>

#include "train/settings/numbers.h"
#include "train/settings/presets.h"
#include "train/settings/settings.h"

namespace rapt {
namespace {

constexpr std::size_t kRecipes = 6;

struct Row {
  const char* setting;
  std::array<const char*, kRecipes> values;  // nullptr: the recipe does not set it
};

// kAdapt: Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training", section 4.1: a small
// learning rate that decays to zero, few passes. kFineTune: Devlin et al. 2018, appendix A.3, and google-research/bert,
// run_classifier.py. kPairs: Vaswani et al. 2017, sections 5.3 and 5.4, with a larger learning rate for small networks
// with norms before their layers, and smaller batches. The others: docs/results.md, "Classifiers from scratch".
constexpr Row kTable[] = {
    //                     adapt     fine-tune  labels    after words  words of labels  pairs
    {"learning-rate", {"5e-5", "5e-5", "1e-3", "1e-3", nullptr, "2e-3"}},
    {"schedule", {"linear", "linear", "linear", "linear", nullptr, nullptr}},
    {"warmup", {"10%", "10%", "10%", "10%", nullptr, "10%"}},
    {"min-learning-rate", {"0", "0", "0", "0", nullptr, nullptr}},
    {"batch", {"8", "32", "64", "64", "32", nullptr}},
    {"beta2", {"0.999", "0.999", "0.98", "0.98", nullptr, "0.98"}},
    {"weight-decay", {"0.01", "0.01", "0.1", "0.1", nullptr, "0.01"}},
    {"dropout", {"0.1", "0.1", "0.3", "0.1", nullptr, "0.1"}},
    {"sampling-order", {"epoch", nullptr, nullptr, nullptr, nullptr, nullptr}},
    {"eval-every", {"1e", "1e", "1e", "1e", nullptr, nullptr}},
    {"save-every", {"1e", "1e", "1e", "1e", nullptr, nullptr}},
    {"epochs", {"3", "3", nullptr, nullptr, nullptr, nullptr}},  // unless a length is given in another unit
    {"label-smoothing", {nullptr, nullptr, nullptr, nullptr, nullptr, "0.1"}},
    {"batch-tokens", {nullptr, nullptr, nullptr, nullptr, nullptr, "2048"}},
    // Each pass has new masks, but a small text is memorised eventually.
    {"most-epochs", {nullptr, nullptr, nullptr, nullptr, "200", "200"}},
};

// A language model of the table below.
struct Rung {
  double operations;  // of the whole run, from which this network is worth it
  const char *layers, *heads, *width, *context, *batch, *learning_rate;
};

// Larger networks are only worthwhile if the budget lets them see enough text; below that, a small one that sees more
// text is better. The measurements are in docs/results.md, "A text file and nothing else".
constexpr Rung kLadder[] = {
    {0, "2", "4", "64", "64", "8", "4e-3"},       {2e11, "3", "4", "96", "64", "8", "4e-3"},
    {2e12, "4", "4", "128", "128", "8", "3e-3"},  {1e14, "6", "6", "192", "128", "12", "2e-3"},
    {1e15, "6", "6", "384", "256", "12", "1e-3"}, {2e16, "12", "12", "768", "512", "16", "6e-4"},
};

// A recurrent language model. Width helps more than depth.
struct RecurrentRung {
  double operations;
  const char *layers, *width, *context, *batch, *learning_rate;
};

constexpr RecurrentRung kRecurrentLadder[] = {
    {0, "1", "64", "64", "16", "5e-3"},      {2e11, "1", "128", "64", "16", "4e-3"},
    {2e12, "1", "256", "64", "16", "3e-3"},  {5e13, "2", "384", "128", "24", "2e-3"},
    {1e15, "2", "512", "128", "32", "2e-3"}, {2e16, "2", "1024", "128", "64", "1e-3"},
};

// The same for encoder-decoders; both stacks have these layers, and the feed-forward layers are twice as wide as the
// states, as in the small networks of Wu, Kong, Bi, Li, Kao 2021, "Good for Misconceived Reasons", for 29,000 pairs.
struct PairRung {
  double operations;
  const char *layers, *heads, *width, *feed_forward, *batch_tokens, *learning_rate;
};

constexpr PairRung kPairLadder[] = {
    {0, "2", "4", "64", "128", "1024", "4e-3"},     {3e12, "2", "4", "128", "256", "1024", "3e-3"},
    {2e13, "3", "4", "128", "256", "2048", "3e-3"}, {8e13, "4", "4", "128", "256", "2048", "3e-3"},
    {1e15, "4", "4", "256", "512", "4096", "2e-3"}, {1e16, "6", "8", "512", "2048", "8192", "7e-4"},
};

// The same for summaries, which have few target tokens beside many of the source: an update needs more of them. The
// third rung was measured (docs/results.md, "Subjects of mails"); the others follow those for pairs.
constexpr PairRung kSummaryLadder[] = {
    {0, "2", "4", "64", "128", "4096", "4e-3"},       {3e12, "2", "4", "128", "256", "4096", "3e-3"},
    {2e13, "2", "4", "256", "512", "8192", "2e-3"},   {1e15, "4", "4", "256", "512", "16384", "1e-3"},
    {1e16, "6", "8", "512", "2048", "32768", "7e-4"},
};

// The last rung of a ladder that is worth it for a run of this many operations.
template <std::size_t kRungs, typename Rung>
const Rung& rung_for(const Rung (&ladder)[kRungs], double operations) {
  const Rung* best = ladder;
  for (const Rung& rung : ladder)
    if (operations >= rung.operations) best = &rung;
  return *best;
}

constexpr double kDefaultMinutes = 5;

// After this many examples, a small network starts to memorise them; but each example should be seen, and ten passes
// are enough.
constexpr double kExamplesFromScratch = 60'000, kMostPasses = 10;

}  // namespace

void choose(LayeredConfig& config, std::string_view name, const std::string& value) {
  const std::string key(name);
  if (config.given(key)) return;
  find_setting(key)->set(config.values, {value});
  config.origin[key] = Origin::kChosen;
}

void choose_all(LayeredConfig& config, std::initializer_list<std::pair<const char*, std::string>> values) {
  for (const auto& [name, value] : values) choose(config, name, value);
}

void follow(LayeredConfig& config, Recipe recipe) {
  const bool has_length = has_end(config.values) || config.values.minutes > 0;
  for (const Row& row : kTable) {
    const char* value = row.values[static_cast<std::size_t>(recipe)];
    if (value == nullptr || (has_length && std::string_view(row.setting) == "epochs")) continue;
    choose(config, row.setting, value);
  }
}

void follow_preset(LayeredConfig& config, std::string_view preset) {
  const auto decided = config.origin;
  for (const auto& [name, value] : find_preset(preset).settings) {  // the last of two values for a name counts
    if (decided.contains(name)) continue;
    find_setting(name)->set(config.values, {value});
    config.origin[name] = Origin::kPreset;
  }
}

void choose_small_encoder(LayeredConfig& config) {
  constexpr const char* kModel = "bert";
  choose_all(config, {{"model", kModel},
                      {"tokenizer", "wordpiece"},
                      {"layers", "2"},
                      {"heads", "4"},
                      {"width", "128"},
                      {"context", "128"},
                      {"norm-epsilon", "1e-12"},
                      {"activation", "gelu"}});
  if (config.values.model == kModel) choose(config, "attention-start", "neighbours");  // if no other was asked for
}

static void choose_recurrent_language_model(LayeredConfig& config, double operations) {
  const RecurrentRung& best = rung_for(kRecurrentLadder, operations);
  choose_all(config, {{"layers", best.layers},
                      {"width", best.width},
                      {"context", best.context},
                      {"batch", best.batch},
                      {"learning-rate", best.learning_rate},
                      {"beta2", "0.99"},
                      {"weight-decay", "0.01"}});
}

void choose_language_model(LayeredConfig& config, double operations) {
  if (!config.values.has_heads()) return choose_recurrent_language_model(config, operations);
  const Rung& best = rung_for(kLadder, operations);
  choose_all(config, {{"layers", best.layers},
                      {"heads", best.heads},
                      {"width", best.width},
                      {"context", best.context},
                      {"batch", best.batch},
                      {"learning-rate", best.learning_rate},
                      {"beta2", "0.99"},
                      {"weight-decay", "0.1"},
                      {"position", "rope"}});
}

void choose_pair_recipe(LayeredConfig& config, bool has_model) {
  TrainConfig& c = config.values;
  if (has_model) return follow(config, Recipe::kFineTune);
  const bool own_batch = config.given("batch");
  follow(config, Recipe::kPairs);
  if (own_batch) choose(config, "batch-tokens", "0");
  choose(config, "context", c.task == "summarize" ? "512" : "256");
  constexpr const char* kModel = "transformer";
  choose(config, "model", kModel);
  if (c.model == kModel) {  // if no other was asked for
    choose_all(config,
               {{"activation", "relu"}, {"norm", "pre"}, {"position", "sinusoidal-halves"}, {"feed-forward", "256"}});
  } else {
    choose(config, "attention", "additive");
    choose(config, "bidirectional", c.attention == "dot" ? "off" : "on");  // dot needs equal widths
  }
}

// The same for recurrent ones, which gain more from width than from depth.
struct RecurrentPairRung {
  double operations;
  const char *layers, *width, *batch_tokens, *learning_rate;
};

constexpr RecurrentPairRung kRecurrentPairLadder[] = {
    {0, "1", "64", "1024", "4e-3"},
    {3e12, "1", "128", "1024", "3e-3"},
    {2e13, "1", "256", "2048", "2e-3"},
    {1e15, "2", "512", "4096", "1e-3"},
};

static void choose_recurrent_encoder_decoder(LayeredConfig& config, double operations) {
  const RecurrentPairRung& best = rung_for(kRecurrentPairLadder, operations);
  choose_all(config, {{"layers", best.layers}, {"width", best.width}, {"learning-rate", best.learning_rate}});
  if (!config.given("batch")) choose(config, "batch-tokens", best.batch_tokens);
}

void choose_encoder_decoder(LayeredConfig& config, double operations) {
  if (!config.values.has_heads()) return choose_recurrent_encoder_decoder(config, operations);
  const bool summaries = config.values.task == "summarize";
  const PairRung& best = summaries ? rung_for(kSummaryLadder, operations) : rung_for(kPairLadder, operations);
  choose_all(config, {{"layers", best.layers},
                      {"heads", best.heads},
                      {"width", best.width},
                      {"feed-forward", best.feed_forward},
                      {"learning-rate", best.learning_rate}});
  if (!config.given("batch")) choose(config, "batch-tokens", best.batch_tokens);
}

bool has_end(const TrainConfig& config) { return config.steps > 0 || config.epochs > 0 || config.tokens > 0; }

double minutes_of(const TrainConfig& config) { return config.minutes > 0 ? config.minutes : kDefaultMinutes; }

std::string passes_from_scratch(std::int64_t examples) {
  return print_number(std::clamp(kExamplesFromScratch / static_cast<double>(examples), 1.0, kMostPasses));
}

}  // namespace rapt
