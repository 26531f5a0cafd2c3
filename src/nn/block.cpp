#include "nn/block.h"

#include "nn/dropout.h"

namespace rapt {

static constexpr std::uint32_t kSitesPerBlock = 16;  // more dropouts than a block has

TransformerBlock::TransformerBlock(const Options& o, Initializer& init)
    : placement_(o.norm),
      dropout_(o.residual_dropout),
      norm1_({.width = o.width, .epsilon = o.norm_epsilon, .bias = o.bias}, init),
      norm2_({.width = o.width, .epsilon = o.norm_epsilon, .bias = o.bias}, init),
      attention_({.width = o.width,
                  .heads = o.heads,
                  .mask = o.mask,
                  .bias = o.bias,
                  .scale = o.attention_scale,
                  .dropout = o.attention_dropout,
                  .rotary = o.rotary,
                  .std = o.std,
                  .out_std = o.out_std,
                  .lora = o.lora},
                 init),
      feed_forward_({.width = o.width,
                     .inner = o.inner,
                     .activation = o.activation,
                     .bias = o.bias,
                     .std = o.std,
                     .out_std = o.out_std,
                     .lora = o.lora},
                    init) {}

Variable TransformerBlock::forward(const Variable& x, const Batch& batch, Context& ctx,
                                   KeyValueCache::Layer* cache) const {
  const auto attend = [&](const Variable& in) {
    return attention_.forward(in, batch.layout, batch.positions, ctx, cache);  // [N, C]
  };
  if (placement_ == NormPlacement::kPost) {
    const Variable h = norm1_.forward(attend(x), x, dropout_, ctx).normed;          // [N, C]
    return norm2_.forward(feed_forward_.forward(h, ctx), h, dropout_, ctx).normed;  // [N, C]
  }
  const ResidualNorm h = norm2_.forward(attend(norm1_.forward(x)), x, dropout_, ctx);  // [N, C] twice
  return Dropout(dropout_).forward(feed_forward_.forward(h.normed, ctx), h.sum, ctx);  // [N, C]
}

void TransformerBlock::visit(ParameterVisitor& v) {
  v.child("norm1", norm1_);
  v.child("attention", attention_);
  v.child("norm2", norm2_);
  v.child("feed_forward", feed_forward_);
}

Variable run_blocks(const std::vector<TransformerBlock>& blocks, Variable x, const Batch& batch, Context& ctx,
                    KeyValueCache* cache, std::vector<Tensor>* trace) {
  if (trace != nullptr) trace->push_back(x.value());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    ctx.site = kSitesPerBlock * static_cast<std::uint32_t>(i + 1);
    const TransformerBlock& block = blocks[i];
    if (ctx.recompute && ctx.training) {
      x = recompute(
          [&block, batch, at = ctx](const Variable& in) {
            Context again = at;
            return block.forward(in, batch, again);
          },
          x);
    } else {
      x = block.forward(x, batch, ctx, cache == nullptr ? nullptr : &cache->layer(i));
    }
    if (trace != nullptr) trace->push_back(x.value());
  }
  ctx.site = kSitesPerBlock * static_cast<std::uint32_t>(blocks.size() + 1);
  if (cache != nullptr) cache->advance(batch.layout);
  return x;
}

}  // namespace rapt
