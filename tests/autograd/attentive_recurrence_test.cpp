#include "autograd/ops/attentive_recurrence.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/embedding.h"
#include "support/op_checks.h"
#include "support/recurrent_reference.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

struct DecoderCase {
  RecurrentCell cell;
  bool additive, after;
  std::vector<Dim> lengths, sources;
  Dim in, C, M;
  std::size_t layers = 1;
  bool masked = false, states = true;

  Dim fed() const { return after ? C : M; }
  bool is_lstm() const { return cell == RecurrentCell::kLstm; }

  // x, keys, memory, query, score, combine, then W_ih, W_hh, b_ih, b_hh, h, c of each layer; what is off is left out.
  std::vector<Tensor> inputs(DType dtype = DType::kF64, double spread = 1) const {
    const Dim N = pack_lengths(lengths).rows(), S = pack_lengths(sources).rows(), G = gates_of(cell);
    const Dim B = static_cast<Dim>(lengths.size());
    std::vector<Tensor> all;
    const auto add = [&](const Shape& shape) {
      all.push_back(random_tensor(shape, 1 + all.size(), dtype, -spread, spread));
    };
    add({N, in});
    add({S, C});
    add({S, M});
    if (additive) add({C, C});
    if (additive) add({1, C});
    if (after) add({C, C + M});
    for (std::size_t l = 0; l < layers; ++l) {
      add({G * C, l == 0 ? in + fed() : C});
      add({G * C, C});
      add({G * C});
      add({G * C});
      if (states) add({B, C});
      if (states && is_lstm()) add({B, C});
    }
    return all;
  }

  Tensor mask(DType dtype) const {
    Tensor m = random_tensor({pack_lengths(lengths).rows(), C}, 99, DType::kF64);
    for (double& x : m.span<double>()) x = x < -0.4 ? 0 : 1.5;
    return m.to(dtype);
  }

  AttentiveOutput run(const std::vector<Variable>& in, const Tensor& first_fed = {}) const {
    std::size_t i = 0;
    const Variable x = in[i++];
    const AttentionMemory over{in[i], in[i + 1], pack_lengths(sources)};
    i += 2;
    AttentiveDecoder decoder;
    decoder.cell = cell;
    if (additive) decoder.query = in[i++];
    if (additive) decoder.score = in[i++];
    if (after) decoder.combine = in[i++];
    AttentiveState initial;
    initial.fed = first_fed;
    for (std::size_t l = 0; l < layers; ++l) {
      decoder.layers.push_back({in[i], in[i + 1], in[i + 2], in[i + 3]});
      i += 4;
      RecurrentState state;
      if (states) state.h = in[i++];
      if (states && is_lstm()) state.c = in[i++];
      initial.layers.push_back(state);
      if (masked && l > 0) decoder.masks.push_back(mask(x.dtype()));
    }
    return attentive_recurrence(x, pack_lengths(lengths), decoder, over, initial);
  }

  // Both outputs: one after the other if attention is before the cell.
  Differentiable outputs() const {
    return [c = *this](const std::vector<Variable>& in) {
      const AttentiveOutput out = c.run(in);
      if (c.after) return out.states;
      const Dim first = out.states.value().size(), second = out.contexts.value().size();
      Tensor all = Tensor::empty({first + second}, out.states.dtype());
      all.view(0, {first}).copy_from(out.states.value());
      all.view(first, {second}).copy_from(out.contexts.value());
      return record("joined", all, {out.states, out.contexts}, [first, second](const Tensor& dy, Grads d) {
        d.give(0, dy.view(0, {first}).clone());
        d.give(1, dy.view(first, {second}).clone());
      });
    };
  }
};

// States, contexts (if attention is before the cell) and weights, by plain loops.
struct Expected {
  Row states, contexts, weights;
};

