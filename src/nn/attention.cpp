#include "nn/attention.h"

#include <cmath>
#include <cstring>

#include "autograd/ops/rope.h"
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

// Columns [2C, 3C) or [C, 2C) of the new rows, appended to each sequence's cache.
void append(Tensor& rows, const KeyValueCache& cache, const Tensor& qkv, const Packed& layout, Dim part) {
  const Dim C = qkv.shape()[1] / 3;
  const std::size_t element = size_of(qkv.dtype()), row = static_cast<std::size_t>(C) * element;
  const std::int32_t* const offsets = layout.offsets.data<std::int32_t>();
  auto* const to = static_cast<std::byte*>(rows.raw());
  const auto* const from = static_cast<const std::byte*>(qkv.raw());
  for (Dim b = 0; b < layout.sequences(); ++b) {
    const Dim first = b * cache.capacity() + cache.length(b);
    for (Dim n = offsets[b]; n < offsets[b + 1]; ++n) {
      std::memcpy(to + static_cast<std::size_t>(first + n - offsets[b]) * row,
                  from + static_cast<std::size_t>(n * 3 + part) * row, row);
    }
  }
}

// Attention of the new rows to everything in their sequences' caches, including the new rows. No backward pass.
Tensor attend_cached(const Tensor& qkv, const Packed& layout, KeyValueCache::Layer& layer, Dim heads, double scale) {
  const KeyValueCache& cache = *layer.cache;
  const Dim N = qkv.shape()[0], C = qkv.shape()[1] / 3;
  append(layer.keys, cache, qkv, layout, 1);
  append(layer.values, cache, qkv, layout, 2);
  Tensor y = Tensor::empty({N, C}, qkv.dtype());
  dispatch_float(qkv.dtype(), [&]<typename T>() {
    const auto offsets = layout.offsets.span<std::int32_t>();
    std::vector<kernels::AttentionCache<T>> sequences;
    for (Dim b = 0; b < layout.sequences(); ++b) {
      const Dim first = b * cache.capacity() * C;
      const auto at = static_cast<std::size_t>(b);
      sequences.push_back({.keys = layer.keys.data<T>() + first,
                           .values = layer.values.data<T>() + first,
                           .count = cache.length(b) + offsets[at + 1] - offsets[at]});
    }
    kernels::attention_cached<T>({y.data<T>(), N, C}, {qkv.data<T>(), N, C, 3 * C}, offsets, sequences, C, heads,
                                 scale);
  });
  return y;
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
  return out_.forward(cross_attention(q_.forward(x), kv_.forward(memory), layout, memory_layout, options));
}

void CrossAttention::visit(ParameterVisitor& v) {
  v.child("q", q_);
  v.child("kv", kv_);
  v.child("out", out_);
}

}  // namespace rapt
