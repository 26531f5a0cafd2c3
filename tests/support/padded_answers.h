// transformers' loss for question answering, including padding: its batches are padded to their longest sequence, and
// the softmax over the start or end of an answer includes the padding, so the loss depends on the rest of the batch.
// rapt's softmax is over a sequence's own tokens. To compare gradients, this computes the padded loss from rapt's ops:
// padding rows see their sequence, and no row sees them.
#pragma once

#include <map>
#include <string>

#include "autograd/ops/attention.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/feed_forward.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/packed_cross_entropy.h"
#include "nn/models/any_network.h"

namespace rapt::testing {

/// Columns [begin, end) of x [N, C].
inline Variable columns(const Variable& x, Dim begin, Dim end) {
  const Dim N = x.shape()[0], C = x.shape()[1], width = end - begin;
  Tensor y = Tensor::empty({N, width}, x.dtype());
  dispatch_float(x.dtype(), [&]<typename T>() {
    for (Dim n = 0; n < N; ++n) std::copy_n(x.value().data<T>() + n * C + begin, width, y.data<T>() + n * width);
  });
  return record("columns", y, {x}, [N, C, begin, width](const Tensor& dy, Grads d) {
    dispatch_float(dy.dtype(), [&]<typename T>() {
      T* const dx = d.data<T>(0);
      for (Dim n = 0; n < N; ++n) {
        for (Dim k = 0; k < width; ++k) dx[n * C + begin + k] += dy.data<T>()[n * width + k];
      }
    });
  });
}

/// The table itself; its first row, for padding, gets no gradient (PyTorch's padding_idx).
inline Variable without_padding_gradient(const Variable& table) {
  return record("without_padding_gradient", table.value(), {table}, [](const Tensor& dy, Grads d) {
    Tensor gradient = dy.clone();
    gradient.slice(0, 1).fill(0);
    d.give(0, gradient);
  });
}

/// A stream padded with token 0 of segment 0 to the length of its longest sequence, and the positions of its own rows.
struct PaddedStream {
  Stream stream;
  Tensor own_rows;  // [N] i32
};

inline PaddedStream padded(const Stream& own) {
  const Dim B = own.layout.sequences(), longest = own.layout.longest;
  PaddedStream result{.stream = {.layout = pack_lengths(std::vector<Dim>(static_cast<std::size_t>(B), longest)),
                                 .tokens = Tensor::zeros({B * longest}, DType::kI32),
                                 .positions = {},
                                 .segments = Tensor::zeros({B * longest}, DType::kI32)},
                      .own_rows = Tensor::zeros({own.layout.rows()}, DType::kI32)};
  Stream& p = result.stream;
  p.positions = positions_of(p.layout);
  const std::int32_t* const offsets = own.layout.offsets.data<std::int32_t>();
  for (Dim b = 0; b < B; ++b) {
    for (Dim from = offsets[b]; from < offsets[b + 1]; ++from) {
      const Dim to = b * longest + from - offsets[b];
      p.tokens.data<std::int32_t>()[to] = own.tokens.data<std::int32_t>()[from];
      if (own.segments.defined()) p.segments.data<std::int32_t>()[to] = own.segments.data<std::int32_t>()[from];
      result.own_rows.data<std::int32_t>()[from] = static_cast<std::int32_t>(to);
    }
  }
  return result;
}

/// The mean cross-entropy of start and end tokens over all rows of the padded batch.
inline Variable padded_answer_loss(AnyNetwork& network, const Batch& batch) {
  std::map<std::string, Variable> w;
  for (const NamedParameter& p : parameters_of(network.module())) w[p.name] = p.variable;
  const auto& c = *network.config().backbone.as<BertConfig>();
  const PaddedStream p = padded(batch.input);
  const auto normed = [&](const Variable& x, const Variable& residual, const std::string& norm) {
    return add_layer_norm(x, residual, w.at(norm + ".gain"), w.at(norm + ".bias"), c.norm_epsilon).normed;
  };
  Variable x = layer_norm(embedding({{p.stream.tokens, without_padding_gradient(w.at("backbone.tokens.weight"))},
                                     {p.stream.positions, w.at("backbone.positions.weight")},
                                     {p.stream.segments, w.at("backbone.segments.weight")}}),
                          w.at("backbone.norm.gain"), w.at("backbone.norm.bias"), c.norm_epsilon);
  for (Dim layer = 0; layer < c.layers; ++layer) {
    const std::string block = "backbone.blocks." + std::to_string(layer) + ".";
    const auto of = [&](const char* name) { return w.at(block + name); };
    const Variable qkv = linear(x, of("attention.qkv.weight"), of("attention.qkv.bias"));
    const Variable kv = gather_rows(columns(qkv, c.width, 3 * c.width), p.own_rows);
    const Variable attended = cross_attention(columns(qkv, 0, c.width), kv, p.stream.layout, batch.input.layout,
                                              {.heads = c.heads, .mask = AttentionMask::kNone});
    const Variable h =
        normed(linear(attended, of("attention.out.weight"), of("attention.out.bias")), x, block + "norm1");
    x = normed(feed_forward(h, of("feed_forward.up.weight"), of("feed_forward.up.bias"), of("feed_forward.down.weight"),
                            of("feed_forward.down.bias"), c.activation),
               h, block + "norm2");
  }
  return packed_cross_entropy(linear(x, w.at("head.weight"), w.at("head.bias")), p.stream.layout,
                              label_values(batch.labels), 0.5 / static_cast<double>(batch.input.layout.sequences()));
}

}  // namespace rapt::testing
