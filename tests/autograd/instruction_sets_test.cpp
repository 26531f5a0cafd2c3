// One program runs on every processor: each instruction set has its own copy of the kernels, and each copy is tested.
#include <doctest/doctest.h>

#include "autograd/ops/activation.h"
#include "autograd/ops/attention.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/linear_cross_entropy.h"
#include "autograd/ops/mean_pool.h"
#include "autograd/ops/recurrent.h"
#include "autograd/ops/rms_norm.h"
#include "autograd/ops/rope.h"
#include "autograd/ops/sequence_attention.h"
#include "autograd/ops/softmax.h"
#include "support/instruction_sets.h"
#include "support/op_checks.h"
#include "tensor/kernels/optimizer.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

const DropoutKey kComparedDropoutKey = {random_key(9, Purpose::kDropout), 3};

// Widths with every kind of tail.
constexpr Dim kWidths[] = {2, 3, 5, 8, 15, 16, 17, 31, 67};

Tensor some_rows(Dim N) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(N));
  for (std::size_t n = 0; n < rows.size(); ++n) rows[n] = static_cast<std::int32_t>(n * n % rows.size());
  return Tensor::from(rows, {N});
}

// x, y [N, C]; gain, bias [C]; the operations on rows.
Variable rows(const std::vector<Variable>& in) {
  const Tensor ids = some_rows(in[0].shape()[0]);
  const ResidualNorm norm = dropout_add_layer_norm(in[0], in[1], in[2], in[3], 1e-5, 0.2, kComparedDropoutKey);
  const Variable turned = rope(norm.normed, ids, {.heads = 1, .head_width = in[0].shape()[1] / 2 * 2});
  return rms_norm(embedding({{ids, norm.sum}, {ids, turned}}), in[2], 1e-6) * softmax(scale(in[0] + in[1], 3));
}

std::vector<Tensor> inputs_of(Dim N, Dim C, DType dtype) {
  return {random_tensor({N, C}, 1, dtype), random_tensor({N, C}, 2, dtype), random_tensor({C}, 3, dtype, 0.5, 1.5),
          random_tensor({C}, 4, dtype)};
}

// The results of f() on each instruction set, compared with the best one.
void check_like_best(DType dtype, const std::function<std::vector<Tensor>()>& f) {
  const std::vector<Tensor> best = f();
  for_each_instruction_set([&] {
    const std::vector<Tensor> mine = f();
    REQUIRE(mine.size() == best.size());
    for (std::size_t i = 0; i < best.size(); ++i) {
      CAPTURE(i);
      CHECK(max_difference(mine[i], best[i]) < (dtype == DType::kF32 ? 1e-4 : 1e-13));
    }
  });
}

// The same for an operation's value and gradients, in f32 and f64.
void check_like_best(const Differentiable& f, const std::function<std::vector<Tensor>(DType)>& inputs) {
  for (const DType dtype : {DType::kF32, DType::kF64}) {
    check_like_best(dtype, [&] { return value_and_gradients(f, inputs(dtype)); });
  }
}

}  // namespace

TEST_CASE("every instruction set gives what the best one gives: norms, embeddings, rotations, softmax, dropout") {
  for (const Dim C : kWidths) {
    CAPTURE(C);
    check_like_best(rows, [&](DType dtype) { return inputs_of(7, C, dtype); });
  }
}

TEST_CASE("every instruction set gives what the best one gives: activations, alone and behind a product") {
  for (const Activation f : {Activation::kGelu, Activation::kGeluTanh, Activation::kRelu, Activation::kSilu,
                             Activation::kTanh, Activation::kSigmoid, Activation::kQuickGelu}) {
    CAPTURE(name_of(f));
    for (const Dim C : kWidths) {
      CAPTURE(C);
      check_like_best([f](const std::vector<Variable>& in) { return activation(in[0], f); },
                      [&](DType dtype) {
                        return std::vector{random_tensor({5, C}, 1, dtype, -6, 6)};
                      });
      check_like_best([f](const std::vector<Variable>& in) { return linear(in[0], in[1], in[2], f); },
                      [&](DType dtype) {
                        return std::vector{random_tensor({5, 3}, 1, dtype), random_tensor({C, 3}, 2, dtype),
                                           random_tensor({C}, 3, dtype)};
                      });
    }
  }
}

