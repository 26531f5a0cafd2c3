#include "autograd/ops/linear_cross_entropy.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "autograd/gradcheck.h"
#include "autograd/ops/elementwise.h"
#include "support/random_tensor.h"
#include "support/with_precision.h"
#include "tensor/packed.h"
#include "tensor/parallel.h"

using namespace rapt;
using rapt::testing::max_difference;
using rapt::testing::random_tensor;
using rapt::testing::random_variable;

namespace {

struct CrossEntropyCase {
  Dim N, C, V, M;
  bool bias = true;
  CrossEntropyOptions options = {};
  bool all_rows() const { return M == N; }
};

Tensor rows_of(const CrossEntropyCase& c) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(c.M));
  std::iota(rows.begin(), rows.end(), 0);
  if (!c.all_rows()) {
    for (auto& row : rows) row = static_cast<std::int32_t>((row * 7 + 3) % c.N);  // some twice where M > N
  }
  return Tensor::from(rows, {c.M});
}

Tensor targets_of(const CrossEntropyCase& c) {
  std::vector<std::int32_t> targets;
  for (Dim m = 0; m < c.M; ++m) targets.push_back(static_cast<std::int32_t>((m * m + 5 * m) % c.V));
  return Tensor::from(targets, {c.M});
}

struct Inputs {
  Variable x, weight, bias;
};

Inputs inputs_of(const CrossEntropyCase& c, DType dtype = DType::kF64) {
  return {Variable(random_tensor({c.N, c.C}, 1).to(dtype), true),
          Variable(random_tensor({c.V, c.C}, 2).to(dtype), true),
          c.bias ? Variable(random_tensor({c.V}, 3).to(dtype), true) : Variable()};
}

Variable loss_of(const CrossEntropyCase& c, const Inputs& in) {
  return linear_cross_entropy(in.x, in.weight, in.bias, rows_of(c), targets_of(c), c.options);
}

// The definition, written out in f64.
struct Reference {
  double loss = 0;
  Tensor dx, dweight, dbias;
};

Reference reference(const CrossEntropyCase& c) {
  const Inputs in = inputs_of(c);
  Reference r{0, Tensor::zeros({c.N, c.C}, DType::kF64), Tensor::zeros({c.V, c.C}, DType::kF64),
              Tensor::zeros({c.V}, DType::kF64)};
  const Tensor rows = rows_of(c), targets = targets_of(c);
  const double eps = c.options.label_smoothing;
  for (Dim m = 0; m < c.M; ++m) {
    const Dim row = rows.data<std::int32_t>()[m], target = targets.data<std::int32_t>()[m];
    const double* const x = in.x.value().data<double>() + row * c.C;
    std::vector<double> z;
    double sum = 0;
    for (Dim v = 0; v < c.V; ++v) {
      const double* const w = in.weight.value().data<double>() + v * c.C;
      z.push_back(std::inner_product(x, x + c.C, w, c.bias ? in.bias.value().data<double>()[v] : 0.0));
      sum += std::exp(z.back());
    }
    for (Dim v = 0; v < c.V; ++v) {
      const double wanted = (v == target ? 1 - eps : 0) + eps / static_cast<double>(c.V);
      const double log_p = z[static_cast<std::size_t>(v)] - std::log(sum);
      r.loss -= c.options.scale * wanted * log_p;
      const double g = c.options.scale * (std::exp(log_p) - wanted);
      r.dbias.data<double>()[v] += g;
      for (Dim k = 0; k < c.C; ++k) {
        r.dx.data<double>()[row * c.C + k] += g * in.weight.value().data<double>()[v * c.C + k];
        r.dweight.data<double>()[v * c.C + k] += g * x[k];
      }
    }
  }
  return r;
}

const CrossEntropyCase kCrossEntropyCases[] = {{1, 1, 1, 1},
                                               {5, 3, 7, 5},
                                               {6, 4, 33, 3, false},
                                               {4, 5, 9, 11, true, {0.1, 0.5}},
                                               {3, 2, 2, 3},
                                               {2100, 6, 17, 2100},
                                               {40, 8, 65, 2500, true, {0.3, 2}}};

}  // namespace

