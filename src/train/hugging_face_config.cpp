// config.json of the gpt2 and openai-gpt kinds. The keys and what they mean: transformers,
// models/gpt2/configuration_gpt2.py and models/openai/configuration_openai.py.
#include <array>
#include <utility>

#include "tensor/error.h"
#include "train/hugging_face.h"

namespace rapt {
namespace {

// GPT2Config.activation_function is a key of transformers' ACT2FN.
constexpr std::array<std::pair<const char*, Activation>, 12> kGpt2Activations{{
    {"gelu_new", Activation::kGeluTanh},
    {"gelu", Activation::kGelu},
    {"gelu_pytorch_tanh", Activation::kGeluTanh},
    {"gelu_fast", Activation::kGeluTanh},
    {"gelu_accurate", Activation::kGeluTanh},
    {"gelu_python", Activation::kGelu},
    {"relu", Activation::kRelu},
    {"silu", Activation::kSilu},
    {"swish", Activation::kSilu},
    {"tanh", Activation::kTanh},
    {"sigmoid", Activation::kSigmoid},
    {"quick_gelu", Activation::kQuickGelu},
}};

// OpenAIGPTConfig.afn is a key of ACT_FNS in modeling_openai.py, where "gelu" is the tanh form.
constexpr std::array<std::pair<const char*, Activation>, 4> kGpt1Activations{{
    {"gelu", Activation::kGeluTanh},
    {"relu", Activation::kRelu},
    {"silu", Activation::kSilu},
    {"swish", Activation::kSilu},
}};

template <std::size_t kCount>
Activation activation_of(const std::array<std::pair<const char*, Activation>, kCount>& known, const JsonFields& fields,
                         const char* key, const char* fallback) {
  const std::string name = fields.string_or(key, fallback);
  std::string all;
  for (const auto& [theirs, activation] : known) {
    if (name == theirs) return activation;
    all += (all.empty() ? "" : ", ") + std::string(theirs);
  }
  fields.refuse(key, "one of " + all);
}

template <std::size_t kCount>
const char* name_of(const std::array<std::pair<const char*, Activation>, kCount>& known, Activation activation) {
  for (const auto& [theirs, ours] : known) {
    if (ours == activation) return theirs;
  }
  return nullptr;
}

void read_shared(const JsonFields& fields, GptConfig& c) {
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
}

}  // namespace

GptConfig gpt_config_from_json(const Json& config, const std::string& name) {
  const JsonFields fields(config, name);
  const std::string kind = fields.string("model_type");
  if (kind == "openai-gpt") {
    GptConfig c = GptConfig::gpt1();
    read_shared(fields, c);
    c.activation = activation_of(kGpt1Activations, fields, "afn", "gelu");
    return c;
  }
  if (kind != "gpt2") fields.refuse("model_type", "gpt2 or openai-gpt");
  GptConfig c = GptConfig::gpt2();
  read_shared(fields, c);
  if (fields.has_value("n_inner")) c.feed_forward = fields.positive_integer("n_inner");
  c.activation = activation_of(kGpt2Activations, fields, "activation_function", "gelu_new");
  c.scale_attention = fields.boolean_or("scale_attn_weights", true);
  c.scale_attention_by_inverse_layer = fields.boolean_or("scale_attn_by_inverse_layer_idx", false);
  // reorder_and_upcast_attn changes only in which precision transformers multiplies; ours is f32 in any case.
  if (fields.boolean_or("add_cross_attention", false)) {
    fields.refuse("add_cross_attention", "false: a gpt2 with cross-attention is half of an encoder-decoder");
  }
  return c;
}

Json gpt_config_to_json(const GptConfig& c, std::int64_t end_of_text) {
  const auto refuse = [](const std::string& what) {
    throw UsageError("export: transformers has no " + what + "; it cannot be exported as a Hugging Face directory");
  };
  if (c.positions != PositionKind::kLearned) refuse("GPT with other than learned positions");
  const bool gpt1 = c.norm == NormPlacement::kPost;
  const char* activation = gpt1 ? name_of(kGpt1Activations, c.activation) : name_of(kGpt2Activations, c.activation);
  if (activation == nullptr) refuse(gpt1 ? "openai-gpt with this activation" : "gpt2 with this activation");
  if (gpt1 && c.inner_width() != 4 * c.width) refuse("openai-gpt whose feed-forward width is not four times the width");

  Json json;
  json["model_type"] = gpt1 ? "openai-gpt" : "gpt2";
  json["architectures"] = {gpt1 ? "OpenAIGPTLMHeadModel" : "GPT2LMHeadModel"};
  json["vocab_size"] = c.vocabulary;
  json["n_positions"] = c.context;
  json["n_ctx"] = c.context;  // not in transformers' class any more; llama.cpp's converter reads it
  json["n_embd"] = c.width;
  json["n_layer"] = c.layers;
  json["n_head"] = c.heads;
  if (gpt1) {
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
  json["bos_token_id"] = end_of_text >= 0 ? Json(end_of_text) : Json(nullptr);
  json["eos_token_id"] = end_of_text >= 0 ? Json(end_of_text) : Json(nullptr);
  json["tie_word_embeddings"] = c.tied_head;
  json["torch_dtype"] = "float32";
  json["transformers_version"] = "4.40.0";
  return json;
}

}  // namespace rapt
