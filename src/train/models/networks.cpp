#include "train/models/networks.h"

#include <algorithm>
#include <map>

#include "tensor/error.h"
#include "train/models/family.h"

namespace rapt {
namespace {

void check_objective(const TrainConfig& c, const ModelFamily& family) {
  if (family.can_learn(c.objective())) return;
  if (c.masks_words()) {
    throw UsageError("--task " + c.task + " needs a model that sees both sides of a word, got --model " + c.model +
                     "; use --model " + first_model_for(c.objective()));
  }
  if (c.objective() == Objective::kNextToken) {
    throw UsageError("--model " + c.model + " does not predict the next token; use --task " + family.usual_task +
                     ", or --model " + first_model_for(c.objective()));
  }
  throw UsageError("--model " + c.model + " cannot be used for --task " + c.task + "; use --model " +
                   first_model_for(c.objective()));
}

// Tasks and switches that a model does not support.
void check_model(const TrainConfig& c) {
  const ModelFamily& family = family_of(c);
  check_objective(c, family);
  if (!family.has_attention_start && c.attention_start != TrainConfig().attention_start) {
    const auto owner = std::ranges::find_if(model_families(), &ModelFamily::has_attention_start);
    throw UsageError("--attention-start requires --model " + owner->names.front() + ", got --model " + c.model);
  }
  family.check(c);
}

Dim outputs_of(const TrainConfig& config) {
  if (config.labels.empty()) return 1;  // regression to one number; qa and choice have no classes
  return static_cast<Dim>(config.labels.size());
}

}  // namespace

void check_structure(const TrainConfig& config) { family_of(config).check(config); }

NetworkConfig network_config(const TrainConfig& config, VocabularySizes vocabulary) {
  check_model(config);
  NetworkConfig network{.backbone = family_of(config).backbone(config, vocabulary), .objective = config.objective()};
  if (config.is_labelled()) {
    network = with_task_head(std::move(network), task_named(config.task), outputs_of(config));
    if (config.head_dropout) network.task.dropout = *config.head_dropout;
  }
  network.backbone.fit(network.objective, network.task);
  return network;
}

void take_network_settings(TrainConfig& config, const NetworkConfig& network) {
  family_of(network.backbone).take_structure(config, network.backbone);
}

void take_dropouts(TrainConfig& config, const NetworkConfig& network) {
  family_of(network.backbone).take_dropouts(config, network.backbone);
  if (network.objective == Objective::kLabels) config.head_dropout = network.task.dropout;
}

void take_initial_spread(NetworkConfig& config, const NetworkConfig& start) {
  config.backbone.init_std() = start.backbone.init_std();
  config.task.init_std = start.backbone.init_std();
}

std::string task_word(const NetworkConfig& network) { return task_word(network.objective, network.task.task); }

std::vector<std::string> copy_parameters(AnyNetwork& from, AnyNetwork& to, bool heads) {
  const ModelFamily &ours_is = family_of(to.config().backbone), &theirs_is = family_of(from.config().backbone);
  if (&ours_is != &theirs_is) throw DataError("init: a " + theirs_is.title + " cannot start a " + ours_is.title);
  from.merge_adapters();
  std::map<std::string, Variable> source;
  for (NamedParameter& p : parameters_of(from.module())) source.emplace(p.name, p.variable);
  const std::string ours = backbone_prefix(to.config()), theirs = backbone_prefix(from.config());
  std::vector<std::string> kept;
  for (NamedParameter& p : parameters_of(to.module())) {
    const bool inner = p.name.starts_with(ours);
    auto found = source.end();
    if (inner) found = source.find(theirs + p.name.substr(ours.size()));
    if (found == source.end() && heads) found = source.find(p.name);
    if (found == source.end()) {
      kept.push_back(p.name);
      continue;
    }
    const Tensor& value = found->second.value();
    Tensor& mine = p.variable.value();
    const bool longer = value.shape().rank() == 2 && mine.shape().rank() == 2 && mine.shape()[0] > value.shape()[0] &&
                        mine.shape()[1] == value.shape()[1];
    if (value.shape() != mine.shape() && !longer) {
      throw DataError("init: " + p.name + " is " + value.shape().to_string() + " there, the settings need " +
                      mine.shape().to_string());
    }
    mine.slice(0, value.shape()[0]).copy_from(value);
  }
  return kept;
}

}  // namespace rapt
