#include "autograd/variable.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "autograd/finished_gradients.h"
#include "autograd/gradcheck.h"
#include "support/random_tensor.h"

using namespace rapt;
using rapt::testing::random_variable;

namespace {

Variable scaled(const Variable& x, double factor) {
  Tensor y = x.value().clone();
  for (double& v : y.span<double>()) v *= factor;
  return record("scaled", y, {x}, [factor](const Tensor& dy, Grads d) {
    double* const dx = d.data<double>(0);
    for (Dim i = 0; i < dy.size(); ++i) dx[i] += factor * dy.data<double>()[i];
  });
}

Variable sum_of(const Variable& a, const Variable& b) {
  Tensor y = a.value().clone();
  for (Dim i = 0; i < y.size(); ++i) y.data<double>()[i] += b.value().data<double>()[i];
  return record("sum_of", y, {a, b}, [](const Tensor& dy, Grads d) {
    d.give(0, dy);
    d.give(1, dy);
  });
}

Variable total(const Variable& x) {
  double sum = 0;
  for (const double v : x.value().span<double>()) sum += v;
  return record("total", Tensor::full({}, sum, DType::kF64), {x}, [](const Tensor& dy, Grads d) {
    for (double& v : d.sum(0).span<double>()) v += dy.item();
  });
}

}  // namespace

TEST_CASE("the tape keeps only values that the backward pass uses") {
  const Variable a(Tensor::full({4}, 2.0, DType::kF64), true);
  Tensor middle;
  Variable loss;
  {
    const Variable b = scaled(a, 3);
    middle = b.value();
    loss = total(scaled(b, 2));
  }
  CHECK(middle.sharers() == 1);  // the closure of scaled() keeps only its factor
  backward(loss);
  CHECK(a.grad().data<double>()[0] == 6.0);
}

TEST_CASE("the gradient of 3x + x is 4") {
  const Variable x = random_variable({5}, 1);
  backward(total(sum_of(scaled(x, 3), x)));
  for (const double g : x.grad().span<double>()) CHECK(g == 4.0);
  CHECK(tape_size() == 0);
}

TEST_CASE("a gradient given to two inputs is not shared once one of them is added to") {
  const Variable x = random_variable({3}, 1), y = random_variable({3}, 2);
  const Variable s = sum_of(x, y);
  backward(total(sum_of(s, scaled(x, 2))));
  for (const double g : x.grad().span<double>()) CHECK(g == 3.0);
  for (const double g : y.grad().span<double>()) CHECK(g == 1.0);
}

TEST_CASE("gradients of two backward passes add up") {
  const Variable x = random_variable({4}, 1);
  backward(total(scaled(x, 2)));
  backward(total(scaled(x, 5)), 0.5);
  for (const double g : x.grad().span<double>()) CHECK(g == 4.5);
}

TEST_CASE("a chain of 100,000 ops neither overflows the stack nor keeps memory") {
  const std::size_t before = memory_stats().live;
  {
    const Variable x = random_variable({2}, 1);
    Variable y = x;
    for (int i = 0; i < 100000; ++i) y = scaled(y, i % 2 == 0 ? 2.0 : 0.5);
    CHECK(tape_size() == 100000);
    backward(total(y));
    CHECK(x.grad().data<double>()[0] == 1.0);
  }
  {
    Variable y = random_variable({2}, 1);
    for (int i = 0; i < 100000; ++i) y = scaled(y, 1.0);
    clear_tape();
  }
  CHECK(memory_stats().live == before);
}

TEST_CASE("nothing is recorded under NoGrad or from constants") {
  const Variable x = random_variable({2}, 1);
  {
    const NoGrad no_grad;
    CHECK_FALSE(scaled(x, 2).requires_grad());
  }
  CHECK_FALSE(scaled(Variable(x.value()), 2).requires_grad());
  CHECK(tape_size() == 0);
  CHECK_THROWS_WITH(backward(total(Variable(x.value()))),
                    "backward: the loss must depend on a variable that requires a gradient");
  CHECK_THROWS_WITH_AS(backward(scaled(x, 2)), "backward: the loss must be one element, got [2]", ShapeError);
  clear_tape();
}

TEST_CASE("recompute gives the same gradients, also of parameters inside") {
  const Variable x = random_variable({3}, 1), w = random_variable({3}, 2);
  const auto block = [&](const Variable& v) { return sum_of(scaled(v, 3), scaled(w, 2)); };
  backward(total(recompute(block, scaled(x, 2))));
  for (const double g : x.grad().span<double>()) CHECK(g == 6.0);
  for (const double g : w.grad().span<double>()) CHECK(g == 2.0);
}

