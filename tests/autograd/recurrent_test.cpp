#include "autograd/ops/recurrent.h"

#include <doctest/doctest.h>

#include <cmath>

#include "support/op_checks.h"
#include "support/recurrent_reference.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

constexpr RecurrentCell kCells[] = {RecurrentCell::kLstm, RecurrentCell::kGru};

// Enough sequences for several groups, which go through the steps side by side.
const std::vector<Dim> kManyLengths = {2, 1, 3, 2, 2, 4, 1, 1, 2, 3, 0, 2, 1, 1, 3, 2, 1, 2, 4};

// A layer in one or two directions, and its inputs: x, W_ih, W_hh, b_ih, b_hh of each, then h and c.
struct Layer {
  RecurrentCell cell;
  std::vector<Dim> lengths;
  Dim in, C;
  std::size_t directions = 1;
  bool biases = true, states = true;

  Dim rows() const { return pack_lengths(lengths).rows(); }

  std::vector<Tensor> inputs(DType dtype = DType::kF64, double spread = 1) const {
    const Dim G = gates_of(cell), B = static_cast<Dim>(lengths.size());
    std::vector<Tensor> all = {random_tensor({rows(), in}, 1, dtype)};
    const auto random = [=](const Shape& shape, std::uint64_t seed) {
      return random_tensor(shape, seed, dtype, -spread, spread);
    };
    for (std::size_t k = 0; k < directions; ++k) {
      all.push_back(random({G * C, in}, 2 + 10 * k));
      all.push_back(random({G * C, C}, 3 + 10 * k));
      if (!biases) continue;
      all.push_back(random({G * C}, 4 + 10 * k));
      all.push_back(random({G * C}, 5 + 10 * k));
    }
    if (!states) return all;
    all.push_back(random_tensor({B, C * static_cast<Dim>(directions)}, 6, dtype));
    if (cell == RecurrentCell::kLstm) all.push_back(random_tensor(all.back().shape(), 7, dtype));
    return all;
  }

  RecurrentOutput run(const std::vector<Variable>& in) const {
    std::vector<RecurrentWeights> weights;
    std::size_t i = 1;
    for (std::size_t k = 0; k < directions; ++k) {
      RecurrentWeights w{in[i], in[i + 1], {}, {}};
      i += 2;
      if (biases) {
        w.input_bias = in[i++];
        w.recurrent_bias = in[i++];
      }
      weights.push_back(w);
    }
    RecurrentState initial;
    if (states) initial.h = in[i++];
    if (states && cell == RecurrentCell::kLstm) initial.c = in[i++];
    const Packed layout = pack_lengths(lengths);
    return cell == RecurrentCell::kLstm ? lstm(in[0], layout, weights, initial) : gru(in[0], layout, weights, initial);
  }

  // All outputs as one tensor: y, the last h, the last c.
  Differentiable all_outputs() const {
    return [layer = *this](const std::vector<Variable>& in) {
      const RecurrentOutput out = layer.run(in);
      std::vector<Variable> parts = {out.y, out.last.h};
      if (out.last.c.defined()) parts.push_back(out.last.c);
      return joined(parts);
    };
  }

  static Variable joined(const std::vector<Variable>& parts) {
    Dim size = 0;
    for (const Variable& part : parts) size += part.value().size();
    Tensor all = Tensor::empty({size}, parts[0].dtype());
    Dim at = 0;
    for (const Variable& part : parts) {
      all.view(at, {part.value().size()}).copy_from(part.value());
      at += part.value().size();
    }
    return record("joined", all, parts, [](const Tensor& dy, Grads d) {
      Dim at = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        if (at == dy.size()) break;
        Tensor& sum = d.sum(i);
        Tensor share = dy.view(at, {sum.size()}).clone();
        at += sum.size();
        d.give(i, share);
      }
    });
  }
};

