// Encoder-decoders: translation and summarisation.
#include "decode/transformer_decoder.h"
#include "io/names.h"
#include "nn/models/transformer.h"
#include "tensor/error.h"
#include "train/models/family.h"
#include "train/models/transformer_settings.h"

namespace rapt {
namespace {

constexpr const char* kGatedSilu = "swiglu";

constexpr std::pair<NormPlacement, const char*> kNorms[] = {{NormPlacement::kPost, "post"},
                                                            {NormPlacement::kPre, "pre"}};
constexpr std::pair<HeadBias, const char*> kHeadBiases[] = {
    {HeadBias::kNone, "off"}, {HeadBias::kTrained, "on"}, {HeadBias::kFixed, "fixed"}};
constexpr std::pair<TableInit, const char*> kTableInits[] = {{TableInit::kNormal, "normal"},
                                                             {TableInit::kGlorot, "glorot"}};

void check_transformer(const TrainConfig& c) {
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw UsageError(message);
  };
  require(c.position != "rope", "--model transformer has learned or sinusoidal positions, got --position rope");
  require(!c.parallel_residual, "--parallel-residual requires --model gpt2, got --model transformer");
  require(c.attention_scale && !c.attention_layer_scale,
          "--attention-scale off and --attention-layer-scale require --model gpt2, got --model transformer");
  require(c.lora_rank == 0, "--lora-rank requires a GPT or BERT, got --model transformer");
  require(c.position_offset == 0 || c.position == "learned",
          "--position-offset requires --position learned, got --position " + c.position);
}

BackboneConfig transformer_backbone(const TrainConfig& config, VocabularySizes vocabulary) {
  TransformerConfig c;
  c.vocabulary = vocabulary.target;
  c.source_vocabulary = vocabulary.source;
  if (!config.tie_source && vocabulary.source == 0) c.source_vocabulary = vocabulary.target;
  c.context = config.context;
  c.width = config.width;
  c.layers = config.layers;
  c.decoder_layers = config.decoder_layers;
  c.heads = config.heads;
  c.decoder_heads = config.decoder_heads;
  c.feed_forward = config.feed_forward;
  c.decoder_feed_forward = config.decoder_feed_forward;
  c.gated = config.activation == kGatedSilu;
  c.activation = c.gated ? Activation::kSilu : activation_of(config);
  c.norm = value_named(config.norm, kNorms, "--norm");
  c.positions = position_of(config);
  c.position_offset = config.position_offset;
  c.embedding_norm = config.embedding_norm;
  c.embedding_scale = config.embedding_scale;
  c.table_init = value_named(config.embedding_init, kTableInits, "--embedding-init");
  c.tied_head = config.tie;
  c.head_bias = value_named(config.head_bias, kHeadBiases, "--head-bias");
  c.norm_epsilon = config.norm_epsilon;
  c.bias = config.bias;
  c.embedding_dropout = config.embedding_dropout_rate();
  c.attention_dropout = config.attention_dropout_rate();
  c.residual_dropout = config.residual_dropout_rate();
  c.activation_dropout = config.activation_dropout_rate();
  c.start_token = static_cast<std::int32_t>(config.start_token);
  c.end_token = static_cast<std::int32_t>(config.end_token);
  c.pad_token = static_cast<std::int32_t>(config.pad_token);
  if (config.forced_first_token >= 0) c.forced_first_token = static_cast<std::int32_t>(config.forced_first_token);
  check(c);
  return c;
}

void take_transformer_structure(TrainConfig& config, const BackboneConfig& backbone) {
  const TransformerConfig& c = *backbone.as<TransformerConfig>();
  config.model = "transformer";
  config.context = c.context;
  config.width = c.width;
  config.layers = c.layers;
  config.decoder_layers = c.decoder_layers;
  config.heads = c.heads;
  config.decoder_heads = c.decoder_heads;
  config.feed_forward = c.feed_forward;
  config.decoder_feed_forward = c.decoder_feed_forward;
  config.activation = c.gated ? kGatedSilu : name_of(c.activation);
  config.norm = name_in(kNorms, c.norm);
  config.position = name_of(c.positions);
  config.position_offset = c.position_offset;
  config.embedding_norm = c.embedding_norm;
  config.embedding_scale = c.embedding_scale;
  config.embedding_init = name_in(kTableInits, c.table_init);
  config.tie = c.tied_head;
  config.tie_source = c.source_vocabulary != c.vocabulary;
  config.head_bias = name_in(kHeadBiases, c.head_bias);
  config.norm_epsilon = c.norm_epsilon;
  config.bias = c.bias;
  config.start_token = c.start_token;
  config.end_token = c.end_token;
  config.pad_token = c.pad_token;
  config.forced_first_token = c.forced_first_token.value_or(-1);
}

void take_transformer_dropouts(TrainConfig& config, const BackboneConfig& backbone) {
  const TransformerConfig& c = *backbone.as<TransformerConfig>();
  config.embedding_dropout = c.embedding_dropout;
  config.attention_dropout = c.attention_dropout;
  config.residual_dropout = c.residual_dropout;
  if (c.activation_dropout > 0) config.activation_dropout = c.activation_dropout;
}

// Parameters of a stack: its attention layers, feed-forward layers and norms.
struct StackSizes {
  Dim attention = 0, feed_forward = 0, norms = 0;
  Dim whole() const { return attention + feed_forward + norms; }
};

StackSizes stack_sizes(const TransformerConfig& c, bool decoder) {
  const Dim C = c.width, b = c.bias ? 1 : 0, F = decoder ? c.decoder_inner_width() : c.inner_width();
  const Dim L = decoder ? c.decoder_depth() : c.layers, attentions = decoder ? 2 : 1, ups = c.gated ? 2 : 1;
  const Dim final_norm = c.norm == NormPlacement::kPre ? 1 : 0;
  return {.attention = L * attentions * (4 * C * C + b * 4 * C),
          .feed_forward = L * ((ups + 1) * C * F + b * (ups * F + C)),
          .norms = (L * (attentions + 1) + final_norm) * (C + b * C) + (c.embedding_norm ? 2 * C : 0)};
}

// Source and target tokens are counted as one half of all tokens each.
ModelSize transformer_size(const TrainConfig& config, VocabularySizes vocabulary, double length) {
  const BackboneConfig backbone = transformer_backbone(config, vocabulary);
  const TransformerConfig& c = *backbone.as<TransformerConfig>();
  const Dim C = c.width, V = c.vocabulary;
  const StackSizes encoder = stack_sizes(c, false), decoder = stack_sizes(c, true);
  ModelSize size;
  size.parts.emplace_back("token embeddings", (V + c.source_vocabulary) * C);
  if (c.positions == PositionKind::kLearned) {
    size.parts.emplace_back("position embeddings", 2 * (c.context + c.position_offset) * C);
  }
  size.parts.emplace_back("encoder", encoder.whole());
  size.parts.emplace_back("decoder", decoder.whole());
  const Dim bias = c.head_bias == HeadBias::kTrained ? V : 0;
  if (!c.tied_head || bias > 0) size.parts.emplace_back("output layer", (c.tied_head ? 0 : V * C) + bias);
  for (const auto& part : size.parts) size.parameters += part.second;
  size.per_block = encoder.whole() / c.layers;
  // Keys and values of the source belong to source tokens; all else of the decoder to target tokens.
  size.in_products = static_cast<double>(encoder.whole() + decoder.whole() + V * C) / 2;
  const double T = length > 0 ? length : static_cast<double>(config.longest_sequence());
  const auto keys =
      static_cast<double>(C) * (static_cast<double>(c.layers) + 1.5 * static_cast<double>(c.decoder_depth()));
  size.flop_per_token = 6 * size.in_products + 12 * T * keys / 2;
  size.state_bytes = static_cast<std::uint64_t>(size.parameters) * 16;
  return size;
}

std::unique_ptr<Decoder> transformer_decoder(const Backbone& backbone, std::size_t /*sequences*/,
                                             const Stream* source) {
  if (source == nullptr) throw BugError("transformer: decoding needs sources");
  return std::make_unique<TransformerDecoder>(dynamic_cast<const Transformer&>(backbone), *source);
}

}  // namespace

ModelFamily transformer_family() {
  return {.names = {"transformer"},
          .title = "transformer with an encoder and a decoder",
          .objectives = {Objective::kTargetText},
          .usual_task = "translate",
          .parameters = {.embeddings = {"tokens.", "source_tokens.", "encoder_input.", "decoder_input."},
                         .blocks = {"encoder.", "decoder."}},
          .check = check_transformer,
          .backbone = transformer_backbone,
          .owns = [](const BackboneConfig& backbone) { return backbone.as<TransformerConfig>() != nullptr; },
          .take_structure = take_transformer_structure,
          .take_dropouts = take_transformer_dropouts,
          .size = transformer_size,
          .hugging_face = {marian_kind(), bart_kind(), mbart_kind(), pegasus_kind()},
          .decoder = transformer_decoder};
}

}  // namespace rapt