TEST_CASE("parameters bound to a flat buffer have the values in it") {
  Tensor values = Tensor::full({7}, 2, DType::kF64);
  Variable a = random_variable({3}, 1), b = random_variable({4}, 2);
  a.rebind(values.view(0, {3}));
  b.rebind(values.view(3, {4}));
  values.fill(5);
  CHECK(total(a).value().item() == 15);
  CHECK(total(b).value().item() == 20);
  CHECK_THROWS_WITH_AS(b.rebind(values.view(0, {3})), "variable: [4] cannot be rebound to [3]", ShapeError);
}

namespace {

// Records the calls: "scaled 1>1" for an op with one input and one output, "scaled<" for its backward function.
class Listener final : public OpObserver {
 public:
  void forward_done(const char* op, std::span<const Variable> inputs, std::span<const Tensor> outputs) override {
    heard += std::string(op) + " " + std::to_string(inputs.size()) + ">" + std::to_string(outputs.size()) + " ";
  }
  void backward_done(const char* op, std::span<const std::shared_ptr<Gradient>> inputs) override {
    heard += std::string(op) + "<";
    for (const std::shared_ptr<Gradient>& input : inputs) heard += input->sum.defined() ? "d" : "-";
    heard += " ";
  }
  std::string heard;
};

}  // namespace

TEST_CASE("an observer is called after each op, forward and backward") {
  const Variable x = random_variable({3}, 1), fixed(x.value());
  Listener outer, inner;
  {
    const Observed observed(&outer);
    const Variable y = scaled(x, 2);
    {
      const Observed other(&inner);
      const NoGrad no_grad;
      scaled(x, 3);
    }
    backward(total(sum_of(y, fixed)));
  }
  scaled(fixed, 2);
  CHECK(outer.heard == "scaled 1>1 sum_of 2>1 total 1>1 total<d sum_of<d- scaled<d ");
  CHECK(inner.heard == "scaled 1>1 ");
}

TEST_CASE("an observer is called for a recomputed block each time it runs") {
  const Variable x = random_variable({3}, 1);
  Listener listener;
  const Observed observed(&listener);
  backward(total(recompute([](const Variable& v) { return scaled(v, 3); }, x)));
  CHECK(listener.heard == "scaled 1>1 recompute 1>1 total 1>1 total<d scaled 1>1 scaled<d recompute<d ");
}

TEST_CASE("a backward pass reports each gradient once, after the last op that adds to it") {
  const Variable x = random_variable({3}, 1), w = random_variable({3}, 2), unreached = random_variable({3}, 3);
  const Variable early = scaled(x, 2);                       // the last op of the pass
  const Variable late = total(sum_of(sum_of(early, w), x));  // x once more, and first
  total(scaled(unreached, 2));                               // on the tape, but the loss does not depend on it
  std::vector<std::pair<const Gradient*, double>> reported;
  backward_with(late, [&](const Gradient& gradient) {
    if (&gradient == x.gradient().get() || &gradient == w.gradient().get() || &gradient == unreached.gradient().get()) {
      reported.emplace_back(&gradient, gradient.sum.defined() ? gradient.sum.data<double>()[0] : 0);
    }
  });
  REQUIRE(reported.size() == 3);
  CHECK(reported[0] == std::pair<const Gradient*, double>{unreached.gradient().get(), 0});
  CHECK(reported[1] == std::pair<const Gradient*, double>{w.gradient().get(), 1});
  CHECK(reported[2] == std::pair<const Gradient*, double>{x.gradient().get(), 3});
  CHECK(tape_size() == 0);
}

TEST_CASE("gradcheck passes a right gradient and names the element of a wrong one") {
  const auto wrong = [](const std::vector<Variable>& in) {
    Tensor y = in[0].value().clone();
    for (double& v : y.span<double>()) v *= 3;
    return record("wrong", y, {in[0]}, [](const Tensor& dy, Grads d) {
      for (Dim i = 0; i < dy.size(); ++i) d.data<double>(0)[i] += (i == 1 ? 3.001 : 3) * dy.data<double>()[i];
    });
  };
  CHECK(gradcheck([](const std::vector<Variable>& in) { return scaled(in[0], 3); }, {random_variable({3, 1}, 1)}));
  const GradcheckResult result = gradcheck(wrong, {random_variable({3, 1}, 1)});
  CHECK_FALSE(result);
  CHECK(result.message.find("input 0 [3, 1] element 1") != std::string::npos);
  const auto none = [](const std::vector<Variable>& in) {
    return record("none", in[0].value().clone(), {in[0]}, [](const Tensor&, Grads) {});
  };
  CHECK_FALSE(gradcheck(none, {random_variable({3, 1}, 1)}));
}
