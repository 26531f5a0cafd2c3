#include "train/tasks/job.h"

#include "tensor/error.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "train/files/checkpoint.h"
#include "train/models/networks.h"
#include "train/settings/settings.h"
#include "train/settings/settings_agreement.h"
#include "train/tasks/choose.h"

namespace rapt {
namespace {

// Whether the user said so of a run that begins with a model of theirs. The words that a classifier from scratch begins
// with have been learnt by a network of what was asked for.
bool asked_for(const LayeredConfig& config, const Setting& setting) {
  return config.given("init") && config.origin_of(setting.name) >= Origin::kFile;
}

// The structure is the model's. What was asked for must be the same, or it would be passed over in silence.
void take_structure(LayeredConfig& layered, const Pretrained& start) {
  TrainConfig& config = layered.values;
  const TrainConfig before = config;
  take_network_settings(config, start.network->config());
  config.attention_start = start.config.attention_start;
  for (const Setting& s : settings()) {
    if (!asked_for(layered, s)) continue;
    const auto asked = s.get(before), has = s.get(config);
    if (asked == has) continue;
    const std::string advice = s.name == "context" && before.context < config.context
                                   ? "; for shorter sequences give --max-length " + asked.at(0)
                                   : "; leave it out";
    throw UsageError("--" + s.name + " " + asked.at(0) + " cannot be followed: the model of --init " + config.init +
                     " has " + has.at(0) + advice);
  }
}

// The token ids are the model's, too.
void take_tokenizer(LayeredConfig& layered, Pretrained& start) {
  TrainConfig& config = layered.values;
  const bool asked = asked_for(layered, *find_setting("tokenizer")) && config.tokenizer != "init";
  if (start.tokenizer == nullptr) {
    if (asked && !config.learns_tokenizer()) start.tokenizer = load_tokenizer(config.tokenizer);
    return;
  }
  const bool trained_so = start.config.learns_tokenizer() && (!asked || config.tokenizer == start.config.tokenizer);
  if (trained_so && (asked || !layered.given("init"))) {
    config.tokenizer = start.config.tokenizer;
    config.vocabulary = start.config.vocabulary;
    config.lowercase = start.config.lowercase;
    return;
  }
  const bool same =
      asked && !config.learns_tokenizer() && load_tokenizer(config.tokenizer)->to_json() == start.tokenizer->to_json();
  if (asked && !same) {
    throw UsageError("--tokenizer " + config.tokenizer + " cannot be followed: the model of --init " + config.init +
                     " has a tokenizer of its own, whose ids it knows; leave it out");
  }
  config.tokenizer = "init";
}

}  // namespace

void choose_task(LayeredConfig& config) {
  if (config.values.model == "bert") choose(config, "task", "mlm-nsp");
}

Job prepare_job(const JobRequest& request) {
  const TrainConfig& config = request.config.values;
  if (request.from == nullptr) choose_task(request.config);
  if (config.task == "lm") return prepare_language_model(request);
  return config.is_labelled() ? prepare_labelled(request) : prepare_masked_words(request);
}

Pretrained start_of(const JobRequest& request) {
  TrainConfig& config = request.config.values;
  Pretrained start;
  if (request.from != nullptr) {
    start.tokenizer = tokenizer_of(*request.from);
  } else if (!config.init.empty()) {
    start = open_pretrained(config.init);
    take_structure(request.config, start);
    take_tokenizer(request.config, start);
    require_applicable(request.config);  // a vocabulary to train has no place beside the model's
  }
  return start;
}

std::unique_ptr<AnyNetwork> first_network(const JobRequest& request, const Pretrained& start, Dim vocabulary,
                                          bool heads) {
  if (request.from != nullptr) return network_of(*request.from);
  const TrainConfig& config = request.config.values;
  Initializer init(static_cast<std::uint64_t>(config.seed));
  NetworkConfig wanted = network_config(config, vocabulary);
  if (start.network != nullptr) take_initial_spread(wanted, start.network->config());
  auto network = std::make_unique<AnyNetwork>(wanted, init);
  if (start.network != nullptr) copy_parameters(*start.network, *network, heads);
  return network;
}

}  // namespace rapt