// y, last h and last c of plain loops over each sequence.
Row expected(const Layer& layer, const std::vector<Tensor>& in) {
  const auto C = static_cast<std::size_t>(layer.C), D = layer.directions;
  const Packed layout = pack_lengths(layer.lengths);
  const auto offsets = layout.offsets.span<std::int32_t>();
  const std::size_t per_direction = layer.biases ? 4 : 2, state_at = 1 + D * per_direction;
  const bool lstm = layer.cell == RecurrentCell::kLstm;
  Row y(static_cast<std::size_t>(layout.rows()) * D * C), h, c;
  for (std::size_t b = 0; b < layer.lengths.size(); ++b) {
    for (std::size_t k = 0; k < D; ++k) {
      const Tensor* const w = &in[1 + k * per_direction];
      const CellWeights weights{w[0], w[1], layer.biases ? w[2] : Tensor(), layer.biases ? w[3] : Tensor()};
      CellState state{Row(C, 0), Row(C, 0)};
      if (layer.states) {
        const auto part = [&](std::size_t which) {
          const Row whole = row_of(in[state_at + which], static_cast<Dim>(b));
          return Row(whole.begin() + static_cast<Dim>(k * C), whole.begin() + static_cast<Dim>((k + 1) * C));
        };
        state.h = part(0);
        if (lstm) state.c = part(1);
      }
      for (Dim t = 0; t < layer.lengths[b]; ++t) {
        const Dim n = k == 0 ? offsets[b] + t : offsets[b + 1] - 1 - t;
        state = cell_step(layer.cell, weights, row_of(in[0], n), state);
        std::copy(state.h.begin(), state.h.end(),
                  y.begin() + (n * static_cast<Dim>(D) + static_cast<Dim>(k)) * layer.C);
      }
      h.insert(h.end(), state.h.begin(), state.h.end());
      c.insert(c.end(), state.c.begin(), state.c.end());
    }
  }
  return both(both(y, h), lstm ? c : Row());
}

}  // namespace

TEST_CASE("an LSTM with all weights zero and a cell of 1 halves the cell, and gives half of its tanh") {
  const Variable x(Tensor::zeros({1, 2}, DType::kF64));
  const RecurrentWeights w{
      Variable(Tensor::zeros({4, 2}, DType::kF64)), Variable(Tensor::zeros({4, 1}, DType::kF64)), {}, {}};
  const RecurrentState ones{Variable(Tensor::full({1, 1}, 1, DType::kF64)),
                            Variable(Tensor::full({1, 1}, 1, DType::kF64))};
  const RecurrentOutput out = lstm(x, pack_lengths(std::vector<Dim>{1}), {w}, ones);
  CHECK(out.last.c.value().item() == doctest::Approx(0.5));
  CHECK(out.y.value().item() == doctest::Approx(0.5 * std::tanh(0.5)));
}

TEST_CASE("recurrent layers give what plain loops over each sequence give") {
  for (const RecurrentCell cell : kCells) {
    for (const std::size_t directions : {1u, 2u}) {
      for (const bool plain : {false, true}) {
        for (const std::vector<Dim>& lengths : {std::vector<Dim>{3, 1, 5, 0, 3}, kManyLengths}) {
          const Layer layer{cell, lengths, 4, 7, directions, !plain, !plain};
          CAPTURE(directions);
          CAPTURE(plain);
          const auto in = layer.inputs();
          const Row wanted = expected(layer, in);
          const Tensor got = layer.all_outputs()(leaves(in)).value();
          CHECK(max_difference(got, Tensor::from(wanted, got.shape())) < 1e-12);
          clear_tape();
        }
      }
    }
  }
}

TEST_CASE("the gradients of recurrent layers agree with central differences") {
  for (const RecurrentCell cell : kCells) {
    for (const Layer& layer : {Layer{cell, {1}, 1, 1}, Layer{cell, {2, 4, 1}, 3, 5}, Layer{cell, {3, 0, 2}, 5, 3, 2},
                               Layer{cell, {4, 4}, 2, 17, 1, false, false}, Layer{cell, kManyLengths, 2, 3, 2}}) {
      CAPTURE(layer.C);
      CAPTURE(layer.directions);
      const GradcheckResult result = gradcheck(layer.all_outputs(), leaves(layer.inputs()));
      CHECK_MESSAGE(result.passed, result.message);
    }
  }
}

