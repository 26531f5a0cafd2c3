#include "train/tasks/settle.h"

#include <fmt/format.h>

#include "tensor/error.h"
#include "train/models/family.h"
#include "train/models/networks.h"
#include "train/settings/settings.h"
#include "train/settings/settings_agreement.h"

namespace rapt {
namespace {

// Whether the user gave this setting for a run that starts from the user's own model. In a classifier from scratch,
// stage 1 already trained the requested network.
bool asked_for(const LayeredConfig& config, const Setting& setting) {
  return start_of(config) == Start::kModel && config.origin_of(setting.name) >= Origin::kFile;
}

// The structure is the model's. A requested one must be the same; otherwise it would be silently ignored.
void take_structure(LayeredConfig& layered, const StartFacts& start) {
  TrainConfig& config = layered.values;
  const TrainConfig before = config;
  take_network_settings(config, start.network);
  config.attention_start = start.config.attention_start;
  for (const Setting& s : settings()) {
    if (!asked_for(layered, s)) continue;
    const auto asked = s.get(before), has = s.get(config);
    if (asked == has) continue;
    const std::string advice = s.name == "context" && before.context < config.context
                                   ? "; for shorter sequences give --max-length " + asked.at(0)
                                   : "; leave it out";
    throw UsageError("--" + s.name + " " + asked.at(0) + " cannot take effect: the model of --init " + config.init +
                     " has " + has.at(0) + advice);
  }
}

// The token ids are the model's, too.
void take_tokenizer(LayeredConfig& layered, const StartFacts& start) {
  TrainConfig& config = layered.values;
  if (!start.has_tokenizer) return;
  const bool asked = asked_for(layered, *find_setting("tokenizer")) && config.tokenizer != "init";
  const bool trained_so = start.config.learns_tokenizer() && (!asked || config.tokenizer == start.config.tokenizer);
  if (trained_so && (asked || start_of(layered) == Start::kOwnWords)) {
    config.tokenizer = start.config.tokenizer;
    config.vocabulary = start.config.vocabulary;
    config.lowercase = start.config.lowercase;
    return;
  }
  if (asked && !start.same_tokenizer) {
    throw UsageError("--tokenizer " + config.tokenizer + " cannot take effect: the model of --init " + config.init +
                     " has its own tokenizer; leave it out");
  }
  config.tokenizer = "init";
}

// Size and recipe, where they do not depend on the data.
void choose_recipe(LayeredConfig& config, Start start) {
  const TrainConfig& c = config.values;
  if (c.objective() == Objective::kNextToken) {
    if (start == Start::kModel) follow(config, Recipe::kAdapt);
    return;
  }
  if (c.has_source()) return choose_pair_recipe(config, start == Start::kModel);
  if (c.masks_words() && start == Start::kModel) {
    choose(config, "documents", "paragraph");
    follow(config, Recipe::kFineTune);
  } else if (c.masks_words()) {
    // The smallest BERT, with positions for no more than it reads at once.
    if (config.origin_of("context") == Origin::kDefault) choose(config, "context", "128");
    follow_preset(config, "bert-tiny");
  } else if (start == Start::kModel) {
    follow(config, Recipe::kFineTune);
  } else if (start == Start::kOwnWords) {
    follow(config, Recipe::kLabelsAfterWords);
  } else {
    choose_small_encoder(config);
    follow(config, Recipe::kLabels);
  }
  fit_max_length(config);
}

// Only a WordPiece is lower-cased by default.
void keep_case(LayeredConfig& config) {
  const std::string& kind = config.values.tokenizer;
  const bool may_lower = kind == "metaspace-bpe" || kind == "unigram" || kind == "word";
  if (may_lower || config.values.has_source()) choose(config, "lowercase", "off");
}

void choose_tokenizer_for(LayeredConfig& config, Facts& facts) {
  const TrainConfig& c = config.values;
  if (c.is_labelled()) return;
  const char* kind = c.masks_words() ? "wordpiece" : c.has_source() ? "bpe" : "byte-bpe";
  LayeredConfig of_kind = config;
  choose(of_kind, "tokenizer", kind);
  keep_case(of_kind);  // the same reading collects the words of the vocabulary
  if (const auto text = facts.text(of_kind.values)) choose_tokenizer(config, kind, *text);
}

void require_merges(const TrainConfig& c) {
  if (c.bpe_dropout == 0 || !c.learns_tokenizer() || c.tokenizer.ends_with("bpe")) return;
  throw UsageError("--bpe-dropout needs a vocabulary of byte pairs, got --tokenizer " + c.tokenizer +
                   "; give --tokenizer bpe, or leave --bpe-dropout out");
}

// Facts found in the data become settings, so that users of the model find them again.
void take_found(LayeredConfig& config, const DataFacts& found) {
  TrainConfig& c = config.values;
  if (found.frame && c.init.empty()) {
    choose_all(config, {{"start-token", std::to_string(found.frame->start)},
                        {"end-token", std::to_string(found.frame->end)},
                        {"pad-token", std::to_string(found.frame->pad)}});
  }
  if (c.is_labelled()) c.labels = found.labels;
  if (c.is_labelled() && c.glue.empty()) {
    if (c.text_column.empty()) c.text_column = found.columns.text;
    if (c.pair_column.empty()) c.pair_column = found.columns.pair;
    if (c.label_column.empty()) c.label_column = found.columns.label;
  }
}

// Requested settings override the defaults in a token store.
void take_masking(LayeredConfig& config, const MaskingOptions& masking) {
  TrainConfig& c = config.values;
  if (!config.given("mlm-probability") && masking.probability > 0) c.mlm_probability = masking.probability;
  if (!config.given("max-predictions")) c.max_predictions = masking.most;
  if (!config.given("whole-word")) c.whole_word = masking.whole_words;
  if (!config.given("masking")) c.masking = masking.dynamic ? "dynamic" : "static";
}

// A network that generates text gets the size that fits its minutes, if none is given.
void choose_size(LayeredConfig& config, const DataFacts& data, Facts& facts, const Notice& notice) {
  TrainConfig& c = config.values;
  if (c.objective() != Objective::kNextToken && !c.has_source()) return;
  if (!c.has_source() && c.documents == "line") choose(config, "sampling-order", "documents");
  if (has_end(c)) return;
  c.minutes = minutes_of(c);
  if (config.given("preset") || !c.init.empty()) {
    notice("train: no --steps given; trains for " + fmt::format("{:.3g}", c.minutes) + " minutes");
    return;
  }
  constexpr double kShareOfPeak = 0.6;  // reached by an update
  if (c.has_source()) return choose_encoder_decoder(config, kShareOfPeak * facts.peak() * 60 * c.minutes);
  choose_language_model(config, kShareOfPeak * facts.peak() * 60 * c.minutes);
  fit_context(config, data.validation_tokens);
}

// The pace of the run. --precision auto becomes the faster one, a setting of the run, so that a resumed run keeps it.
Pace pace_of(LayeredConfig& config, Facts& facts) {
  TrainConfig& c = config.values;
  if (c.precision != "auto") return facts.pace(c);
  c.precision = "f32";
  const Pace f32 = facts.pace(c);
  if (!facts.has_bf16()) return f32;
  c.precision = "bf16";
  const Pace bf16 = facts.pace(c);
  if (bf16.token < f32.token) return bf16;
  c.precision = "f32";
  return f32;
}

}  // namespace

Start start_of(const LayeredConfig& config) {
  if (config.values.init.empty()) return Start::kNothing;
  return config.given("init") ? Start::kModel : Start::kOwnWords;
}

void choose_task(LayeredConfig& config) {
  if (!config.values.source.empty()) choose(config, "task", "translate");
  if (config.given("model") || !config.values.has_source()) {
    const ModelFamily& family = family_of(config.values);
    if (!family.can_learn(config.values.objective())) choose(config, "task", family.usual_task);
  } else {
    choose(config, "model", first_model_for(config.values.objective()));
  }
}

LayeredConfig settle(const LayeredConfig& asked, Facts& facts, const Notice& notice) {
  LayeredConfig config = asked;
  const TrainConfig& c = config.values;
  const Start start = start_of(config);
  fit_warmup(config, notice);
  choose_task(config);
  validate(c);  // before the data is read, which may take long
  check_structure(c);
  if (start != Start::kNothing) {
    const StartFacts begins = facts.start(c);
    take_structure(config, begins);
    take_tokenizer(config, begins);
    require_applicable(config);  // a vocabulary to train is useless beside the model's
  }
  choose_recipe(config, start);
  if (start == Start::kNothing) {
    choose_tokenizer_for(config, facts);
    keep_case(config);
    require_merges(c);
  }
  if (const auto masking = facts.masking(c)) take_masking(config, *masking);
  const DataFacts data = facts.data(c, start);
  take_found(config, data);
  choose_size(config, data, facts, notice);
  if (c.is_labelled() && start != Start::kModel) choose(config, "most-epochs", passes_from_scratch(data.examples));
  if (!has_end(c)) {
    if (start != Start::kModel && !config.given("preset")) choose(config, "precision", "auto");
    const BatchFacts batches = facts.batches(c);
    choose_length(config, batches, pace_of(config, facts), notice);
  } else if (c.precision == "auto") {
    pace_of(config, facts);
  }
  validate(c);
  return config;
}

}  // namespace rapt
