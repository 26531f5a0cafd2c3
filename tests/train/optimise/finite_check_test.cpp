#include "train/optimise/finite_check.h"

#include <doctest/doctest.h>

#include <limits>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/sum.h"

using namespace rapt;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

// Two parameters of two elements.
class Pair final : public Module {
 public:
  void visit(ParameterVisitor& v) override {
    v.parameter("first", first);
    v.parameter("second", second);
  }
  Variable first{Tensor::full({2}, 2), true}, second{Tensor::full({2}, 3), true};
};

// y = x with a backward function that gives `slope` for the gradient of x.
Variable sloped(const Variable& x, float slope) {
  return record("sloped", x.value().clone(), {x}, [slope](const Tensor&, Grads d) { d.slot(0).tensor.fill(slope); });
}

std::string found_in(const std::function<Variable(const Pair&)>& loss) {
  Pair pair;
  const FlatParameters parameters(pair);
  FiniteCheck check(parameters);
  const Observed observed(&check);
  backward(loss(pair));
  return check.found();
}

}  // namespace

TEST_CASE("an update whose numbers are finite reports nothing") {
  CHECK(found_in([](const Pair& p) { return sum(p.first * p.second); }).empty());
}

TEST_CASE("the op that first made a number that is not finite is named, with its parameter or the last one before it") {
  CHECK(found_in([](const Pair& p) { return sum(scale(p.first * p.second, 1e39)); }) ==
        "inf in the output [2] of scale (after first), with finite inputs");
  CHECK(found_in([](const Pair& p) { return sum(scale(p.second, -1e39) * p.first); }) ==
        "-inf in the output [2] of scale (second), with finite inputs");
  CHECK(found_in([](const Pair& p) {
          const Variable large = scale(p.second, 1e38);
          return sum(scale(large * large, 0));
        }) == "inf in the output [2] of mul (after second), with finite inputs");
}

TEST_CASE("a number that was not finite before the first op is not attributed to that op") {
  const Variable given(Tensor::full({2}, kNan));
  CHECK(found_in([&](const Pair& p) { return sum(p.first * given); }) == "nan in input 2 [2] of mul (first)");
}

TEST_CASE("the op whose gradient is not finite first is named, with what it is the gradient of") {
  CHECK(found_in([](const Pair& p) { return sum(sloped(p.first, kNan)); }) ==
        "nan in the gradient of first, computed by sloped (first)");
  CHECK(found_in([](const Pair& p) { return sum(sloped(scale(p.first, 2), kInf) * p.second); }) ==
        "inf in the gradient of input [2], computed by sloped (before second)");
  CHECK(found_in([](const Pair& p) { return sum(sloped(scale(p.first, 2), 1) * scale(p.second, 1e20)); }).empty());
}

TEST_CASE("ops in a recomputed block are checked, too") {
  CHECK(found_in([](const Pair& p) {
          return sum(recompute([&](const Variable& x) { return sloped(x * p.second, kNan); }, p.first));
        }) == "nan in the gradient of input [2], computed by sloped");
}

TEST_CASE("a weight that is not finite is named") {
  Pair pair;
  const FlatParameters parameters(pair);
  CHECK(first_bad_weight(parameters).empty());
  pair.second.value().data<float>()[1] = -kInf;
  CHECK(first_bad_weight(parameters) == "-inf in second");
}