TEST_CASE("linear_cross_entropy by hand: logits 0 and log 3 cost log 4 and log 4/3") {
  const Variable x(Tensor::full({1, 1}, 1, DType::kF64), true);
  const Variable weight(Tensor::from(std::vector<double>{0, std::log(3.0)}, {2, 1}), true);
  const Tensor rows = Tensor::from(std::vector<std::int32_t>{0, 0}, {2});
  const Tensor targets = Tensor::from(std::vector<std::int32_t>{0, 1}, {2});
  const Variable loss = linear_cross_entropy(x, weight, {}, rows, targets);
  CHECK(loss.value().item() == doctest::Approx(std::log(4.0) + std::log(4.0 / 3)).epsilon(1e-14));
  backward(loss);  // p = (1/4, 3/4) for both: dz = (-3/4, 3/4) + (1/4, -1/4)
  CHECK(weight.grad().data<double>()[0] == doctest::Approx(-0.5).epsilon(1e-14));
  CHECK(weight.grad().data<double>()[1] == doctest::Approx(0.5).epsilon(1e-14));
  CHECK(x.grad().item() == doctest::Approx(0.5 * std::log(3.0)).epsilon(1e-14));
}

TEST_CASE("linear_cross_entropy and its gradients are what the definition says, in one chunk and in several") {
  for (const CrossEntropyCase& c : kCrossEntropyCases) {
    CAPTURE(c.N);
    CAPTURE(c.M);
    CAPTURE(c.V);
    const Reference right = reference(c);
    for (const double factor : {1.0, 2.5, 0.0}) {
      CAPTURE(factor);
      const Inputs in = inputs_of(c);
      const Variable loss = loss_of(c, in);
      CHECK(loss.value().item() == doctest::Approx(right.loss).epsilon(1e-13));
      backward(loss, factor);
      const auto close = [&](const Tensor& gradient, const Tensor& one) {
        const Variable wanted = scale(Variable(one), factor);
        return max_difference(gradient, wanted.value()) < 1e-12 * static_cast<double>(c.M);
      };
      CHECK(close(in.x.grad(), right.dx));
      CHECK(close(in.weight.grad(), right.dweight));
      if (c.bias) CHECK(close(in.bias.grad(), right.dbias));
    }
  }
}

TEST_CASE("the gradients of linear_cross_entropy agree with central differences") {
  for (const CrossEntropyCase& c :
       {kCrossEntropyCases[0], kCrossEntropyCases[1], kCrossEntropyCases[2], kCrossEntropyCases[3]}) {
    CAPTURE(c.N);
    CAPTURE(c.M);
    const Inputs in = inputs_of(c);
    std::vector<Variable> inputs{in.x, in.weight};
    if (c.bias) inputs.push_back(in.bias);
    const GradcheckResult result = gradcheck(
        [&](const std::vector<Variable>& v) {
          return loss_of(c, {v[0], v[1], c.bias ? v[2] : Variable()});
        },
        inputs);
    CAPTURE(result.message);
    CHECK(result.passed);
  }
}

TEST_CASE("linear_cross_entropy adds its gradients to existing ones") {
  const CrossEntropyCase c = kCrossEntropyCases[1];
  const Reference right = reference(c);
  const Inputs in = inputs_of(c);
  for (int micro_batch = 0; micro_batch < 3; ++micro_batch) backward(loss_of(c, in));
  const auto three_times = [](const Tensor& one) { return scale(Variable(one), 3).value(); };
  CHECK(max_difference(in.x.grad(), three_times(right.dx)) < 1e-12);
  CHECK(max_difference(in.weight.grad(), three_times(right.dweight)) < 1e-12);
  CHECK(max_difference(in.bias.grad(), three_times(right.dbias)) < 1e-12);
}

TEST_CASE("linear_cross_entropy works for a weight that is itself computed") {
  const CrossEntropyCase c{5, 3, 7, 5, false};
  const Reference right = reference(c);
  const Inputs in = inputs_of(c);
  backward(linear_cross_entropy(in.x, scale(in.weight, 1), {}, rows_of(c), targets_of(c)));
  CHECK(max_difference(in.weight.grad(), right.dweight) < 1e-13);
}

TEST_CASE("linear_cross_entropy leaves no gradient without recording, and computes only required ones") {
  const CrossEntropyCase c = kCrossEntropyCases[1];
  const Inputs in = inputs_of(c);
  {
    const NoGrad no_grad;
    CHECK(loss_of(c, in).value().item() == doctest::Approx(reference(c).loss));
  }
  CHECK_FALSE(in.weight.grad().defined());
  const Inputs frozen{in.x, Variable(in.weight.value()), Variable(in.bias.value())};
  backward(loss_of(c, frozen));
  CHECK_FALSE(frozen.weight.grad().defined());
  CHECK(max_difference(in.x.grad(), reference(c).dx) < 1e-13);
}

