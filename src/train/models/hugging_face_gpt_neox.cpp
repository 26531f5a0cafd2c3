// The gpt_neox kind, which is transformers' class for GPTs with rotary positions: models/gpt_neox/
// configuration_gpt_neox.py and modeling_gpt_neox.py.
#include <array>
#include <utility>

#include "nn/models/gpt.h"
#include "train/models/hugging_face_kind.h"

namespace rapt {
namespace {

using namespace hugging_face;

constexpr std::array<HuggingFaceClass, 4> kClasses{{
    {"ForCausalLM", Objective::kNextToken},
    {"ForSequenceClassification", Objective::kLabels, Task::kClassify},
    {"ForTokenClassification", Objective::kLabels, Task::kTag},
    {"ForQuestionAnswering", Objective::kLabels, Task::kQuestion},
}};

// The head's name in the class of a task; null if there is no such class.
const char* head_name(Task task) {
  switch (task) {
    case Task::kClassify:
    case Task::kRegress:
    case Task::kMultilabel:
      return "score";
    case Task::kTag:
      return "classifier";
    case Task::kQuestion:
      return "qa_outputs";
    case Task::kChoice:
      return nullptr;
  }
  return nullptr;
}

// transformers 5 stores the settings of rotary positions in rope_parameters. Before, share and base were separate keys,
// and rope_scaling described extensions of the context.
void take_rotary(GptConfig& c, const JsonFields& fields) {
  const Json nothing = Json::object();
  const char* const key = fields.has_value("rope_scaling") ? "rope_scaling" : "rope_parameters";
  const JsonFields rope = fields.has_value(key) ? fields.object(key) : JsonFields(nothing, fields.name());
  const char* const type = rope.has_value("rope_type") ? "rope_type" : "type";
  if (rope.string_or(type, "default") != "default") rope.refuse(type, "default");

  const auto [share_in, share] = rope.has_value("partial_rotary_factor") ? std::pair(&rope, "partial_rotary_factor")
                                                                         : std::pair(&fields, "rotary_pct");
  const auto [base_in, base] =
      rope.has_value("rope_theta") ? std::pair(&rope, "rope_theta") : std::pair(&fields, "rotary_emb_base");
  c.positions = PositionKind::kRotary;
  c.rotary_share = share_in->number_or(share, 0.25);
  c.rotary_base = base_in->number_or(base, 10000);
  if (!(c.rotary_base > 0)) base_in->refuse(base, "positive");
  if (!(c.rotary_share > 0 && c.rotary_share <= 1)) share_in->refuse(share, "above 0 and at most 1");
  if (const Dim turned = c.rotary_width(); turned < 2 || turned % 2 != 0) {
    share_in->refuse(share,
                     "a share that gives an even number of a head's " + std::to_string(c.width / c.heads) + " columns");
  }
}

BackboneConfig read(const JsonFields& fields, const HuggingFaceClass& known) {
  GptConfig c;
  c.vocabulary = fields.positive_integer_or("vocab_size", 50432);
  c.context = fields.positive_integer_or("max_position_embeddings", 2048);
  c.width = fields.positive_integer_or("hidden_size", 6144);
  c.layers = fields.positive_integer_or("num_hidden_layers", 44);
  c.heads = fields.positive_integer_or("num_attention_heads", 64);
  c.feed_forward = fields.positive_integer_or("intermediate_size", 24576);
  if (c.width % c.heads != 0) {
    fields.refuse("num_attention_heads", "a divisor of hidden_size, which is " + std::to_string(c.width));
  }
  if (c.feed_forward == 4 * c.width) c.feed_forward = 0;
  take_rotary(c, fields);
  c.parallel_residual = fields.boolean_or("use_parallel_residual", true);
  c.activation = activation_from(fields, "hidden_act", "gelu");
  c.norm_epsilon = fields.number_or("layer_norm_eps", 1e-5);
  c.init_std = fields.number_or("initializer_range", 0.02);
  c.embedding_dropout = c.residual_dropout = fields.number_or("hidden_dropout", 0);
  c.attention_dropout = fields.number_or("attention_dropout", 0);
  c.tied_head = fields.boolean_or("tie_word_embeddings", false);
  if (known.task) c.tied_head = true;  // the class has no other head
  if (!(c.norm_epsilon > 0)) fields.refuse("layer_norm_eps", "positive");
  if (!fields.boolean_or("attention_bias", true)) {
    fields.refuse("attention_bias", "true: rapt's layers all have biases or none has");
  }
  return c;
}

TaskConfig read_head(const JsonFields& fields, Task task, Dim outputs, const BackboneConfig& backbone) {
  TaskConfig head = backbone.task_head(task, outputs);
  head.dropout = task == Task::kTag ? fields.number_or("classifier_dropout", 0.1) : 0;  // the other classes have none
  return head;
}

void write(Json& json, const NetworkConfig& network) {
  const GptConfig& c = *network.backbone.as<GptConfig>();
  if (c.norm != NormPlacement::kPre) refuse_export("gpt_neox with norms behind its sublayers");
  if (!c.scale_attention || c.scale_attention_by_inverse_layer) {
    refuse_export("gpt_neox with this scale of attention scores",
                  "train it with --attention-scale on and --attention-layer-scale off to export it");
  }
  const char* const activation = activation_name(c.activation);
  if (activation == nullptr) refuse_export("gpt_neox with this activation");
  if (network.objective == Objective::kLabels && head_name(network.task.task) == nullptr) {
    refuse_export("gpt_neox for the task " + std::string(name_of(network.task.task)),
                  "fine-tune a model with --position learned to export it");
  }
  json["vocab_size"] = c.vocabulary;
  json["max_position_embeddings"] = c.context;
  json["hidden_size"] = c.width;
  json["num_hidden_layers"] = c.layers;
  json["num_attention_heads"] = c.heads;
  json["intermediate_size"] = c.inner_width();
  json["hidden_act"] = activation;
  json["layer_norm_eps"] = c.norm_epsilon;
  json["attention_bias"] = true;
  json["use_parallel_residual"] = c.parallel_residual;
  json["rotary_pct"] = c.rotary_share;
  json["rotary_emb_base"] = c.rotary_base;
  json["rope_parameters"] = {
      {"rope_type", "default"}, {"rope_theta", c.rotary_base}, {"partial_rotary_factor", c.rotary_share}};
  json["initializer_range"] = c.init_std;
  json["hidden_dropout"] = c.residual_dropout;  // also the embeddings' dropout
  json["attention_dropout"] = c.attention_dropout;
  json["tie_word_embeddings"] = c.tied_head;
  json["use_cache"] = true;
  const bool tags = network.objective == Objective::kLabels && network.task.task == Task::kTag;
  if (tags) json["classifier_dropout"] = network.task.dropout;
}

std::vector<ParameterName> names_of(const NetworkConfig& network) {
  const GptConfig& config = *network.backbone.as<GptConfig>();
  const std::string prefix = backbone_prefix(network), root = "gpt_neox.";
  std::vector<ParameterName> names = {{prefix + "tokens.weight", root + "embed_in.weight"}};
  const auto norm = [&](const std::string& ours, const std::string& theirs) {
    names.push_back({prefix + ours + ".gain", root + theirs + ".weight"});
    names.push_back({prefix + ours + ".bias", root + theirs + ".bias"});
  };
  const auto linear = [&](const std::string& ours, const std::string& theirs, Dim heads = 0) {
    for (const char* kind : {".weight", ".bias"}) {
      names.push_back({.ours = prefix + ours + kind, .theirs = root + theirs + kind, .heads = heads});
    }
  };
  for (Dim layer = 0; layer < config.layers; ++layer) {
    const std::string ours = "blocks." + std::to_string(layer) + ".", theirs = "layers." + std::to_string(layer) + ".";
    norm(ours + "norm1", theirs + "input_layernorm");
    linear(ours + "attention.qkv", theirs + "attention.query_key_value", config.heads);
    linear(ours + "attention.out", theirs + "attention.dense");
    norm(ours + "norm2", theirs + "post_attention_layernorm");
    linear(ours + "feed_forward.up", theirs + "mlp.dense_h_to_4h");
    linear(ours + "feed_forward.down", theirs + "mlp.dense_4h_to_h");
  }
  norm("norm", "final_layer_norm");
  const bool task = network.objective == Objective::kLabels;
  if (!config.tied_head) {
    names.push_back({.ours = prefix + "head.weight", .theirs = "embed_out.weight", .written = !task});
  }
  const char* const head = task ? head_name(network.task.task) : nullptr;
  if (head == nullptr) return names;
  names.push_back({"head.weight", std::string(head) + ".weight"});
  if (std::string(head) != "score") names.push_back({"head.bias", std::string(head) + ".bias"});
  return names;
}

std::vector<std::string> other_names(const std::string& bare, const NetworkConfig& network) {
  const bool tied = network.backbone.as<GptConfig>()->tied_head;
  if (bare == "embed_in.weight" && tied) return {"lm_head.weight", "embed_out.weight"};
  if (bare == "embed_out.weight") return {"lm_head.weight"};
  return {};
}

bool may_be_left(const std::string& name, const NetworkConfig& network) {
  if (name == "lm_head.weight" || name == "embed_out.weight") return network.backbone.as<GptConfig>()->tied_head;
  return name.ends_with(".attention.bias") || name.ends_with(".attention.masked_bias") ||
         name.ends_with(".rotary_emb.inv_freq");
}

}  // namespace

HuggingFaceKind gpt_neox_kind() {
  return {.model_type = "gpt_neox",
          .class_prefix = "GPTNeoX",
          .name_prefix = "gpt_neox.",
          .classes = kClasses,
          .marks_texts = true,
          .holds =
              [](const BackboneConfig& backbone) {
                const auto* const c = backbone.as<GptConfig>();
                return c != nullptr && c->positions == PositionKind::kRotary;
              },
          .read = read,
          .read_head = read_head,
          .write = write,
          .names = names_of,
          .other_names = other_names,
          .may_be_left = may_be_left};
}

}  // namespace rapt
