// Checks for every op: the same bits on any number of threads, f32 against f64, bf16 against f32, and an op's output
// with its gradients in one call.
#pragma once

#include "autograd/gradcheck.h"
#include "autograd/variable.h"
#include "support/random_tensor.h"
#include "support/thread_counts.h"
#include "support/with_precision.h"

namespace rapt::testing {

/// Leaves with these values, all of which require a gradient.
inline std::vector<Variable> leaves(const std::vector<Tensor>& tensors) {
  std::vector<Variable> all;
  for (const Tensor& t : tensors) all.emplace_back(t, true);
  return all;
}

/// The value of f(inputs), then the gradient of every input for the given gradient of the value.
inline std::vector<Tensor> value_and_gradients(const Differentiable& f, const std::vector<Tensor>& inputs,
                                               std::uint64_t seed = 7) {
  std::vector<Variable> leaves;
  for (const Tensor& input : inputs) leaves.emplace_back(input.clone(), true);
  const Variable y = f(leaves);
  const Tensor dy = random_tensor(y.shape(), seed, y.dtype());
  const Variable loss = record("weighted", Tensor::full({}, 0, y.dtype()), {y}, [dy](const Tensor&, Grads d) {
    d.give(0, dy.clone());  // a copy, because ops may overwrite a gradient that only they hold
  });
  backward(loss);
  std::vector<Tensor> result = {y.value()};
  for (const Variable& leaf : leaves) result.push_back(leaf.grad());
  return result;
}

/// Whether f gives the same bits, forward and backward, on one thread and on two.
inline bool same_on_two_threads(const Differentiable& f, const std::vector<Tensor>& inputs) {
  return same_bits(on_threads(1, [&] { return value_and_gradients(f, inputs); }),
                   on_threads(2, [&] { return value_and_gradients(f, inputs); }));
}

/// The largest difference of f's results, forward and backward, between f32 and f64, from f32 inputs.
inline double f32_difference(const Differentiable& f, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> wide;
  for (const Tensor& input : inputs) wide.push_back(input.to(DType::kF64));
  const std::vector<Tensor> a = value_and_gradients(f, inputs), b = value_and_gradients(f, wide);
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, max_difference(a[i], b[i]));
  return worst;
}

/// How much operands in bf16 change each of f's results, forward and backward, by relative_error(). \param inputs  f32
inline std::vector<double> bf16_errors(const Differentiable& f, const std::vector<Tensor>& inputs) {
  const std::vector<Tensor> wide = value_and_gradients(f, inputs);
  const WithPrecision bf16(Precision::kBf16);
  const std::vector<Tensor> narrow = value_and_gradients(f, inputs);
  std::vector<double> errors;
  for (std::size_t i = 0; i < wide.size(); ++i) errors.push_back(relative_error(narrow[i], wide[i]));
  return errors;
}

}  // namespace rapt::testing