Expected expected(const DecoderCase& c, const std::vector<Tensor>& in) {
  Expected out;
  std::size_t at = 3;
  const Tensor query = c.additive ? in[at++] : Tensor();
  const Row score = c.additive ? row_of(in[at++], 0) : Row();
  const Tensor combine = c.after ? in[at++] : Tensor();
  const std::size_t per_layer = 4 + (c.states ? (c.is_lstm() ? 2u : 1u) : 0u);
  const auto C = static_cast<std::size_t>(c.C);
  Dim row = 0, source = 0;
  for (std::size_t b = 0; b < c.lengths.size(); ++b) {
    std::vector<Row> keys, memory;
    for (Dim s = 0; s < c.sources[b]; ++s, ++source) {
      keys.push_back(row_of(in[1], source));
      memory.push_back(row_of(in[2], source));
    }
    std::vector<CellState> state(c.layers, CellState{Row(C, 0), Row(C, 0)});
    for (std::size_t l = 0; c.states && l < c.layers; ++l) {
      state[l].h = row_of(in[at + l * per_layer + 4], static_cast<Dim>(b));
      if (c.is_lstm()) state[l].c = row_of(in[at + l * per_layer + 5], static_cast<Dim>(b));
    }
    Row f(C, 0);
    const auto ask = [&] {
      const Row& h = state.back().h;
      auto found = attend(c.additive ? times(query, h) : h, keys, memory, score);
      out.weights = both(out.weights, found.first);
      return found.second;
    };
    for (Dim t = 0; t < c.lengths[b]; ++t, ++row) {
      const Row context = c.after ? f : ask();
      Row below = both(row_of(in[0], row), context);
      for (std::size_t l = 0; l < c.layers; ++l) {
        const Tensor* const w = &in[at + l * per_layer];
        if (l > 0 && c.masked) {
          const Row factor = row_of(c.mask(DType::kF64), row);
          for (std::size_t j = 0; j < C; ++j) below[j] *= factor[j];
        }
        state[l] = cell_step(c.cell, {w[0], w[1], w[2], w[3]}, below, state[l]);
        below = state[l].h;
      }
      if (c.after) {
        f = times(combine, both(below, ask()));
        for (double& x : f) x = std::tanh(x);
      } else {
        out.contexts = both(out.contexts, context);
      }
      out.states = both(out.states, c.after ? f : below);
    }
  }
  return out;
}

std::vector<DecoderCase> all_kinds(std::vector<Dim> lengths, std::vector<Dim> sources, Dim in, Dim C, Dim M,
                                   std::size_t layers, bool masked) {
  std::vector<DecoderCase> cases;
  for (const RecurrentCell cell : {RecurrentCell::kLstm, RecurrentCell::kGru}) {
    for (const bool additive : {false, true}) {
      for (const bool after : {false, true}) {
        cases.push_back({cell, additive, after, lengths, sources, in, C, M, layers, masked, layers > 1});
      }
    }
  }
  return cases;
}

}  // namespace

TEST_CASE("a decoder with attention gives what plain loops give") {
  for (const std::size_t layers : {1u, 2u}) {
    for (const DecoderCase& c : all_kinds({2, 4, 0, 1}, {3, 2, 1, 5}, 3, 5, 4, layers, layers == 2)) {
      CAPTURE(c.additive);
      CAPTURE(c.after);
      CAPTURE(layers);
      const auto in = c.inputs();
      const AttentiveOutput out = c.run(leaves(in));
      const Expected wanted = expected(c, in);
      CHECK(max_difference(out.states.value(), Tensor::from(wanted.states, out.states.shape())) < 1e-13);
      if (!c.after) {
        CHECK(max_difference(out.contexts.value(), Tensor::from(wanted.contexts, out.contexts.shape())) < 1e-13);
      }
      REQUIRE(out.weights.size() == static_cast<Dim>(wanted.weights.size()));
      CHECK(max_difference(out.weights, Tensor::from(wanted.weights, out.weights.shape())) < 1e-13);
      clear_tape();
    }
  }
}