TEST_CASE("a gradient that reaches only the last states is complete") {
  for (const RecurrentCell cell : kCells) {
    const Layer layer{cell, {2, 3}, 2, 3};
    const GradcheckResult result =
        gradcheck([&](const std::vector<Variable>& in) { return layer.run(in).last.h; }, leaves(layer.inputs()));
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("recurrent layers give the same bits on one thread and on two, and in f32 what f64 gives") {
  for (const RecurrentCell cell : kCells) {
    const Layer layer{cell, {9, 3, 12, 1, 7, 12, 4, 4, 9, 9, 2, 5, 6, 7, 8, 9, 9, 1, 2}, 33, 70, 2};
    CHECK(same_on_two_threads(layer.all_outputs(), layer.inputs(DType::kF32)));
    // Larger weights would be chaotic: a difference in the last bit would grow from step to step.
    CHECK(f32_difference(layer.all_outputs(), layer.inputs(DType::kF32, 0.1)) < 1e-3);
  }
}

TEST_CASE("recurrent layers in bf16 differ from f32 by what bf16 rounds, alike on one thread and on two") {
  const std::vector<Dim> lengths = {9, 3, 12, 1, 7, 12, 4, 4, 9, 9, 2, 5, 6, 7, 8, 9, 9, 1, 2};
  for (const RecurrentCell cell : kCells) {
    for (const Layer& layer : {Layer{cell, lengths, 33, 70, 2}, Layer{cell, {4, 2, 6}, 19, 21, 1, false, false}}) {
      CAPTURE(layer.C);
      const std::vector<double> errors = bf16_errors(layer.all_outputs(), layer.inputs(DType::kF32, 0.1));
      for (std::size_t i = 0; i < errors.size(); ++i) {
        CAPTURE(i);
        CHECK(errors[i] < 1e-2);
        CHECK(errors[i] > 1e-5);
      }
      const WithPrecision bf16(Precision::kBf16);
      CHECK(same_on_two_threads(layer.all_outputs(), layer.inputs(DType::kF32)));
    }
  }
}

TEST_CASE("a sequence's states do not depend on the rest of the batch") {
  for (const RecurrentCell cell : kCells) {
    const Layer all{cell, {4, 2, 6}, 3, 5}, alone{cell, {2}, 3, 5};
    auto in = all.inputs();
    const Tensor y = all.run(leaves(in)).y.value();
    for (std::size_t i = 5; i < in.size(); ++i) in[i] = in[i].slice(1, 2).clone();
    in[0] = in[0].slice(4, 6).clone();
    CHECK(max_difference(alone.run(leaves(in)).y.value(), y.slice(4, 6)) < 1e-14);
    clear_tape();
  }
}

TEST_CASE("large inputs saturate the gates and do not overflow") {
  for (const RecurrentCell cell : kCells) {
    const Layer layer{cell, {3}, 2, 4};
    auto in = layer.inputs(DType::kF32);
    in[0] = Tensor::full(in[0].shape(), 1e30);
    const Tensor y = layer.run(leaves(in)).y.value();
    for (const float value : y.span<float>()) CHECK(std::isfinite(value));
    clear_tape();
  }
}

TEST_CASE("recurrent layers name invalid arguments") {
  const Packed layout = pack_lengths(std::vector<Dim>{2, 1});
  const auto v = [](const Shape& shape) { return random_variable(shape, 1); };
  const RecurrentWeights good{v({8, 3}), v({8, 2}), v({8}), v({8})};
  CHECK_THROWS_WITH_AS(lstm(v({4, 3}), layout, {good}), "lstm: x must be [3, in] for this layout, got [4, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(gru(v({3, 3}), layout, {good}), "gru: W_hh must be [3 C, C], got [8, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(lstm(v({3, 4}), layout, {good}), "lstm: W_ih must be [8, 4], got [8, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(lstm(v({3, 3}), layout, {{v({8, 3}), v({8, 2}), v({7}), {}}}),
                       "lstm: a bias must be [8], got [7]", ShapeError);
  CHECK_THROWS_WITH_AS(lstm(v({3, 3}), layout, {good}, {v({3, 2}), {}}),
                       "lstm: the initial h must be [2, 2], got [3, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(lstm(v({3, 3}), layout, {}), "lstm: there must be weights for one or two directions, got 0",
                       std::invalid_argument);
}
