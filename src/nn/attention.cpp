#include "nn/attention.h"

#include <cmath>

#include "autograd/ops/rope.h"
#include "nn/attention_record.h"
#include "tensor/kernels/attention.h"

namespace rapt {
namespace {

void require_heads(Dim width, Dim heads) {
  require_shape(heads >= 1 && width % heads == 0, [&] {
    return "attention: heads must divide width, got width " + std::to_string(width) + " and heads " +
           std::to_string(heads);
  });
}

double scale_of(double scale, Dim width, Dim heads) {
  return scale != 0 ? scale : 1.0 / std::sqrt(static_cast<double>(width / heads));
}

// Attention of the new rows to everything in their sequences' caches, including the new rows. No backward pass.
Tensor attend_cached(const Tensor& qkv, const Packed& layout, KeyValueCache::Layer& layer, Dim heads, double scale) {
  const Dim N = qkv.shape()[0], C = qkv.shape()[1] / 3;
  layer.write_new(qkv);
  Tensor y = Tensor::empty({N, C}, qkv.dtype());
  dispatch_float(qkv.dtype(), [&]<typename T>() {
    std::vector<kernels::AttentionCache<T>> sequences;
    for (Dim b = 0; b < layout.sequences(); ++b) {
      sequences.push_back({.keys = layer.keys.data<T>(),
                           .values = layer.values.data<T>(),
                           .count = layer.cache->length(b),
                           .rows = layer.cache->rows(b)});
    }
    kernels::attention_cached<T>({y.data<T>(), N, C}, {qkv.data<T>(), N, C, 3 * C}, layout.offsets.span<std::int32_t>(),
                                 sequences, C, heads, scale);
  });
  return y;
}

void record_self(AttentionRecord& record, const Tensor& qkv, const Packed& layout,
                 const SelfAttention::Options& options) {
  const Dim N = qkv.shape()[0], C = options.width;
  const bool causal = options.mask == AttentionMask::kCausal;
  dispatch_float(qkv.dtype(), [&]<typename T>() {
    record.add_products<T>(causal ? AttentionKind::kDecoder : AttentionKind::kEncoder, {qkv.data<T>(), N, C, 3 * C},
                           {qkv.data<T>() + C, N, C, 3 * C}, layout, layout, options.heads,
                           scale_of(options.scale, C, options.heads), causal);
  });
}

void record_cross(AttentionRecord& record, const Tensor& q, const Tensor& kv, const Packed& queries, const Packed& keys,
                  const CrossAttention::Options& options) {
  const Dim N = q.shape()[0], S = kv.shape()[0], C = options.width;
  dispatch_float(q.dtype(), [&]<typename T>() {
    record.add_products<T>(AttentionKind::kCross, {q.data<T>(), N, C}, {kv.data<T>(), S, C, 2 * C}, queries, keys,
                           options.heads, scale_of(0, C, options.heads), false);
  });
}

}  // namespace

SelfAttention::SelfAttention(const Options& options, Initializer& init)
    : options_((require_heads(options.width, options.heads), options)),
      qkv_({.in = options.width,
            .out = 3 * options.width,
            .bias = options.bias,
            .std = options.std,
            .adapters = qkv_adapters(options.lora, options.width)},
           init),
      out_({.in = options.width,
            .out = options.width,
            .bias = options.bias,
            .std = options.out_std,
            .adapters = whole_adapter(options.lora, options.lora.output, options.width)},
           init) {}

Variable SelfAttention::forward(const Variable& x, const Packed& layout, const Tensor& positions, Context& ctx,
                                KeyValueCache::Layer* cache) const {
  return project(attend(x, layout, positions, ctx, cache), ctx);  // [N, C]
}

Variable SelfAttention::attend(const Variable& x, const Packed& layout, const Tensor& positions, Context& ctx,
                               KeyValueCache::Layer* cache) const {
  const DropoutKey key = ctx.dropout_key();
  Variable qkv = qkv_.forward(x, ctx);  // [N, 3C]
  if (options_.rotary) {
    qkv = rope(qkv, positions,
               {.heads = 2 * options_.heads,  // heads of q and of k
                .head_width = options_.width / options_.heads,
                .rotary_width = options_.rotary->width,
                .base = options_.rotary->base});
  }
  if (cache != nullptr) {
    const double scale = scale_of(options_.scale, options_.width, options_.heads);
    return Variable(attend_cached(qkv.value(), layout, *cache, options_.heads, scale));
  }
  if (AttentionRecord* const record = AttentionRecord::current()) record_self(*record, qkv.value(), layout, options_);
  return self_attention(qkv, layout,
                        {.heads = options_.heads,
                         .mask = options_.mask,
                         .scale = options_.scale,
                         .dropout = ctx.training ? options_.dropout : 0.0,
                         .key = key});
}

void SelfAttention::visit(ParameterVisitor& v) {
  v.child("qkv", qkv_);
  v.child("out", out_);
}

CrossAttention::CrossAttention(const Options& options, Initializer& init)
    : options_((require_heads(options.width, options.heads), options)),
      q_({.in = options.width, .out = options.width, .bias = options.bias, .std = options.std}, init),
      kv_({.in = options.width, .out = 2 * options.width, .bias = options.bias, .std = options.std}, init),
      out_({.in = options.width, .out = options.width, .bias = options.bias, .std = options.out_std}, init) {}

Variable CrossAttention::forward(const Variable& x, const Packed& layout, const Variable& memory,
                                 const Packed& memory_layout, Context& ctx) const {
  const AttentionOptions options{.heads = options_.heads,
                                 .mask = AttentionMask::kNone,
                                 .dropout = ctx.training ? options_.dropout : 0.0,
                                 .key = ctx.dropout_key()};
  const Variable q = q_.forward(x), kv = kv_.forward(memory);  // [N, C], [S, 2C]
  if (AttentionRecord* const record = AttentionRecord::current()) {
    record_cross(*record, q.value(), kv.value(), layout, memory_layout, options_);
  }
  return out_.forward(cross_attention(q, kv, layout, memory_layout, options));
}

Variable CrossAttention::forward_cached(const Variable& x, const Packed& layout, const SourceCache& sources,
                                        std::size_t layer, std::vector<float>* weights) const {
  const Tensor q = q_.forward(x).value();  // [N, C]
  const Tensor& kv = sources.layer(layer);
  const Dim N = q.shape()[0], C = q.shape()[1];
  Tensor y = Tensor::empty({N, C}, q.dtype());
  dispatch_float(q.dtype(), [&]<typename T>() {
    Dim total = 0;
    for (Dim b = 0; b < sources.sequences(); ++b) total += sources.rows(b);
    std::vector<T> means(weights != nullptr ? static_cast<std::size_t>(total) : 0);
    std::vector<kernels::AttentionCache<T>> sequences;
    Dim first = 0;
    for (Dim b = 0; b < sources.sequences(); ++b) {
      const T* const keys = kv.data<T>() + sources.first_row(b) * 2 * C;
      sequences.push_back({.keys = keys,
                           .values = keys + C,
                           .count = sources.rows(b),
                           .weights = weights != nullptr ? means.data() + first : nullptr});
      first += sources.rows(b);
    }
    kernels::attention_cached<T>({y.data<T>(), N, C}, {q.data<T>(), N, C}, layout.offsets.span<std::int32_t>(),
                                 sequences, 2 * C, options_.heads, scale_of(0, options_.width, options_.heads), false);
    if (weights != nullptr) weights->assign(means.begin(), means.end());
  });
  return out_.forward(Variable(y));
}

void CrossAttention::visit(ParameterVisitor& v) {
  v.child("q", q_);
  v.child("kv", kv_);
  v.child("out", out_);
}

}  // namespace rapt
