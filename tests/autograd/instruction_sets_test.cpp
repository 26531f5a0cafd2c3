// One program runs on every processor: each instruction set has its own copy of the kernels, and each copy is tested.
#include <doctest/doctest.h>

#include "autograd/ops/dropout.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/rms_norm.h"
#include "autograd/ops/rope.h"
#include "autograd/ops/softmax.h"
#include "support/instruction_sets.h"
#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

const DropoutKey kKey = {random_key(9, Purpose::kDropout), 3};

// x, y [N, C]; gain, bias [C]; every operation whose kernel is vectorised.
Variable everything(const std::vector<Variable>& in) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(in[0].shape()[0]));
  for (std::size_t n = 0; n < rows.size(); ++n) rows[n] = static_cast<std::int32_t>(n * n % rows.size());
  const Tensor ids = Tensor::from(rows, {static_cast<Dim>(rows.size())});
  const ResidualNorm norm = dropout_add_layer_norm(in[0], in[1], in[2], in[3], 1e-5, 0.2, kKey);
  const Variable turned = rope(norm.normed, ids, {.heads = 1, .head_width = in[0].shape()[1] / 2 * 2});
  return rms_norm(embedding({{ids, norm.sum}, {ids, turned}}), in[2], 1e-6) * softmax(scale(in[0] + in[1], 3));
}

std::vector<Tensor> inputs_of(Dim N, Dim C, DType dtype) {
  return {random_tensor({N, C}, 1, dtype), random_tensor({N, C}, 2, dtype), random_tensor({C}, 3, dtype, 0.5, 1.5),
          random_tensor({C}, 4, dtype)};
}

}  // namespace

TEST_CASE(
    "every instruction set gives the same results as the best one, in f32 and f64, for widths with every kind of "
    "tail") {
  for (const Dim C : {2, 3, 5, 8, 15, 16, 17, 31, 67}) {
    for (const DType dtype : {DType::kF32, DType::kF64}) {
      CAPTURE(C);
      const std::vector<Tensor> in = inputs_of(7, C, dtype), best = value_and_gradients(everything, in);
      for_each_instruction_set([&] {
        const std::vector<Tensor> mine = value_and_gradients(everything, in);
        for (std::size_t i = 0; i < best.size(); ++i) {
          CHECK(max_difference(mine[i], best[i]) < (dtype == DType::kF32 ? 1e-4 : 1e-13));
        }
      });
    }
  }
}

TEST_CASE("dropout drops the same elements on every instruction set, bit for bit") {
  const Variable x(random_tensor({20, 1100}, 1, DType::kF32));
  const Tensor best = dropout(x, 0.3, kKey).value();
  for_each_instruction_set([&] { CHECK(same_bits(dropout(x, 0.3, kKey).value(), best)); });
}
