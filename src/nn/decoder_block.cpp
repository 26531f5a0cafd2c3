#include "nn/decoder_block.h"

#include "nn/dropout.h"

namespace rapt {

// The decoder's own mask, whatever its options say.
static TransformerBlock::Options causal(TransformerBlock::Options o) {
  o.mask = AttentionMask::kCausal;
  return o;
}

DecoderBlock::DecoderBlock(const TransformerBlock::Options& o, Initializer& init)
    : placement_(o.norm),
      dropout_(o.residual_dropout),
      norm1_(norm_options(o), init),
      norm2_(norm_options(o), init),
      norm3_(norm_options(o), init),
      self_attention_(self_attention_options(causal(o)), init),
      cross_attention_({.width = o.width,
                        .heads = o.heads,
                        .bias = o.bias,
                        .dropout = o.attention_dropout,
                        .std = o.std,
                        .out_std = o.out_std},
                       init),
      feed_forward_(feed_forward_options(o), init) {}

Variable DecoderBlock::run(const Variable& x, const Attend& attend_self, const Attend& attend_source,
                           Context& ctx) const {
  if (placement_ == NormPlacement::kPost) {
    const Variable a = norm1_.forward(attend_self(x), x, dropout_, ctx).normed;     // [N, C]
    const Variable c = norm2_.forward(attend_source(a), a, dropout_, ctx).normed;   // [N, C]
    return norm3_.forward(feed_forward_.forward(c, ctx), c, dropout_, ctx).normed;  // [N, C]
  }
  const ResidualNorm a = norm2_.forward(attend_self(norm1_.forward(x)), x, dropout_, ctx);  // [N, C] twice
  const ResidualNorm c = norm3_.forward(attend_source(a.normed), a.sum, dropout_, ctx);     // [N, C] twice
  return Dropout(dropout_).forward(feed_forward_.forward(c.normed, ctx), c.sum, ctx);       // [N, C]
}

Variable DecoderBlock::forward(const Variable& x, const Stream& stream, const Variable& memory,
                               const Packed& memory_layout, Context& ctx) const {
  return run(
      x, [&](const Variable& h) { return self_attention_.forward(h, stream.layout, stream.positions, ctx); },
      [&](const Variable& h) { return cross_attention_.forward(h, stream.layout, memory, memory_layout, ctx); }, ctx);
}

Variable DecoderBlock::forward_cached(const Variable& x, const Stream& stream, KeyValueCache::Layer& own,
                                      const SourceCache& sources, std::size_t layer, std::vector<float>* weights,
                                      Context& ctx) const {
  return run(
      x, [&](const Variable& h) { return self_attention_.forward(h, stream.layout, stream.positions, ctx, &own); },
      [&](const Variable& h) { return cross_attention_.forward_cached(h, stream.layout, sources, layer, weights); },
      ctx);
}

void DecoderBlock::visit(ParameterVisitor& v) {
  v.child("norm1", norm1_);
  v.child("self_attention", self_attention_);
  v.child("norm2", norm2_);
  v.child("cross_attention", cross_attention_);
  v.child("norm3", norm3_);
  v.child("feed_forward", feed_forward_);
}

}  // namespace rapt
