// The marian, bart, mbart and pegasus kinds: encoder-decoders that differ in the places of their norms and in their
// positions. transformers, models/*/configuration_*.py and modeling_*.py.
#include <array>

#include "nn/models/transformer.h"
#include "train/models/hugging_face_kind.h"

namespace rapt {
namespace {

using namespace hugging_face;

// What distinguishes the kinds.
struct Variant {
  const char* model_type;
  NormPlacement norm;
  PositionKind positions;
  Dim position_offset;
  bool embedding_norm;
  bool two_vocabularies;  // it can have separate tables for source and target
  bool saves_sinusoids;   // its files hold the tables of fixed positions
};

constexpr Variant kMarian{"marian", NormPlacement::kPost, PositionKind::kSinusoidalHalves, 0, false, true, false};
constexpr Variant kBart{"bart", NormPlacement::kPost, PositionKind::kLearned, 2, true, false, false};
constexpr Variant kMbart{"mbart", NormPlacement::kPre, PositionKind::kLearned, 2, true, false, false};
constexpr Variant kPegasus{"pegasus", NormPlacement::kPre, PositionKind::kSinusoidalHalves, 0, false, false, true};

constexpr std::array<HuggingFaceClass, 1> kMarianClasses{{{"MTModel", Objective::kTargetText}}};
constexpr std::array<HuggingFaceClass, 1> kClasses{{{"ForConditionalGeneration", Objective::kTargetText}}};

// Keys of older versions, and of fairseq's ports, whose other values would be another network.
void check_switches(const JsonFields& fields, const Variant& variant) {
  const bool pre = variant.norm == NormPlacement::kPre;
  const std::pair<const char*, bool> fixed[] = {
      {"normalize_before", pre},
      {"add_final_layer_norm", pre},
      {"normalize_embedding", variant.embedding_norm},
      {"static_position_embeddings", variant.positions != PositionKind::kLearned},
      {"add_bias_logits", false},
      {"is_decoder", false},
      {"add_cross_attention", false},
  };
  for (const auto& [key, value] : fixed) {
    if (fields.boolean_or(key, value) != value) fields.refuse(key, value ? "true" : "false");
  }
  if (!fields.boolean_or("is_encoder_decoder", true)) fields.refuse("is_encoder_decoder", "true");
  if (fields.has_value("extra_pos_embeddings") && fields.integer("extra_pos_embeddings") != variant.position_offset) {
    fields.refuse("extra_pos_embeddings", std::to_string(variant.position_offset));
  }
}

void check_heads(const JsonFields& fields, const char* key, Dim heads, Dim width) {
  if (width % heads != 0) fields.refuse(key, "a divisor of d_model, which is " + std::to_string(width));
}

std::int32_t token_id(const JsonFields& fields, const char* key, std::int64_t fallback, Dim vocabulary) {
  const std::int64_t id = fields.has_value(key) ? fields.integer(key) : fallback;
  if (id < 0 || id >= vocabulary) fields.refuse(key, "an id below the vocabulary's " + std::to_string(vocabulary));
  return static_cast<std::int32_t>(id);
}

template <const Variant& kind>
BackboneConfig read(const JsonFields& fields, const HuggingFaceClass& /*known*/) {
  check_switches(fields, kind);
  TransformerConfig c;
  const Dim vocabulary = fields.positive_integer("vocab_size");
  c.vocabulary = fields.positive_integer_or("decoder_vocab_size", vocabulary);
  const bool shared = fields.boolean_or("share_encoder_decoder_embeddings", true);
  if (!shared && !kind.two_vocabularies) fields.refuse("share_encoder_decoder_embeddings", "true");
  if (shared && c.vocabulary != vocabulary) fields.refuse("decoder_vocab_size", "vocab_size, as the tables are shared");
  c.source_vocabulary = shared ? 0 : vocabulary;
  c.width = fields.positive_integer("d_model");
  c.layers = fields.positive_integer("encoder_layers");
  c.decoder_layers = fields.positive_integer("decoder_layers");
  c.heads = fields.positive_integer("encoder_attention_heads");
  c.decoder_heads = fields.positive_integer("decoder_attention_heads");
  c.feed_forward = fields.positive_integer("encoder_ffn_dim");
  c.decoder_feed_forward = fields.positive_integer("decoder_ffn_dim");
  c.context = fields.positive_integer_or("max_position_embeddings", 1024);
  check_heads(fields, "encoder_attention_heads", c.heads, c.width);
  check_heads(fields, "decoder_attention_heads", c.decoder_heads, c.width);
  c.activation = activation_from(fields, "activation_function", "gelu");
  c.norm = kind.norm;
  c.positions = kind.positions;
  c.position_offset = kind.position_offset;
  c.embedding_norm = kind.embedding_norm;
  c.embedding_scale = fields.boolean_or("scale_embedding", false);
  c.tied_head = fields.boolean_or("tie_word_embeddings", true);
  c.head_bias = HeadBias::kFixed;
  const double dropout = fields.number_or("dropout", 0.1);
  c.embedding_dropout = c.residual_dropout = dropout;
  c.attention_dropout = fields.number_or("attention_dropout", 0);
  c.activation_dropout = fields.number_or("activation_dropout", 0);
  c.init_std = fields.number_or("init_std", 0.02);
  c.end_token = token_id(fields, "eos_token_id", 2, c.vocabulary);
  c.pad_token = token_id(fields, "pad_token_id", 1, c.vocabulary);
  c.start_token = token_id(fields, "decoder_start_token_id", c.pad_token, c.vocabulary);
  if (fields.has_value("forced_bos_token_id")) {
    c.forced_first_token = token_id(fields, "forced_bos_token_id", 0, c.vocabulary);
  }
  return c;  // layer drop is a regulariser of pretraining, and forced_eos_token_id a rule for texts that are cut off
}

TaskConfig read_head(const JsonFields& /*fields*/, Task task, Dim outputs, const BackboneConfig& backbone) {
  return backbone.task_head(task, outputs);
}

// Other switches follow from the kind.
bool is_variant(const TransformerConfig& c, const Variant& kind) {
  return c.norm == kind.norm && c.positions == kind.positions && c.position_offset == kind.position_offset &&
         c.embedding_norm == kind.embedding_norm && (c.source_vocabulary == 0 || kind.two_vocabularies);
}

template <const Variant& kind>
bool holds(const BackboneConfig& backbone) {
  const auto* const c = backbone.as<TransformerConfig>();
  return c != nullptr && is_variant(*c, kind);
}

template <const Variant& kind>
void write(Json& json, const NetworkConfig& network) {
  const TransformerConfig& c = *network.backbone.as<TransformerConfig>();
  const char* const activation = activation_name(c.activation);
  if (activation == nullptr || c.gated) refuse_export("encoder-decoder with this activation");
  if (c.norm_epsilon != 1e-5) refuse_export("encoder-decoder with another epsilon in norms than 1e-5");
  if (c.embedding_dropout != c.residual_dropout) refuse_export("encoder-decoder with two dropouts of hidden states");
  json["vocab_size"] = c.source_vocabulary > 0 ? c.source_vocabulary : c.vocabulary;
  if (kind.two_vocabularies) {
    json["decoder_vocab_size"] = c.vocabulary;
    json["share_encoder_decoder_embeddings"] = c.source_vocabulary == 0;
  }
  json["d_model"] = c.width;
  json["encoder_layers"] = c.layers;
  json["decoder_layers"] = c.decoder_depth();
  json["encoder_attention_heads"] = c.heads;
  json["decoder_attention_heads"] = c.decoder_head_count();
  json["encoder_ffn_dim"] = c.inner_width();
  json["decoder_ffn_dim"] = c.decoder_inner_width();
  json["activation_function"] = activation;
  json["dropout"] = c.residual_dropout;
  json["attention_dropout"] = c.attention_dropout;
  json["activation_dropout"] = c.activation_dropout;
  json["encoder_layerdrop"] = 0.0;
  json["decoder_layerdrop"] = 0.0;
  json["max_position_embeddings"] = c.context;
  json["init_std"] = c.init_std > 0 ? c.init_std : 0.02;
  json["scale_embedding"] = c.embedding_scale;
  json["tie_word_embeddings"] = c.tied_head;
  json["is_encoder_decoder"] = true;
  // Newer versions of transformers know these from the class; CTranslate2 reads them.
  json["normalize_before"] = kind.norm == NormPlacement::kPre;
  json["add_final_layer_norm"] = kind.norm == NormPlacement::kPre;
  json["normalize_embedding"] = kind.embedding_norm;
  json["static_position_embeddings"] = kind.positions != PositionKind::kLearned;
  json["bos_token_id"] = c.start_token;
  json["eos_token_id"] = c.end_token;
  json["pad_token_id"] = c.pad_token;
  json["decoder_start_token_id"] = c.start_token;
  json["forced_bos_token_id"] = c.forced_first_token ? Json(*c.forced_first_token) : Json(nullptr);
  json["forced_eos_token_id"] = nullptr;
}

class NameList {
 public:
  void linear(const std::string& ours, const std::string& theirs) {
    names_.push_back({ours + ".weight", theirs + ".weight"});
    names_.push_back({ours + ".bias", theirs + ".bias"});
  }
  void norm(const std::string& ours, const std::string& theirs) {
    names_.push_back({ours + ".gain", theirs + ".weight"});
    names_.push_back({ours + ".bias", theirs + ".bias"});
  }
  // Several matrices of theirs are the rows of one of ours.
  void parts(const std::string& ours, const std::string& theirs, std::initializer_list<const char*> projections) {
    int part = 0;
    for (const char* projection : projections) {
      for (const char* kind : {".weight", ".bias"}) {
        names_.push_back({ours + kind, theirs + projection + kind, false, part, static_cast<int>(projections.size())});
      }
      ++part;
    }
  }
  void add(ParameterName name) { names_.push_back(std::move(name)); }
  std::vector<ParameterName> take() { return std::move(names_); }

