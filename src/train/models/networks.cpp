#include "train/models/networks.h"

#include <algorithm>
#include <map>

#include "io/escape.h"
#include "io/suggest.h"
#include "tensor/error.h"

namespace rapt {
namespace {

LoraOptions lora_options(const TrainConfig& config) {
  if (config.lora_rank == 0) return {};
  LoraOptions lora{.rank = config.lora_rank, .alpha = config.lora_alpha, .dropout = config.lora_dropout};
  const std::pair<const char*, bool*> targets[] = {{"query", &lora.query},   {"key", &lora.key}, {"value", &lora.value},
                                                   {"output", &lora.output}, {"up", &lora.up},   {"down", &lora.down}};
  for (const std::string& wanted : config.lora_targets) {
    const auto target = std::ranges::find_if(targets, [&](const auto& t) { return t.first == wanted; });
    if (target == std::end(targets)) {
      throw UsageError("--lora-targets must be some of query, key, value, output, up, down, got " + in_quotes(wanted) +
                       did_you_mean(wanted, {"query", "key", "value", "output", "up", "down"}));
    }
    *target->second = true;
  }
  if (config.lora_targets.empty()) throw UsageError("--lora-rank needs --lora-targets; try --lora-targets query,value");
  return lora;
}

PositionKind position_from_name(const std::string& name) {
  if (name == "rope") return PositionKind::kRotary;
  if (name == "sinusoidal") return PositionKind::kSinusoidal;
  return PositionKind::kLearned;
}

const char* name_of(PositionKind positions) {
  if (positions == PositionKind::kRotary) return "rope";
  return positions == PositionKind::kSinusoidal ? "sinusoidal" : "learned";
}

// Settings that both kinds of model share.
template <typename ModelConfig>
void give_common_settings(ModelConfig& c, const TrainConfig& config, Dim vocabulary) {
  c.vocabulary = vocabulary;
  c.context = config.context;
  c.width = config.width;
  c.layers = config.layers;
  c.heads = config.heads;
  c.feed_forward = config.feed_forward;
  c.activation = activation_from_name(config.activation);
  c.norm_epsilon = config.norm_epsilon;
  c.lora = lora_options(config);
}

BertConfig bert_config(const TrainConfig& config, Dim vocabulary) {
  BertConfig c;
  give_common_settings(c, config, vocabulary);
  c.segments = config.segments;
  c.hidden_dropout = config.residual_dropout_rate();
  c.attention_dropout = config.attention_dropout_rate();
  c.pooler = config.pooler;
  c.neighbours = config.attention_start == "neighbours";
  check(c);
  return c;
}

void take(TrainConfig& config, const GptConfig& model) {
  config.model = model.norm == NormPlacement::kPost ? "gpt1" : "gpt2";
  config.bias = model.bias;
  config.tie = model.tied_head;
  config.position = name_of(model.positions);
  config.rotary_base = model.rotary_base;
  config.rotary_share = model.rotary_share;
  config.parallel_residual = model.parallel_residual;
  config.attention_scale = model.scale_attention;
  config.attention_layer_scale = model.scale_attention_by_inverse_layer;
}

void take(TrainConfig& config, const BertConfig& model) {
  config.model = "bert";
  config.segments = model.segments;
  config.pooler = model.pooler;
}

// Tasks and switches that a model does not support.
void check_model(const TrainConfig& c) {
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw UsageError(message);
  };
  const bool bert = c.model == "bert";
  require(bert || (c.task != "mlm" && c.task != "mlm-nsp"),
          "--task " + c.task + " needs a model that sees both sides of a word, got --model " + c.model +
              "; use --model bert");
  require(bert || c.attention_start == "random", "--attention-start requires --model bert, got --model " + c.model);
  if (!bert) return;
  require(c.task != "lm", "--model bert does not predict the next token; use --task mlm-nsp, or --model gpt2");
  require(c.position == "learned", "--model bert has learned positions, got --position " + c.position);
  require(!c.parallel_residual, "--parallel-residual requires --model gpt2, got --model bert");
  require(c.language_model_weight == 0,
          "--language-model-weight requires --model gpt1 or gpt2, which predict the next token, got --model bert");
  require(c.bias && c.tie, "--model bert has bias terms and a tied head, got --bias off or --tie off");
}

Dim outputs_of(const TrainConfig& config) {
  if (config.labels.empty()) return 1;  // regression to one number; qa and choice have no classes
  return static_cast<Dim>(config.labels.size());
}

}  // namespace