TEST_CASE("linear_cross_entropy in f32 is linear_cross_entropy in f64, over a vocabulary of 50,257") {
  const CrossEntropyCase c{24, 16, 50'257, 24, true, {0.1, 1}};
  const Inputs small = inputs_of(c, DType::kF32);
  const Variable loss = loss_of(c, small);
  const Reference right = reference(c);
  CHECK(loss.value().item() == doctest::Approx(right.loss).epsilon(1e-6));
  backward(loss);
  CHECK(max_difference(small.x.grad(), right.dx) < 1e-5);
  CHECK(max_difference(small.weight.grad(), right.dweight) < 1e-6);
  CHECK(max_difference(small.bias.grad(), right.dbias) < 1e-6);
}

TEST_CASE("linear_cross_entropy has the same bits on one thread and on two") {
  const int threads = thread_count();
  for (const CrossEntropyCase& c : {CrossEntropyCase{1500, 12, 65, 1500}, CrossEntropyCase{50, 12, 3001, 20}}) {
    std::vector<Tensor> results[2];
    for (const int count : {1, 2}) {
      set_thread_count(count);
      const Inputs in = inputs_of(c, DType::kF32);
      const Variable loss = loss_of(c, in);
      results[count - 1] = {loss.value()};
      backward(loss);
      for (const Variable& v : {in.x, in.weight, in.bias}) results[count - 1].push_back(v.grad());
    }
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(std::memcmp(results[0][i].raw(), results[1][i].raw(), results[0][i].bytes()) == 0);
    }
  }
  set_thread_count(threads);
}