 private:
  std::vector<ParameterName> names_;
};

// One of the two stacks.
void add_stack(NameList& names, const TransformerConfig& c, bool decoder, bool saves_sinusoids) {
  const std::string ours = decoder ? "decoder" : "encoder", theirs = "model." + ours + ".", input = ours + "_input.";
  ParameterName positions{input + "positions.weight", theirs + "embed_positions.weight"};
  if (c.positions != PositionKind::kLearned) {
    positions.fixed =
        sinusoidal_positions(c.context, c.width, c.positions == PositionKind::kSinusoidalHalves, DType::kF32);
  }
  if (c.positions == PositionKind::kLearned || saves_sinusoids) names.add(positions);
  if (c.embedding_norm) names.norm(input + "norm", theirs + "layernorm_embedding");
  for (Dim layer = 0; layer < (decoder ? c.decoder_depth() : c.layers); ++layer) {
    const std::string block = ours + "." + std::to_string(layer) + ".",
                      their_block = theirs + "layers." + std::to_string(layer) + ".";
    const std::string self = block + (decoder ? "self_attention." : "attention.");
    names.parts(self + "qkv", their_block + "self_attn.", {"q_proj", "k_proj", "v_proj"});
    names.linear(self + "out", their_block + "self_attn.out_proj");
    names.norm(block + "norm1", their_block + "self_attn_layer_norm");
    if (decoder) {
      names.linear(block + "cross_attention.q", their_block + "encoder_attn.q_proj");
      names.parts(block + "cross_attention.kv", their_block + "encoder_attn.", {"k_proj", "v_proj"});
      names.linear(block + "cross_attention.out", their_block + "encoder_attn.out_proj");
      names.norm(block + "norm2", their_block + "encoder_attn_layer_norm");
    }
    names.linear(block + "feed_forward.up", their_block + "fc1");
    names.linear(block + "feed_forward.down", their_block + "fc2");
    names.norm(block + (decoder ? "norm3" : "norm2"), their_block + "final_layer_norm");
  }
  if (c.norm == NormPlacement::kPre) names.norm(ours + "_norm", theirs + "layer_norm");
}

template <const Variant& kind>
std::vector<ParameterName> names_of(const NetworkConfig& network) {
  const TransformerConfig& c = *network.backbone.as<TransformerConfig>();
  NameList names;
  if (c.source_vocabulary > 0) {
    names.add({"source_tokens.weight", "model.encoder.embed_tokens.weight"});
    names.add({"tokens.weight", "model.decoder.embed_tokens.weight"});
  } else {
    names.add({"tokens.weight", "model.shared.weight"});
    // Without tied weights, newer versions of transformers do not tie these either.
    for (const char* copy : {"model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"}) {
      ParameterName name{"tokens.weight", copy};
      name.repeated = true;
      if (!c.tied_head) names.add(name);
    }
  }
  add_stack(names, c, false, kind.saves_sinusoids);
  add_stack(names, c, true, kind.saves_sinusoids);
  if (!c.tied_head) names.add({"head.weight", "lm_head.weight"});
  ParameterName bias{"head.bias", "final_logits_bias"};
  bias.as_row = true;
  bias.zeros = c.vocabulary;
  names.add(bias);
  return names.take();
}

std::vector<std::string> other_names(const std::string& bare, const NetworkConfig& /*network*/) {
  if (bare == "shared.weight") {
    return {"model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"};
  }
  return {};
}

bool may_be_left(const std::string& name, const NetworkConfig& network) {
  const TransformerConfig& c = *network.backbone.as<TransformerConfig>();
  if (name.ends_with(".embed_positions.weight")) return c.positions != PositionKind::kLearned;
  if (name == "lm_head.weight") return c.tied_head;
  return c.source_vocabulary == 0 && (name.ends_with("embed_tokens.weight") || name == "model.shared.weight");
}

template <const Variant& kind>
HuggingFaceKind kind_record(const char* class_prefix, std::span<const HuggingFaceClass> classes) {
  return {.model_type = kind.model_type,
          .class_prefix = class_prefix,
          .name_prefix = "model.",
          .classes = classes,
          .holds = holds<kind>,
          .read = read<kind>,
          .read_head = read_head,
          .write = write<kind>,
          .names = names_of<kind>,
          .other_names = other_names,
          .may_be_left = may_be_left};
}

}  // namespace

HuggingFaceKind marian_kind() { return kind_record<kMarian>("Marian", kMarianClasses); }
HuggingFaceKind bart_kind() { return kind_record<kBart>("Bart", kClasses); }
HuggingFaceKind mbart_kind() { return kind_record<kMbart>("MBart", kClasses); }
HuggingFaceKind pegasus_kind() { return kind_record<kPegasus>("Pegasus", kClasses); }

}  // namespace rapt
