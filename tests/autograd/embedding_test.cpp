#include "autograd/ops/embedding.h"

#include <doctest/doctest.h>

#include "autograd/ops/elementwise.h"
#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Tensor ids_of(const std::vector<std::int32_t>& ids) { return Tensor::from(ids, {static_cast<Dim>(ids.size())}); }

Tensor random_ids(Dim N, Dim rows, std::uint64_t seed) {
  Tensor ids = Tensor::empty({N}, DType::kI32);
  Rng rng(random_key(seed, Purpose::kOrder));
  for (std::int32_t& id : ids.span<std::int32_t>()) {
    id = static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(rows)));
  }
  return ids;
}

}  // namespace

TEST_CASE("an embedding is the sum of the rows that the ids name") {
  const Variable tokens(Tensor::from<double>({1, 2, 3, 4, 5, 6}, {3, 2}), true);
  const Variable positions(Tensor::from<double>({10, 20, 30, 40}, {2, 2}), true);
  const Variable y = embedding({{ids_of({2, 0, 2}), tokens}, {ids_of({0, 1, 1}), positions}});
  CHECK(same_bits(y.value(), Tensor::from<double>({15, 26, 31, 42, 35, 46}, {3, 2})));
  backward(record("last", Tensor::full({}, 0, DType::kF64), {y}, [](const Tensor&, Grads d) {
    d.give(0, Tensor::from<double>({1, 2, 10, 20, 100, 200}, {3, 2}));
  }));
  CHECK(same_bits(tokens.grad(), Tensor::from<double>({10, 20, 0, 0, 101, 202}, {3, 2})));
  CHECK(same_bits(positions.grad(), Tensor::from<double>({1, 2, 110, 220}, {2, 2})));
}

TEST_CASE("gradients of embedding and gather_rows agree with central differences") {
  struct Case {
    Dim N, rows, C;
  };
  for (const Case c : {Case{1, 1, 1}, Case{7, 3, 5}, Case{4, 11, 9}, Case{130, 2, 17}}) {
    CAPTURE(c.N);
    CAPTURE(c.rows);
    CAPTURE(c.C);
    const Tensor ids = random_ids(c.N, c.rows, 3), places = random_ids(c.N, 2, 4);
    const auto three = [&](const std::vector<Variable>& in) {
      return embedding({{ids, in[0]}, {places, in[1]}, {places, in[0]}});
    };
    const auto gather = [&](const std::vector<Variable>& in) { return gather_rows(in[0], ids); };
    const Variable table = random_variable({c.rows < 2 ? 2 : c.rows, c.C}, 1), second = random_variable({2, c.C}, 2);
    for (const GradcheckResult& result : {gradcheck(three, {table, second}), gradcheck(gather, {table})}) {
      CHECK_MESSAGE(result.passed, result.message);
    }
  }
}

TEST_CASE("one pass over three tables gives what three passes and two additions give") {
  const std::vector<Tensor> tables = {random_tensor({50, 33}, 1, DType::kF32), random_tensor({9, 33}, 2, DType::kF32),
                                      random_tensor({2, 33}, 3, DType::kF32)};
  const std::vector<Tensor> ids = {random_ids(77, 50, 4), random_ids(77, 9, 5), random_ids(77, 2, 6)};
  const auto fused = [&](const std::vector<Variable>& in) {
    return embedding({{ids[0], in[0]}, {ids[1], in[1]}, {ids[2], in[2]}});
  };
  const auto composed = [&](const std::vector<Variable>& in) {
    return embedding({{ids[0], in[0]}}) + embedding({{ids[1], in[1]}}) + embedding({{ids[2], in[2]}});
  };
  CHECK(same_bits(value_and_gradients(fused, tables), value_and_gradients(composed, tables)));
}

TEST_CASE("embeddings give the same bits on one thread and on two, and in f32 what f64 gives") {
  const Tensor ids = random_ids(1000, 300, 1), segments = random_ids(1000, 2, 2);
  const auto f = [&](const std::vector<Variable>& in) { return embedding({{ids, in[0]}, {segments, in[1]}}); };
  const std::vector<Tensor> tables = {random_tensor({300, 131}, 1, DType::kF32),
                                      random_tensor({2, 131}, 2, DType::kF32)};
  CHECK(same_on_two_threads(f, tables));
  CHECK(f32_difference(f, tables) < 2e-5);
}

TEST_CASE("a row shared by 100,000 positions accumulates their gradients without losing precision") {
  const Variable table(Tensor::zeros({3, 2}), true);
  const Variable y = gather_rows(table, Tensor::zeros({100000}, DType::kI32));
  backward(record("tenth", Tensor::full({}, 0), {y}, [](const Tensor&, Grads d) { d.slot(0).tensor.fill(0.1); }));
  CHECK(table.grad().data<float>()[0] == doctest::Approx(1e5 * static_cast<double>(0.1f)).epsilon(2e-5));
}

TEST_CASE("backward does not touch rows that no id selects") {
  Variable table(Tensor::zeros({1000, 3}), true);
  Tensor gradient = Tensor::full({1000, 3}, 7);
  table.grad() = gradient;
  backward(record("one", Tensor::full({}, 0), {gather_rows(table, ids_of({999, 5, 5}))},
                  [](const Tensor&, Grads d) { d.slot(0).tensor.fill(1); }));
  for (Dim row = 0; row < 1000; ++row) {
    CHECK(gradient.data<float>()[row * 3 + 1] == (row == 999 ? 8 : row == 5 ? 9 : 7));
  }
}

TEST_CASE("no positions give no rows and no gradient") {
  const Variable table = random_variable({4, 3}, 1);
  const Variable y = embedding({{Tensor::empty({0}, DType::kI32), table}});
  CHECK(y.shape() == Shape{0, 3});
  clear_tape();
}

TEST_CASE("an id outside its table is named with its position and the table") {
  const Variable table = random_variable({5, 2}, 1), narrow = random_variable({5, 1}, 1);
  CHECK_THROWS_WITH_AS(embedding({{ids_of({0, 4, 5}), table}}),
                       "embedding: index 5 at position 2 is not a row of the table [5, 2]", std::invalid_argument);
  CHECK_THROWS_WITH_AS(gather_rows(table, ids_of({-1})),
                       "gather_rows: index -1 at position 0 is not a row of the table [5, 2]", std::invalid_argument);
  CHECK_THROWS_WITH_AS(embedding({{ids_of({0}), table}, {ids_of({0}), narrow}}),
                       "embedding: tables must have the same width and type, got [5, 2] f64 and [5, 1] f64",
                       ShapeError);
  CHECK_THROWS_WITH_AS(embedding({{ids_of({0}), table}, {ids_of({0, 1}), table}}),
                       "embedding: all tables must get the same number of indices, got [1] and [2]", ShapeError);
  CHECK_THROWS_WITH_AS(embedding({}), "embedding: there must be at least one table, got none", std::invalid_argument);
  CHECK_THROWS_WITH_AS(gather_rows(table, Tensor::zeros({2})), "gather_rows: the indices must be [N] i32, got [2] f32",
                       ShapeError);
}