TEST_CASE("linear_cross_entropy holds a chunk of the logits, not all of them") {
  const CrossEntropyCase c{4096, 4, 20'000, 4096, false};
  const Inputs in = inputs_of(c, DType::kF32);
  reset_peak_memory();
  const std::size_t before = memory_stats().live;
  backward(loss_of(c, in));
  CHECK(memory_stats().peak - before < std::size_t{80} << 20);  // all logits: 328 MB
}

TEST_CASE("huge logits give finite losses, and a NaN is not lost") {
  const Variable x(Tensor::full({1, 1}, 1, DType::kF32), true);
  const Variable weight(Tensor::from(std::vector<float>{1e30f, -1e30f, 1e4f}, {3, 1}), true);
  const Tensor rows = Tensor::from(std::vector<std::int32_t>{0}, {1});
  const Variable loss = linear_cross_entropy(x, weight, {}, rows, rows);
  CHECK(loss.value().item() == 0);
  backward(loss);
  for (const float g : weight.grad().span<float>()) CHECK(g == 0);

  const Variable bad(Tensor::from(std::vector<float>{1, std::numeric_limits<float>::quiet_NaN(), 2}, {3, 1}), true);
  const NoGrad no_grad;
  CHECK(std::isnan(linear_cross_entropy(x, bad, {}, rows, rows).value().item()));
  const Variable infinite(Tensor::from(std::vector<float>{1, std::numeric_limits<float>::infinity(), 2}, {3, 1}), true);
  CHECK_FALSE(std::isfinite(linear_cross_entropy(x, infinite, {}, rows, rows).value().item()));
}

TEST_CASE("no targets cost nothing") {
  const CrossEntropyCase c{4, 3, 5, 0};
  const Inputs in = inputs_of(c);
  const Variable loss = loss_of(c, in);
  CHECK(loss.value().item() == 0);
  backward(loss);
  for (const double g : in.x.grad().span<double>()) CHECK(g == 0);
}

TEST_CASE("target_log_probabilities is the logarithm of the softmax at each target") {
  for (const CrossEntropyCase& c : {kCrossEntropyCases[1], kCrossEntropyCases[2], kCrossEntropyCases[5]}) {
    const Inputs in = inputs_of(c);
    const Tensor bias = c.bias ? in.bias.value() : Tensor();
    const Tensor log_p = target_log_probabilities(in.x.value(), in.weight.value(), bias, rows_of(c), targets_of(c));
    REQUIRE(log_p.shape() == Shape{c.M});
    double sum = 0;
    for (const double v : log_p.span<double>()) {
      CHECK(v <= 0);
      sum += v;
    }
    CHECK(-sum == doctest::Approx(reference(c).loss).epsilon(1e-13));
  }
  const Tensor x = Tensor::full({2, 1}, 1, DType::kF64);
  const Tensor weight = Tensor::from(std::vector<double>{0, std::log(3.0)}, {2, 1});
  const Tensor rows = Tensor::from(std::vector<std::int32_t>{1, 0}, {2});
  Tensor predicted;
  const Tensor log_p = target_log_probabilities(x, weight, {}, rows, rows, &predicted);
  CHECK(log_p.data<double>()[0] == doctest::Approx(std::log(0.75)).epsilon(1e-14));
  CHECK(log_p.data<double>()[1] == doctest::Approx(std::log(0.25)).epsilon(1e-14));
  CHECK(predicted.data<std::int32_t>()[0] == 1);
  CHECK(predicted.data<std::int32_t>()[1] == 1);
}

TEST_CASE("the predicted entry is the first of the largest, in every chunk") {
  const Dim M = 3000, V = 17;  // several chunks
  const Tensor x = random_tensor({M, 1}, 3, DType::kF32);
  Tensor weight = Tensor::zeros({V, 1});
  weight.data<float>()[5] = weight.data<float>()[11] = 2;  // larger than the others where x is positive
  const Tensor rows = all_rows(M), targets = Tensor::zeros({M}, DType::kI32);
  Tensor predicted;
  target_log_probabilities(x, weight, {}, rows, targets, &predicted);
  for (Dim m = 0; m < M; ++m) CHECK(predicted.data<std::int32_t>()[m] == (x.data<float>()[m] > 0 ? 5 : 0));
}

TEST_CASE("linear_cross_entropy names invalid arguments") {
  const Inputs in = inputs_of(kCrossEntropyCases[1]);  // x [5, 3], V 7
  const auto ids = [](std::vector<std::int32_t> v) { return Tensor::from(v, {static_cast<Dim>(v.size())}); };
  CHECK_THROWS_WITH_AS(linear_cross_entropy(in.x, in.weight, in.bias, ids({0, 4}), ids({6, 7})),
                       "linear_cross_entropy: the target of row 4 must be in [0, 7), got 7", std::invalid_argument);
  CHECK_THROWS_WITH_AS(linear_cross_entropy(in.x, in.weight, in.bias, ids({2}), ids({-1})),
                       "linear_cross_entropy: the target of row 2 must be in [0, 7), got -1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(linear_cross_entropy(in.x, in.weight, in.bias, ids({0, 5}), ids({0, 0})),
                       "linear_cross_entropy: target_rows[1] must be in [0, 5), got 5", std::invalid_argument);
  CHECK_THROWS_WITH_AS(linear_cross_entropy(in.x, in.weight, in.bias, ids({0, 1}), ids({0})),
                       "linear_cross_entropy: target_rows and targets must both be [M], got [2] and [1]", ShapeError);
  CHECK_THROWS_WITH_AS(linear_cross_entropy(in.x, random_variable({7, 4}, 1), in.bias, ids({0}), ids({0})),
                       "linear_cross_entropy: weight must be [V, 3] for x [5, 3], got [7, 4]", ShapeError);
  CHECK_THROWS_WITH_AS(linear_cross_entropy(in.x, in.weight, random_variable({3}, 1), ids({0}), ids({0})),
                       "linear_cross_entropy: bias must be [7], got [3]", ShapeError);
  CHECK_THROWS_WITH_AS(linear_cross_entropy(in.x, in.weight, in.bias, ids({0}), ids({0}), {.label_smoothing = 1.5}),
                       "linear_cross_entropy: label smoothing must be in [0, 1], got 1.500000", std::invalid_argument);
}

TEST_CASE("with operands in bf16, the loss and its gradients differ from f32 by what bf16 rounds") {
  for (const CrossEntropyCase& c : {CrossEntropyCase{70, 40, 300, 70}, CrossEntropyCase{50, 24, 90, 20}}) {
    const auto gradients = [&] {
      const Inputs in = inputs_of(c, DType::kF32);
      const Variable loss = loss_of(c, in);
      const Tensor value = loss.value();
      backward(loss, 0.5);
      return std::vector<Tensor>{value, in.x.grad(), in.weight.grad(), in.bias.grad()};
    };
    const std::vector<Tensor> wide = gradients();
    const testing::WithPrecision bf16(Precision::kBf16);
    const std::vector<Tensor> narrow = gradients();
    for (std::size_t i = 0; i < wide.size(); ++i) {
      CAPTURE(i);
      CHECK(testing::relative_error(narrow[i], wide[i]) < 1e-2);
      CHECK(testing::relative_error(narrow[i], wide[i]) > 0);
    }
  }
}
