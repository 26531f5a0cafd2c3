// GPTs: gpt2, which normalises before its sublayers, and gpt1, which normalises after them.
#include "decode/gpt_decoder.h"
#include "io/names.h"
#include "nn/models/gpt.h"
#include "tensor/error.h"
#include "train/models/family.h"
#include "train/models/transformer_settings.h"

namespace rapt {
namespace {

bool is_first(const TrainConfig& config) { return config.model == "gpt1"; }

void check_gpt(const TrainConfig& c) {
  if (!is_first(c)) return;
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw UsageError(message);
  };
  require(c.position == "learned",
          "--model gpt1 has learned positions, got --position " + c.position + "; use --model gpt2");
  require(c.bias, "--model gpt1 has bias terms, got --bias off; use --model gpt2");
  require(!c.parallel_residual, "--parallel-residual requires --model gpt2, got --model gpt1");
}

BackboneConfig gpt_backbone(const TrainConfig& config, VocabularySizes vocabulary) {
  GptConfig c = is_first(config) ? GptConfig::gpt1() : GptConfig::gpt2();
  give_transformer_settings(c, config, vocabulary.target);
  c.positions = position_of(config);
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

void take_gpt_structure(TrainConfig& config, const BackboneConfig& backbone) {
  const GptConfig& c = *backbone.as<GptConfig>();
  take_transformer_settings(config, c);
  config.model = c.norm == NormPlacement::kPost ? "gpt1" : "gpt2";
  config.bias = c.bias;
  config.tie = c.tied_head;
  config.position = name_of(c.positions);
  config.rotary_base = c.rotary_base;
  config.rotary_share = c.rotary_share;
  config.parallel_residual = c.parallel_residual;
  config.attention_scale = c.scale_attention;
  config.attention_layer_scale = c.scale_attention_by_inverse_layer;
}

void take_gpt_dropouts(TrainConfig& config, const BackboneConfig& backbone) {
  const GptConfig& c = *backbone.as<GptConfig>();
  config.embedding_dropout = c.embedding_dropout;
  config.attention_dropout = c.attention_dropout;
  config.residual_dropout = c.residual_dropout;
}

ModelSize gpt_size(const TrainConfig& config, VocabularySizes vocabulary, double length) {
  const Dim C = config.width, L = config.layers, T = config.context, V = vocabulary.target;
  const BlockSizes block = block_sizes(config, config.bias);
  ModelSize size;
  size.per_block = block.whole();
  size.parts.emplace_back("token embeddings", V * C);
  if (config.position == "learned") size.parts.emplace_back("position embeddings", T * C);
  size.parts.emplace_back("attention", L * block.attention);
  size.parts.emplace_back("feed-forward", L * block.feed_forward);
  size.parts.emplace_back("norms", (2 * L + (is_first(config) ? 0 : 1)) * block.norm);  // the second one's final norm
  if (!config.tie) size.parts.emplace_back("output layer", V * C);
  finish_size(size, config, V, length, 0.5);
  return size;
}

std::unique_ptr<Decoder> gpt_decoder(const Backbone& backbone, std::size_t sequences, const Stream* /*source*/) {
  return std::make_unique<GptDecoder>(dynamic_cast<const Gpt&>(backbone), sequences);
}

}  // namespace

ModelFamily gpt_family() {
  return {.names = {"gpt2", "gpt1"},
          .title = "GPT",
          .objectives = {Objective::kNextToken, Objective::kLabels},
          .usual_task = "lm",
          .parameters = {.embeddings = {"tokens.", "positions."}},
          .check = check_gpt,
          .backbone = gpt_backbone,
          .owns = [](const BackboneConfig& backbone) { return backbone.as<GptConfig>() != nullptr; },
          .take_structure = take_gpt_structure,
          .take_dropouts = take_gpt_dropouts,
          .size = gpt_size,
          .hugging_face = {gpt2_kind(), openai_gpt_kind(), gpt_neox_kind()},
          .decoder = gpt_decoder};
}

}  // namespace rapt
