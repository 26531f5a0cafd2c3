#include "nn/models/transformer.h"

#include <cmath>
#include <stdexcept>

#include "autograd/ops/embedding.h"
#include "autograd/ops/linear.h"
#include "nn/models/language_model.h"
#include "tensor/error.h"

namespace rapt {
namespace {

// Dropouts of the decoder are numbered as if this many blocks came before it, so that the depth of the encoder does not
// change them.
constexpr std::size_t kFirstDecoderBlock = 4096;

double glorot_std(Dim in, Dim out) { return std::sqrt(2.0 / static_cast<double>(in + out)); }

double matrix_std(const TransformerConfig& c, Dim in, Dim out) {
  return c.init_std > 0 ? c.init_std : glorot_std(in, out);
}

double table_std(const TransformerConfig& c, Dim rows) {
  if (c.init_std > 0) return c.init_std;
  return c.table_init == TableInit::kGlorot ? glorot_std(rows, c.width) : 1 / std::sqrt(static_cast<double>(c.width));
}

Embedding::Options table_options(const TransformerConfig& c, Dim rows) {
  return {.rows = rows, .width = c.width, .std = table_std(c, rows)};
}

TokenInput::Options input_options(const TransformerConfig& c) {
  return {.model = "transformer",
          .context = c.context,
          .width = c.width,
          .positions = c.positions,
          .position_offset = c.position_offset,
          .position_std = table_std(c, c.context + c.position_offset),
          .padding = c.pad_token,
          .scale = c.embedding_scale,
          .norm = c.embedding_norm,
          .norm_epsilon = c.norm_epsilon,
          .dropout = c.embedding_dropout};
}

TransformerBlock::Options block_options(const TransformerConfig& c, Dim heads, Dim inner) {
  const double std = matrix_std(c, c.width, c.width);
  return {.width = c.width,
          .heads = heads,
          .inner = inner,
          .norm = c.norm,
          .mask = AttentionMask::kNone,
          .activation = c.activation,
          .gated = c.gated,
          .bias = c.bias,
          .norm_epsilon = c.norm_epsilon,
          .attention_dropout = c.attention_dropout,
          .residual_dropout = c.residual_dropout,
          .activation_dropout = c.activation_dropout,
          .std = std,
          .out_std = std,
          .feed_forward_std = matrix_std(c, c.width, inner)};
}

const Stream& source_of(const Batch& batch) {
  if (batch.source) return *batch.source;
  throw std::invalid_argument("transformer: an encoder-decoder needs a source for each sequence, got none");
}

}  // namespace

void check(const TransformerConfig& c) {
  check_sizes("transformer",
              {{"vocabulary", c.vocabulary},
               {"context", c.context},
               {"width", c.width},
               {"layers", c.layers},
               {"decoder layers", c.decoder_depth()},
               {"heads", c.heads},
               {"feed-forward", c.inner_width()}},
              c.width, c.heads);
  check_sizes("transformer", {{"decoder heads", c.decoder_head_count()}}, c.width, c.decoder_head_count());
  if (c.positions == PositionKind::kRotary) {
    throw UsageError("transformer: positions must be learned or sinusoidal, got rotary ones");
  }
}

std::unique_ptr<Backbone> make_backbone(const TransformerConfig& config, Initializer& init) {
  return std::make_unique<Transformer>(config, init);
}

std::unique_ptr<Network> make_network(const TransformerConfig& config, Objective objective, Initializer& init) {
  if (objective != Objective::kTargetText) {
    throw UsageError("network: an encoder-decoder predicts target texts from source texts and has no other head");
  }
  return std::make_unique<LanguageModel>(std::make_unique<Transformer>(config, init));
}

TaskConfig task_config(Task task, Dim outputs, const TransformerConfig& backbone) {
  return {.task = task, .outputs = outputs, .dropout = backbone.residual_dropout, .init_std = backbone.init_std};
}

Transformer::Transformer(const TransformerConfig& config, Initializer& init)
    : config_((check(config), config)),
      tokens_(table_options(config, config.vocabulary), init),
      encoder_input_(input_options(config), init),
      decoder_input_(input_options(config), init) {
  const TransformerConfig& c = config_;
  if (c.source_vocabulary > 0) source_tokens_.emplace(table_options(c, c.source_vocabulary), init);
  for (Dim layer = 0; layer < c.layers; ++layer) {
    encoder_.emplace_back(block_options(c, c.heads, c.inner_width()), init);
  }
  for (Dim layer = 0; layer < c.decoder_depth(); ++layer) {
    decoder_.emplace_back(block_options(c, c.decoder_head_count(), c.decoder_inner_width()), init);
  }
  if (c.norm == NormPlacement::kPre) {
    const LayerNorm::Options norm{.width = c.width, .epsilon = c.norm_epsilon, .bias = c.bias};
    encoder_norm_.emplace(norm, init);
    decoder_norm_.emplace(norm, init);
  }
  if (!c.tied_head) head_ = init.normal({c.vocabulary, c.width}, matrix_std(c, c.width, c.vocabulary));
  if (c.head_bias != HeadBias::kNone) head_bias_ = init.zeros({c.vocabulary});
  if (c.head_bias == HeadBias::kFixed) head_bias_.freeze();
}

Variable Transformer::encode(const Stream& source, Context& ctx, std::vector<Tensor>* trace) const {
  Context at = ctx;  // its dropouts are over rows of the source
  at.before.input = ctx.before.source;
  const Variable x = encoder_input_.forward(source, source_table(), at);        // [S, C]
  const Variable states = run_blocks(encoder_, x, source, at, nullptr, trace);  // [S, C]
  if (!encoder_norm_) return states;
  const Variable y = encoder_norm_->forward(states);
  if (trace != nullptr) trace->back() = y.value();
  return y;
}

Variable Transformer::decode(const Stream& input, const Variable& memory, const Packed& memory_layout, Context& ctx,
                             std::vector<Tensor>* trace) const {
  const auto keep = [trace](const Variable& x) {
    if (trace != nullptr) trace->push_back(x.value());
  };
  to_sites_of_block(ctx, kFirstDecoderBlock - 1);
  Variable x = decoder_input_.forward(input, tokens_.weight(), ctx);  // [N, C]
  keep(x);
  for (std::size_t i = 0; i < decoder_.size(); ++i) {
    const BlockPass pass = [&block = decoder_[i], input, memory_layout](std::span<const Variable> in, Context& at) {
      return block.forward(in[0], input, in[1], memory_layout, at);
    };
    x = run_block(pass, {x, memory}, ctx, kFirstDecoderBlock + i);
    keep(x);
  }
  to_sites_of_block(ctx, kFirstDecoderBlock + decoder_.size());
  if (!decoder_norm_) return x;
  x = decoder_norm_->forward(x);
  if (trace != nullptr) trace->back() = x.value();
  return x;
}

std::vector<Tensor> Transformer::keys_and_values(const Variable& memory) const {
  std::vector<Tensor> layers;
  for (const DecoderBlock& block : decoder_) layers.push_back(block.cross_attention().keys_and_values(memory).value());
  return layers;
}

Variable Transformer::decode_cached(const Stream& input, KeyValueCache& cache, const SourceCache& sources, Context& ctx,
                                    std::vector<float>* weights) const {
  Variable x = decoder_input_.forward(input, tokens_.weight(), ctx);  // [N, C]
  cache.extend(input.layout);
  for (std::size_t i = 0; i < decoder_.size(); ++i) {
    std::vector<float>* const wanted = i + 1 == decoder_.size() ? weights : nullptr;
    x = decoder_[i].forward_cached(x, input, cache.layer(i), sources, i, wanted, ctx);
  }
  return decoder_norm_ ? decoder_norm_->forward(x) : x;
}

Variable Transformer::states(const Batch& batch, Context& ctx, std::vector<Tensor>* trace) const {
  const Stream& source = source_of(batch);
  return decode(batch.input, encode(source, ctx), source.layout, ctx, trace);
}

Variable Transformer::pooled(const Variable& states, const Packed& layout) const {
  return gather_rows(states, last_rows(layout));
}

Variable Transformer::sequence_vectors(const Batch& batch, Context& ctx) const {
  return pooled(states(batch, ctx), batch.input.layout);
}

NextTokenBackbone::StatesAndHead Transformer::states_and_head(const Batch& batch, Context& ctx) const {
  return {.states = states(batch, ctx), .head = head(), .bias = head_bias_};
}

Variable Transformer::logits(const Variable& states) const { return linear(states, head(), head_bias_); }

void Transformer::visit(ParameterVisitor& v) {
  v.child("tokens", tokens_);
  if (source_tokens_) v.child("source_tokens", *source_tokens_);
  v.child("encoder_input", encoder_input_);
  v.child("decoder_input", decoder_input_);
  v.children("encoder", encoder_);
  if (encoder_norm_) v.child("encoder_norm", *encoder_norm_);
  v.children("decoder", decoder_);
  if (decoder_norm_) v.child("decoder_norm", *decoder_norm_);
  v.parameter("head.weight", head_);
  v.parameter("head.bias", head_bias_);
}

}  // namespace rapt
