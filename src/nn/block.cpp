#include "nn/block.h"

#include "autograd/ops/embedding.h"
#include "nn/dropout.h"
#include "tensor/error.h"

namespace rapt {

static constexpr std::uint32_t kSitesPerBlock = 16;  // more dropouts than a block has

void check_sizes(const char* model, std::initializer_list<std::pair<const char*, Dim>> extents, Dim width, Dim heads) {
  for (const auto& [name, extent] : extents) {
    if (extent >= 1) continue;
    throw UsageError(std::string(model) + ": " + name + " must be at least 1, got " + std::to_string(extent));
  }
  if (width % heads != 0) {
    throw UsageError(std::string(model) + ": heads must divide width, got width " + std::to_string(width) +
                     " and heads " + std::to_string(heads));
  }
}

LayerNorm::Options norm_options(const TransformerBlock::Options& o) {
  return {.width = o.width, .epsilon = o.norm_epsilon, .bias = o.bias};
}

SelfAttention::Options self_attention_options(const TransformerBlock::Options& o) {
  return {.width = o.width,
          .heads = o.heads,
          .mask = o.mask,
          .bias = o.bias,
          .scale = o.attention_scale,
          .dropout = o.attention_dropout,
          .rotary = o.rotary,
          .std = o.std,
          .out_std = o.out_std,
          .lora = o.lora};
}

FeedForward::Options feed_forward_options(const TransformerBlock::Options& o) {
  return {.width = o.width,
          .inner = o.inner,
          .activation = o.activation,
          .gated = o.gated,
          .bias = o.bias,
          .dropout = o.activation_dropout,
          .std = o.feed_forward_std.value_or(o.std),
          .out_std = o.feed_forward_std.value_or(o.out_std),
          .lora = o.lora};
}

TransformerBlock::TransformerBlock(const Options& o, Initializer& init)
    : placement_(o.norm),
      parallel_(o.parallel),
      dropout_(o.residual_dropout),
      norm1_(norm_options(o), init),
      norm2_(norm_options(o), init),
      attention_(self_attention_options(o), init),
      feed_forward_(feed_forward_options(o), init) {}

Variable TransformerBlock::attention_input(const Variable& x) const {
  return placement_ == NormPlacement::kPre ? norm1_.forward(x) : x;
}

Variable TransformerBlock::behind_attention(const Variable& projected, const Variable& x, Context& ctx) const {
  if (placement_ == NormPlacement::kPost) {
    const Variable h = norm1_.forward(projected, x, dropout_, ctx).normed;          // [N, C]
    return norm2_.forward(feed_forward_.forward(h, ctx), h, dropout_, ctx).normed;  // [N, C]
  }
  if (parallel_) {
    const Variable h = Dropout(dropout_).forward(projected, x, ctx);                          // [N, C]
    return Dropout(dropout_).forward(feed_forward_.forward(norm2_.forward(x), ctx), h, ctx);  // [N, C]
  }
  const ResidualNorm h = norm2_.forward(projected, x, dropout_, ctx);                  // [N, C] twice
  return Dropout(dropout_).forward(feed_forward_.forward(h.normed, ctx), h.sum, ctx);  // [N, C]
}

Variable TransformerBlock::forward(const Variable& x, const Stream& stream, Context& ctx,
                                   KeyValueCache::Layer* cache) const {
  return behind_attention(attention_.forward(attention_input(x), stream.layout, stream.positions, ctx, cache), x, ctx);
}

Variable TransformerBlock::forward_at(const Variable& x, const Stream& stream, const Tensor& rows, Context& ctx) const {
  const Variable attended = attention_.attend(attention_input(x), stream.layout, stream.positions, ctx);  // [N, C]
  Context sequences = ctx;  // its dropouts are over sequences from here on
  sequences.before.input.rows = ctx.before.input.sequences;
  const Variable projected = attention_.project(gather_rows(attended, rows), sequences);  // [B, C]
  const Variable y = behind_attention(projected, gather_rows(x, rows), sequences);        // [B, C]
  ctx.site = sequences.site;
  return y;
}

void TransformerBlock::visit(ParameterVisitor& v) {
  v.child("norm1", norm1_);
  v.child("attention", attention_);
  v.child("norm2", norm2_);
  v.child("feed_forward", feed_forward_);
}

void to_sites_of_block(Context& ctx, std::size_t index) {
  ctx.site = kSitesPerBlock * static_cast<std::uint32_t>(index + 1);
}

Variable run_block(const BlockPass& pass, const std::vector<Variable>& inputs, Context& ctx, std::size_t index) {
  to_sites_of_block(ctx, index);
  if (!ctx.recompute || !ctx.training) return pass(inputs, ctx);
  return recompute(
      [pass, at = ctx](std::span<const Variable> again) {
        Context then = at;
        return pass(again, then);
      },
      inputs);
}

Variable run_blocks(const std::vector<TransformerBlock>& blocks, Variable x, const Stream& stream, Context& ctx,
                    KeyValueCache* cache, std::vector<Tensor>* trace) {
  if (trace != nullptr) trace->push_back(x.value());
  if (cache != nullptr) cache->extend(stream.layout);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    KeyValueCache::Layer* const layer = cache == nullptr ? nullptr : &cache->layer(i);
    x = run_block([&block = blocks[i], stream, layer](std::span<const Variable> in,
                                                      Context& at) { return block.forward(in[0], stream, at, layer); },
                  {x}, ctx, i);
    if (trace != nullptr) trace->push_back(x.value());
  }
  to_sites_of_block(ctx, blocks.size());
  return x;
}

Variable run_blocks_at(const std::vector<TransformerBlock>& blocks, const Variable& x, const Stream& stream,
                       const Tensor& rows, Context& ctx) {
  Variable states = x;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const bool last = i + 1 == blocks.size();
    states = run_block(
        [&block = blocks[i], stream, rows, last](std::span<const Variable> in, Context& at) {
          return last ? block.forward_at(in[0], stream, rows, at) : block.forward(in[0], stream, at);
        },
        {states}, ctx, i);
  }
  to_sites_of_block(ctx, blocks.size());
  return states;
}

}  // namespace rapt