TEST_CASE("the gradients of a decoder with attention agree with central differences") {
  std::vector<DecoderCase> cases = all_kinds({2, 3, 1}, {3, 1, 2}, 2, 3, 5, 2, true);
  for (DecoderCase& c : all_kinds({1}, {1}, 1, 1, 1, 1, false)) cases.push_back(c);
  for (DecoderCase& c : all_kinds({2, 1}, {2, 3}, 3, 5, 3, 1, false)) cases.push_back(c);
  for (const DecoderCase& c : cases) {
    CAPTURE(c.additive);
    CAPTURE(c.after);
    CAPTURE(c.layers);
    CAPTURE(c.C);
    const GradcheckResult result = gradcheck(c.outputs(), leaves(c.inputs()), {.full_up_to = 40});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("keys that are also the memory get both gradients from all steps") {
  const DecoderCase c{RecurrentCell::kGru, false, true, {2, 3}, {3, 2}, 2, 4, 4};
  std::vector<Tensor> in = c.inputs();
  in.erase(in.begin() + 2);
  const GradcheckResult result = gradcheck(
      [&](const std::vector<Variable>& v) {
        std::vector<Variable> all = v;
        all.insert(all.begin() + 2, v[1]);
        return c.run(all).states;
      },
      leaves(in));
  CHECK_MESSAGE(result.passed, result.message);
}

TEST_CASE("a decoder with attention gives the same bits on one thread and on two, and in f32 what f64 gives") {
  for (DecoderCase c :
       all_kinds({9, 3, 12, 1, 7, 12, 4, 4, 9, 9, 2, 5, 6, 7, 8, 9, 9, 1, 2, 3},
                 {8, 2, 12, 3, 7, 1, 4, 5, 9, 9, 6, 5, 6, 7, 8, 9, 9, 1, 2, 3}, 19, 210, 35, 2, false)) {
    CHECK(same_on_two_threads(c.outputs(), c.inputs(DType::kF32)));
    CHECK(f32_difference(c.outputs(), c.inputs(DType::kF32, 0.1)) < 1e-3);
  }
}

TEST_CASE("a decoder with attention in bf16 differs from f32 by what bf16 rounds, alike on one thread and on two") {
  for (const std::size_t layers : {1u, 2u}) {
    for (const bool masked : {false, true}) {
      if (masked && layers == 1) continue;
      for (const DecoderCase& c : all_kinds({9, 3, 12, 1, 7, 2}, {8, 2, 12, 3, 7, 1}, 19, 40, 35, layers, masked)) {
        CAPTURE(c.additive);
        CAPTURE(c.after);
        CAPTURE(c.is_lstm());
        CAPTURE(layers);
        CAPTURE(masked);
        const std::vector<double> errors = bf16_errors(c.outputs(), c.inputs(DType::kF32, 0.3));
        for (std::size_t i = 0; i < errors.size(); ++i) {
          CAPTURE(i);
          CHECK(errors[i] < 2e-2);
          CHECK(errors[i] > 1e-5);
        }
        const WithPrecision bf16(Precision::kBf16);
        CHECK(same_on_two_threads(c.outputs(), c.inputs(DType::kF32)));
      }
    }
  }
}

TEST_CASE("a decoder continues from its last state as if it had not stopped") {
  for (const DecoderCase& whole : all_kinds({3, 3}, {3, 2}, 3, 5, 4, 2, false)) {
    const NoGrad no_grad;
    const auto in = leaves(whole.inputs());
    const AttentiveOutput all = whole.run(in);
    DecoderCase part = whole;
    part.lengths = {2, 2};
    const auto rows = [&](const std::vector<std::int32_t>& which) {
      return gather_rows(in[0], Tensor::from(which, {static_cast<Dim>(which.size())}));
    };
    auto first = in;
    first[0] = rows({0, 1, 3, 4});
    const AttentiveOutput before = part.run(first);
    part.lengths = {1, 1};
    auto second = in;
    second[0] = rows({2, 5});
    const std::size_t per_layer = whole.is_lstm() ? 6 : 5;
    const std::size_t start = in.size() - 2 * per_layer;
    for (std::size_t l = 0; l < 2; ++l) {
      second[start + l * per_layer + 4] = before.last.layers[l].h;
      if (whole.is_lstm()) second[start + l * per_layer + 5] = before.last.layers[l].c;
    }
    const Tensor last = part.run(second, before.last.fed).states.value();
    CHECK(max_difference(last.slice(0, 1), all.states.value().slice(2, 3)) < 1e-14);
    CHECK(max_difference(last.slice(1, 2), all.states.value().slice(5, 6)) < 1e-14);
  }
}

TEST_CASE("a decoder with attention names invalid arguments") {
  const DecoderCase c{RecurrentCell::kLstm, true, true, {2, 1}, {3, 2}, 2, 3, 4};
  const auto with = [&](std::size_t input, const Shape& shape) {
    auto in = leaves(c.inputs());
    in[input] = random_variable(shape, 1);
    return [=] { static_cast<void>(c.run(in)); };
  };
  CHECK_THROWS_WITH_AS(with(0, {4, 2})(), "attentive_recurrence: x must be [3, in] for this layout, got [4, 2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(with(1, {5, 2})(), "attentive_recurrence: keys must be [5, 3], got [5, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(with(3, {2, 3})(), "attentive_recurrence: query must be [3, 3], got [2, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(with(5, {3, 3})(), "attentive_recurrence: combine must be [3, 7], got [3, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(with(6, {12, 4})(), "attentive_recurrence: W_ih must be [12, 5], got [12, 4]", ShapeError);
}
