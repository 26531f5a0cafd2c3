#include "autograd/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "tensor/random.h"

namespace rapt {
namespace {

Tensor random_weights(const Shape& shape, std::uint64_t seed) {
  Tensor w = Tensor::empty(shape, DType::kF64);
  Rng rng(random_key(seed, Purpose::kInitialisation));
  for (double& x : w.span<double>()) x = rng.uniform() < 0.5 ? -1 - rng.uniform() : 1 + rng.uniform();
  return w;
}

double dot(const Tensor& a, const Tensor& b) {
  const auto x = a.span<double>(), y = b.span<double>();
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

// sum(w * y) as an op, so that the check does not use an op that it checks.
Variable weighted_sum(const Variable& y, const Tensor& w) {
  return record("weighted_sum", Tensor::full({}, dot(y.value(), w), DType::kF64), {y}, [w](const Tensor& dy, Grads d) {
    double* const dx = d.data<double>(0);
    const auto weight = w.span<double>();
    for (std::size_t i = 0; i < weight.size(); ++i) dx[i] += dy.item() * weight[i];
  });
}

double value_of(const Differentiable& f, const std::vector<Variable>& inputs, const Tensor& w) {
  const NoGrad no_grad;
  return dot(f(inputs).value(), w);
}

// Gradients of all inputs; zeros for inputs that no gradient reached.
std::vector<Tensor> gradients(const Differentiable& f, std::vector<Variable>& inputs, const Tensor& w) {
  for (Variable& x : inputs) x.clear_grad();
  backward(weighted_sum(f(inputs), w));
  std::vector<Tensor> result;
  for (Variable& x : inputs) {
    result.push_back(x.grad().defined() ? x.grad().clone() : Tensor::zeros(x.shape(), DType::kF64));
  }
  return result;
}

GradcheckResult failure(const std::string& message) { return {false, INFINITY, message}; }

bool same_bits(const Tensor& a, const Tensor& b) { return std::memcmp(a.raw(), b.raw(), a.bytes()) == 0; }

}  // namespace

GradcheckResult gradcheck(const Differentiable& f, std::vector<Variable> inputs, const GradcheckOptions& options) {
  Shape shape;
  {
    const NoGrad no_grad;
    const Variable y = f(inputs);
    if (y.dtype() != DType::kF64) return failure("gradcheck: the function must give f64");
    shape = y.shape();
  }
  const Tensor w = random_weights(shape, options.seed);
  const std::vector<Tensor> analytic = gradients(f, inputs, w);

  backward(weighted_sum(f(inputs), w));  // adds to the gradients of the first pass
  for (std::size_t n = 0; n < inputs.size(); ++n) {
    if (!inputs[n].requires_grad() || !inputs[n].grad().defined()) continue;
    const std::span<const double> once = analytic[n].span<double>();
    const std::span<double> twice = inputs[n].grad().span<double>();
    for (std::size_t i = 0; i < once.size(); ++i) {
      if (std::abs(twice[i] - 2 * once[i]) > 1e-10 * std::max(1.0, std::abs(once[i]))) {
        return failure("gradcheck: input " + std::to_string(n) + " does not accumulate its gradient");
      }
    }
  }
  const std::vector<Tensor> again = gradients(f, inputs, w);
  for (std::size_t n = 0; n < inputs.size(); ++n) {
    if (!same_bits(again[n], analytic[n])) return failure("gradcheck: two backward passes differ in their bits");
  }

  GradcheckResult result;
  for (std::size_t n = 0; n < inputs.size(); ++n) {
    if (!inputs[n].requires_grad()) continue;
    const std::span<double> x = inputs[n].value().span<double>();
    const std::span<const double> grad = analytic[n].span<double>();
    const double largest =
        grad.empty() ? 0 : std::abs(*std::ranges::max_element(grad, {}, [](double g) { return std::abs(g); }));
    const auto size = static_cast<Dim>(x.size());
    const Dim stride = std::max<Dim>(1, size / options.full_up_to);
    for (Dim index = 0; index < size; index += stride) {
      const auto i = static_cast<std::size_t>(index);
      const double before = x[i], h = options.step * std::max(1.0, std::abs(before));
      x[i] = before + h;
      const double up = value_of(f, inputs, w);
      x[i] = before - h;
      const double down = value_of(f, inputs, w);
      x[i] = before;
      const double numeric = (up - down) / (2 * h);
      const double error = std::abs(numeric - grad[i]);
      const double noise = options.absolute + 1e-15 * (std::abs(up) + std::abs(down)) / h;
      result.worst = std::max(result.worst, error / std::max(largest, 1e-300));
      if (result.passed && !(error <= options.tolerance * largest + noise)) {
        std::ostringstream message;
        message << "gradcheck: input " << n << " " << inputs[n].shape().to_string() << " element " << i
                << ": backward gives " << grad[i] << ", central difference " << numeric;
        result.passed = false;
        result.message = message.str();
      }
    }
  }
  return result;
}

}  // namespace rapt