TEST_CASE("every instruction set gives what the best one gives: attention with dropout, and the mean of a sequence") {
  const Packed layout = pack_lengths(std::vector<Dim>{1, 6, 21});
  for (const Dim D : kWidths) {
    CAPTURE(D);
    for (const AttentionMask mask : {AttentionMask::kNone, AttentionMask::kCausal}) {
      check_like_best(
          [&](const std::vector<Variable>& in) {
            return mean_pool(
                self_attention(in[0], layout, {.heads = 2, .mask = mask, .dropout = 0.2, .key = kComparedDropoutKey}),
                layout);
          },
          [&](DType dtype) {
            return std::vector{random_tensor({28, 6 * D}, 1, dtype)};
          });
    }
  }
}

TEST_CASE("every instruction set gives what the best one gives: recurrent layers and their attention") {
  const Packed layout = pack_lengths(std::vector<Dim>{1, 4, 2});
  for (const Dim C : kWidths) {
    CAPTURE(C);
    for (const RecurrentCell cell : {RecurrentCell::kLstm, RecurrentCell::kGru}) {
      const Dim G = gates_of(cell);
      check_like_best(
          [&](const std::vector<Variable>& in) {
            const Variable y = recurrent(cell, in[0], layout, {{in[1], in[2], in[3], in[3]}}).y;
            const AttentionMemory over{y, in[0], layout};
            return additive_attention(y, layout, in[4], over).context + dot_attention(y, layout, over).context;
          },
          [&](DType dtype) {
            return std::vector{random_tensor({7, 3}, 1, dtype), random_tensor({G * C, 3}, 2, dtype, -0.3, 0.3),
                               random_tensor({G * C, C}, 3, dtype, -0.3, 0.3), random_tensor({G * C}, 4, dtype),
                               random_tensor({C}, 5, dtype)};
          });
    }
  }
}

TEST_CASE("every instruction set gives what the best one gives: cross-entropy over vocabularies of every tail") {
  for (const Dim V : kWidths) {
    CAPTURE(V);
    const Tensor targets = Tensor::from(std::vector<std::int32_t>{0, static_cast<std::int32_t>(V - 1), 1}, {3});
    check_like_best(
        [&](const std::vector<Variable>& in) {
          return linear_cross_entropy(in[0], in[1], in[2], Tensor::from(std::vector<std::int32_t>{0, 4, 2}, {3}),
                                      targets, {.label_smoothing = 0.1});
        },
        [&](DType dtype) {
          return std::vector{random_tensor({5, 3}, 1, dtype), random_tensor({V, 3}, 2, dtype),
                             random_tensor({V}, 3, dtype)};
        });
  }
}

TEST_CASE("every instruction set gives what the best one gives: updates of Adam and SGD, and norms of gradients") {
  const auto updates = [](Dim n, DType dtype) {
    std::vector<Tensor> p = {random_tensor({n}, 1, dtype), random_tensor({n}, 2, dtype)};
    const Tensor g = random_tensor({n}, 3, dtype);
    const auto apply = [&]<typename T>() {
      Tensor m = Tensor::zeros({n}, dtype), v = Tensor::zeros({n}, dtype), u = Tensor::zeros({n}, dtype);
      for (Dim step = 1; step <= 3; ++step) {
        kernels::adam_update<T>(p[0].data<T>(), g.data<T>(), m.data<T>(), v.data<T>(), n,
                                {.weight_decay = 0.1, .step = step, .gradient_scale = 0.5});
        kernels::sgd_update<T>(p[1].data<T>(), g.data<T>(), u.data<T>(), n,
                               {.momentum = 0.9, .nesterov = true, .weight_decay = 0.1});
      }
      p.insert(p.end(), {m, v, u, Tensor::full({}, kernels::sum_of_squares<T>(g.data<T>(), n), dtype)});
    };
    dtype == DType::kF32 ? apply.template operator()<float>() : apply.template operator()<double>();
    return p;
  };
  for (const Dim n : kWidths) {
    CAPTURE(n);
    for (const DType dtype : {DType::kF32, DType::kF64}) check_like_best(dtype, [&] { return updates(n, dtype); });
  }
}

TEST_CASE("dropout drops the same elements on every instruction set, bit for bit") {
  const Variable x(random_tensor({20, 1100}, 1, DType::kF32));
  const Tensor best = dropout(x, 0.3, kComparedDropoutKey).value();
  for_each_instruction_set([&] { CHECK(same_bits(dropout(x, 0.3, kComparedDropoutKey).value(), best)); });
}