GptConfig gpt_config(const TrainConfig& config, Dim vocabulary) {
  GptConfig c = config.model == "gpt1" ? GptConfig::gpt1() : GptConfig::gpt2();
  give_common_settings(c, config, vocabulary);
  c.positions = position_from_name(config.position);
  c.rotary_base = config.rotary_base;
  c.rotary_share = config.rotary_share;
  c.parallel_residual = config.parallel_residual;
  c.scale_attention = config.attention_scale;
  c.scale_attention_by_inverse_layer = config.attention_layer_scale;
  c.bias = config.bias;
  c.tied_head = config.tie;
  c.embedding_dropout = config.embedding_dropout_rate();
  c.attention_dropout = config.attention_dropout_rate();
  c.residual_dropout = config.residual_dropout_rate();
  check(c);
  return c;
}

NetworkConfig network_config(const TrainConfig& config, Dim vocabulary) {
  check_model(config);
  const bool bert = config.model == "bert";
  NetworkConfig network;
  if (bert) {
    network.backbone = bert_config(config, vocabulary);
  } else {
    network.backbone = gpt_config(config, vocabulary);
  }
  if (config.task == "embed") {
    network.head = HeadKind::kNone;
    return network;
  }
  if (!config.is_labelled()) {
    network.head = bert ? HeadKind::kPretraining : HeadKind::kLanguageModel;
    if (bert) std::get<BertConfig>(network.backbone).pooler = config.task == "mlm-nsp";
    return network;
  }
  network = with_task_head(std::move(network), task_from_name(config.task), outputs_of(config));
  if (config.head_dropout) network.task.dropout = *config.head_dropout;
  return network;
}

void take_network_settings(TrainConfig& config, const NetworkConfig& network) {
  std::visit(
      [&](const auto& model) {
        config.layers = model.layers;
        config.heads = model.heads;
        config.width = model.width;
        config.feed_forward = model.feed_forward;
        config.context = model.context;
        config.activation = name_of(model.activation);
        config.norm_epsilon = model.norm_epsilon;
        take(config, model);
      },
      network.backbone);
}

void take_dropouts(TrainConfig& config, const NetworkConfig& network) {
  if (const auto* gpt = std::get_if<GptConfig>(&network.backbone)) {
    config.embedding_dropout = gpt->embedding_dropout;
    config.attention_dropout = gpt->attention_dropout;
    config.residual_dropout = gpt->residual_dropout;
  } else {
    const auto& bert = std::get<BertConfig>(network.backbone);
    config.attention_dropout = bert.attention_dropout;
    config.residual_dropout = bert.hidden_dropout;
  }
  if (network.head == HeadKind::kTask) config.head_dropout = network.task.dropout;
}

void take_initial_spread(NetworkConfig& config, const NetworkConfig& start) {
  const double std = std::visit([](const auto& model) { return model.init_std; }, start.backbone);
  std::visit([std](auto& model) { model.init_std = std; }, config.backbone);
  config.task.init_std = std;
}

std::string task_word(const NetworkConfig& network) {
  switch (network.head) {
    case HeadKind::kNone:
      return "embed";
    case HeadKind::kPretraining:
      return std::get<BertConfig>(network.backbone).pooler ? "mlm-nsp" : "mlm";
    case HeadKind::kLanguageModel:
      return "lm";
    case HeadKind::kTask:
      break;
  }
  return name_of(network.task.task);
}

std::vector<std::string> copy_parameters(AnyNetwork& from, AnyNetwork& to, bool heads) {
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
