// The gpt2 and openai-gpt kinds: transformers, models/gpt2/configuration_gpt2.py and modeling_gpt2.py, and the same of
// openai. Both share the names inside a block.
#include <array>
#include <utility>

#include "nn/models/gpt.h"
#include "train/models/hugging_face_kind.h"

namespace rapt {
namespace {

using namespace hugging_face;

constexpr std::array<HuggingFaceClass, 6> kClasses{{
    {"LMHeadModel", Objective::kNextToken},
    {"Model", Objective::kNextToken},
    {"ForSequenceClassification", Objective::kLabels, Task::kClassify},
    {"DoubleHeadsModel", Objective::kLabels, Task::kChoice},
    {"ForTokenClassification", Objective::kLabels, Task::kTag},
    {"ForQuestionAnswering", Objective::kLabels, Task::kQuestion},
}};
constexpr std::size_t kOpenAiClasses = 4;  // the first ones

// OpenAIGPTConfig.afn is a key of ACT_FNS in modeling_openai.py, where "gelu" is the tanh form.
constexpr std::array<std::pair<const char*, Activation>, 4> kGpt1Activations{{
    {"gelu", Activation::kGeluTanh},
    {"relu", Activation::kRelu},
    {"silu", Activation::kSilu},
    {"swish", Activation::kSilu},
}};

Activation gpt1_activation(const JsonFields& fields) {
  const std::string name = fields.string_or("afn", "gelu");
  for (const auto& [theirs, activation] : kGpt1Activations) {
    if (name == theirs) return activation;
  }
  fields.refuse("afn", "one of gelu, relu, silu, swish");
}

const char* gpt1_activation_name(Activation activation) {
  for (const auto& [theirs, ours] : kGpt1Activations) {
    if (ours == activation) return theirs;
  }
  return nullptr;
}

// The settings of a double-heads model's answer, apart from the matrix.
void require_plain_summary(const JsonFields& fields) {
  const std::string type = fields.string_or("summary_type", "cls_index");
  if (type != "cls_index" && type != "last") fields.refuse("summary_type", "cls_index");
  if (!fields.boolean_or("summary_use_proj", true)) fields.refuse("summary_use_proj", "true");
  if (!fields.boolean_or("summary_proj_to_labels", true)) fields.refuse("summary_proj_to_labels", "true");
  if (fields.has_value("summary_activation")) fields.refuse("summary_activation", "null");
  if (fields.number_or("summary_last_dropout", 0) != 0) fields.refuse("summary_last_dropout", "0");
}

// The head's name in the class of a task; null if there is no such class.
const char* head_name(Task task, bool openai) {
  switch (task) {
    case Task::kClassify:
    case Task::kRegress:
    case Task::kMultilabel:
      return "score";
    case Task::kChoice:
      return "multiple_choice_head.summary";
    case Task::kTag:
      return openai ? nullptr : "classifier";
    case Task::kQuestion:
      return openai ? nullptr : "qa_outputs";
  }
  return nullptr;
}

bool is_openai_gpt(const GptConfig& config) { return config.norm == NormPlacement::kPost; }

GptConfig config_from(const JsonFields& fields) {
  const bool openai = fields.string("model_type") == "openai-gpt";
  GptConfig c = openai ? GptConfig::gpt1() : GptConfig::gpt2();
  c.vocabulary = fields.positive_integer_or("vocab_size", c.vocabulary);
  c.context = fields.positive_integer_or("n_positions", c.context);
  c.width = fields.positive_integer_or("n_embd", c.width);
  c.layers = fields.positive_integer_or("n_layer", c.layers);
  c.heads = fields.positive_integer_or("n_head", c.heads);
  c.norm_epsilon = fields.number_or("layer_norm_epsilon", 1e-5);
  c.init_std = fields.number_or("initializer_range", 0.02);
  c.embedding_dropout = fields.number_or("embd_pdrop", 0.1);
  c.attention_dropout = fields.number_or("attn_pdrop", 0.1);
  c.residual_dropout = fields.number_or("resid_pdrop", 0.1);
  c.tied_head = fields.boolean_or("tie_word_embeddings", true);
  if (c.width % c.heads != 0) fields.refuse("n_head", "a divisor of n_embd, which is " + std::to_string(c.width));
  if (openai) {
    c.activation = gpt1_activation(fields);
    return c;
  }
  if (fields.has_value("n_inner")) c.feed_forward = fields.positive_integer("n_inner");
  c.activation = activation_from(fields, "activation_function", "gelu_new");
  c.scale_attention = fields.boolean_or("scale_attn_weights", true);
  c.scale_attention_by_inverse_layer = fields.boolean_or("scale_attn_by_inverse_layer_idx", false);
  // reorder_and_upcast_attn only changes the precision of transformers' products; ours is always f32.
  if (fields.boolean_or("add_cross_attention", false)) {
    fields.refuse("add_cross_attention", "false: a gpt2 with cross-attention is half of an encoder-decoder");
  }
  return c;
}

BackboneConfig read(const JsonFields& fields, const HuggingFaceClass& known) {
  GptConfig c = config_from(fields);
  if (known.task && known.task != Task::kChoice) c.tied_head = true;  // the class has no other head
  return c;
}

TaskConfig read_head(const JsonFields& fields, Task task, Dim outputs, const BackboneConfig& backbone) {
  TaskConfig head = backbone.task_head(task, outputs);
  if (task == Task::kChoice) {
    require_plain_summary(fields);
    head.dropout = fields.number_or("summary_first_dropout", 0.1);
  } else if (task == Task::kTag) {
    head.dropout = fields.number_or("classifier_dropout", fields.number_or("hidden_dropout", 0.1));
  } else {
    head.dropout = 0;  // the other classes have none
  }
  return head;
}

void write(Json& json, const NetworkConfig& network) {
  const GptConfig& c = *network.backbone.as<GptConfig>();
  const bool openai = is_openai_gpt(c);
  if (c.positions != PositionKind::kLearned) {
    refuse_export("GPT with sinusoidal positions", "train it with --position learned or rope to export it");
  }
  if (c.parallel_residual) {
    refuse_export("gpt2 with a parallel residual", "train it with --position rope to export it");
  }
  const char* activation = openai ? gpt1_activation_name(c.activation) : activation_name(c.activation);
  if (activation == nullptr) {
    refuse_export(openai ? "openai-gpt with this activation" : "gpt2 with this activation");
  }
  if (openai && c.inner_width() != 4 * c.width) {
    refuse_export("openai-gpt whose feed-forward width is not four times the width");
  }
  if (network.objective == Objective::kLabels && head_name(network.task.task, openai) == nullptr) {
    refuse_export("openai-gpt for the task " + std::string(name_of(network.task.task)));
  }
  json["vocab_size"] = c.vocabulary;
  json["n_positions"] = c.context;
  json["n_ctx"] = c.context;  // no longer in transformers' class; llama.cpp's converter reads it
  json["n_embd"] = c.width;
  json["n_layer"] = c.layers;
  json["n_head"] = c.heads;
  if (openai) {
    json["afn"] = activation;
  } else {
    json["n_inner"] = c.feed_forward > 0 ? Json(c.feed_forward) : Json(nullptr);
    json["activation_function"] = activation;
    json["scale_attn_weights"] = c.scale_attention;
    json["scale_attn_by_inverse_layer_idx"] = c.scale_attention_by_inverse_layer;
    json["use_cache"] = true;
  }
  json["layer_norm_epsilon"] = c.norm_epsilon;
  json["initializer_range"] = c.init_std;
  json["embd_pdrop"] = c.embedding_dropout;
  json["attn_pdrop"] = c.attention_dropout;
  json["resid_pdrop"] = c.residual_dropout;
  json["tie_word_embeddings"] = c.tied_head;
  if (network.objective != Objective::kLabels) return;
  if (network.task.task == Task::kTag) json["classifier_dropout"] = network.task.dropout;
  if (network.task.task == Task::kChoice) {
    json["summary_type"] = "cls_index";
    json["summary_use_proj"] = true;
    json["summary_proj_to_labels"] = true;
    json["summary_activation"] = nullptr;
    json["summary_first_dropout"] = network.task.dropout;
  }
}

std::vector<ParameterName> names_of(const NetworkConfig& network) {
  const GptConfig& config = *network.backbone.as<GptConfig>();
  const bool openai = is_openai_gpt(config);
  const std::string prefix = backbone_prefix(network), root = "transformer.";
  std::vector<ParameterName> names = {
      {prefix + "tokens.weight", root + (openai ? "tokens_embed.weight" : "wte.weight")},
      {prefix + "positions.weight", root + (openai ? "positions_embed.weight" : "wpe.weight")},
  };
  for (Dim layer = 0; layer < config.layers; ++layer) {
    const std::string ours = prefix + "blocks." + std::to_string(layer) + ".",
                      theirs = root + "h." + std::to_string(layer) + ".";
    const auto norm = [&](const char* our_name, const char* their_name) {
      names.push_back({ours + our_name + ".gain", theirs + their_name + ".weight"});
      names.push_back({ours + our_name + ".bias", theirs + their_name + ".bias"});
    };
    const auto linear = [&](const char* our_name, const char* their_name) {
      names.push_back({ours + our_name + ".weight", theirs + their_name + ".weight", true});
      names.push_back({ours + our_name + ".bias", theirs + their_name + ".bias"});
    };
    norm("norm1", "ln_1");
    linear("attention.qkv", "attn.c_attn");
    linear("attention.out", "attn.c_proj");
    norm("norm2", "ln_2");
    linear("feed_forward.up", "mlp.c_fc");
    linear("feed_forward.down", "mlp.c_proj");
  }
  if (!openai) {
    names.push_back({prefix + "norm.gain", root + "ln_f.weight"});
    names.push_back({prefix + "norm.bias", root + "ln_f.bias"});
  }
  const bool task = network.objective == Objective::kLabels;
  if (!config.tied_head) {
    const bool written = !task || network.task.task == Task::kChoice;
    names.push_back({.ours = prefix + "head.weight", .theirs = "lm_head.weight", .written = written});
  }
  if (!task) return names;
  const char* const head = head_name(network.task.task, openai);
  if (head == nullptr) return names;
  names.push_back({"head.weight", std::string(head) + ".weight"});
  if (std::string(head) != "score") names.push_back({"head.bias", std::string(head) + ".bias"});
  return names;
}

std::vector<std::string> other_names(const std::string& bare, const NetworkConfig& network) {
  const bool table = bare == "wte.weight" || bare == "tokens_embed.weight";
  if (table && network.backbone.as<GptConfig>()->tied_head) return {"lm_head.weight"};
  return {};
}

bool may_be_left(const std::string& name, const NetworkConfig& network) {
  if (name == "lm_head.weight") return network.backbone.as<GptConfig>()->tied_head;
  return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
}

HuggingFaceKind kind() {
  return {.model_type = "gpt2",
          .class_prefix = "GPT2",
          .name_prefix = "transformer.",
          .classes = kClasses,
          .marks_texts = true,
          .holds =
              [](const BackboneConfig& backbone) {
                const auto* const c = backbone.as<GptConfig>();
                return c != nullptr && c->positions != PositionKind::kRotary && !is_openai_gpt(*c);
              },
          .read = read,
          .read_head = read_head,
          .write = write,
          .names = names_of,
          .other_names = other_names,
          .may_be_left = may_be_left};
}

}  // namespace

HuggingFaceKind gpt2_kind() { return kind(); }

HuggingFaceKind openai_gpt_kind() {
  HuggingFaceKind openai = kind();
  openai.model_type = "openai-gpt";
  openai.class_prefix = "OpenAIGPT";
  openai.classes = std::span(kClasses).first(kOpenAiClasses);
  openai.holds = [](const BackboneConfig& backbone) {
    const auto* const c = backbone.as<GptConfig>();
    return c != nullptr && c->positions != PositionKind::kRotary && is_openai_gpt(*c);
  };
  return openai;
}

}  // namespace rapt
