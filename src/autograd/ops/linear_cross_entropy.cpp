#include "autograd/ops/linear_cross_entropy.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "autograd/ops/operands.h"
#include "tensor/kernels/column_sums.h"
#include "tensor/kernels/cross_entropy.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/linear.h"
#include "tensor/kernels/narrow.h"
#include "tensor/parallel.h"

namespace rapt {
namespace {

constexpr Dim kChunkElements = Dim{1} << 24;      // maximum number of logits that exist at once
constexpr Dim kLeastRows = 64, kMostRows = 1024;  // rows of a chunk: fewer waste the product, more gain nothing

// The definition of the loss.
struct Problem {
  Tensor x, weight, bias, target_rows, targets;  // weight: an operand, perhaps in bf16
  CrossEntropyOptions options;

  Dim M() const { return targets.size(); }
  Dim C() const { return weight.shape()[1]; }
  Dim V() const { return weight.shape()[0]; }
  // Whether rows [begin, end) of the list are consecutive in x, so that they need not be copied together.
  bool contiguous(Dim begin, Dim end) const {
    const std::int32_t* const rows = target_rows.data<std::int32_t>();
    for (Dim m = begin + 1; m < end; ++m) {
      if (rows[m] != rows[m - 1] + 1) return false;
    }
    return true;
  }
  bool takes_all_rows() const {
    return M() == x.shape()[0] && M() > 0 && target_rows.data<std::int32_t>()[0] == 0 && contiguous(0, M());
  }
};

// Where the gradients of the loss are written, times `factor`; null for those that are not needed.
template <typename T>
struct Sinks {
  T* dx = nullptr;  // [M, C], assigned
  T* dweight = nullptr;
  T* dbias = nullptr;
  Write weight_write = Write::kAdd, bias_write = Write::kAdd;
  double factor = 1;
  std::int32_t* predicted = nullptr;  // [M]: most probable entry of each row; only without gradients
  bool any() const { return dx != nullptr || dweight != nullptr || dbias != nullptr; }
};

Dim chunk_rows(Dim M, Dim V) {
  const Dim most = std::clamp(kChunkElements / std::max<Dim>(1, V), kLeastRows, kMostRows);
  const Dim chunks = std::max<Dim>(1, (M + most - 1) / most);
  return (M + chunks - 1) / chunks;  // of equal size, because a short last one would be slow
}

void check(const std::string& op, const Problem& p) {
  require_shape(p.x.shape().rank() == 2, [&] { return op + ": x must be [N, C], got " + p.x.shape().to_string(); });
  const Dim N = p.x.shape()[0], C = p.x.shape()[1];
  require_shape(p.weight.shape().rank() == 2 && p.weight.shape()[1] == C, [&] {
    return op + ": weight must be [V, " + std::to_string(C) + "] for x " + p.x.shape().to_string() + ", got " +
           p.weight.shape().to_string();
  });
  const Dim V = p.weight.shape()[0];
  require_shape(!p.bias.defined() || p.bias.shape() == Shape{V},
                [&] { return op + ": bias must be [" + std::to_string(V) + "], got " + p.bias.shape().to_string(); });
  require_shape(p.target_rows.shape().rank() == 1 && p.target_rows.shape() == p.targets.shape(), [&] {
    return op + ": target_rows and targets must both be [M], got " + p.target_rows.shape().to_string() + " and " +
           p.targets.shape().to_string();
  });
  const std::int32_t *rows = p.target_rows.data<std::int32_t>(), *targets = p.targets.data<std::int32_t>();
  for (Dim m = 0; m < p.M(); ++m) {
    if (rows[m] < 0 || rows[m] >= N) {
      throw std::invalid_argument(op + ": target_rows[" + std::to_string(m) + "] must be in [0, " + std::to_string(N) +
                                  "), got " + std::to_string(rows[m]));
    }
    if (targets[m] < 0 || targets[m] >= V) {
      throw std::invalid_argument(op + ": the target of row " + std::to_string(rows[m]) + " must be in [0, " +
                                  std::to_string(V) + "), got " + std::to_string(targets[m]));
    }
  }
}

// The column of the largest entry of each row, the first one of equals.
template <typename T>
void find_largest(std::int32_t* columns, const T* z, Dim M, Dim V) {
  parallel_blocks(M, rows_per_block(V), [&](Dim begin, Dim end) {
    for (Dim m = begin; m < end; ++m) {
      const T* const row = z + m * V;
      columns[m] = static_cast<std::int32_t>(std::max_element(row, row + V) - row);
    }
  });
}

// Inputs as an operand: themselves, or a copy of the first `count` elements in `narrow`.
template <typename T, typename Operand>
const Operand* as_operand(const T* inputs, Dim count, Tensor& narrow) {
  if constexpr (std::is_same_v<T, Operand>) {
    return inputs;
  } else {
    if (!narrow.defined() || narrow.size() < count) narrow = Tensor::empty({count}, dtype_of<Operand>);
    kernels::narrow(narrow.data<Operand>(), inputs, count);
    return narrow.data<Operand>();
  }
}

// losses[m] for all m, and the gradients that `sinks` requests.
template <typename T, typename Operand>
void run_chunks(const Problem& p, double* losses, const Sinks<T>& sinks) {
  const Dim M = p.M(), C = p.C(), V = p.V();
  if (M == 0) return;
  const Dim chunk = chunk_rows(M, V);
  const std::int32_t* const rows = p.target_rows.data<std::int32_t>();
  const T* const x = p.x.data<T>();
  const Operand* const weight = p.weight.data<Operand>();
  const T* const bias = p.bias.defined() ? p.bias.data<T>() : nullptr;
  Tensor logits = Tensor::empty({chunk, V}, dtype_of<T>), gathered, narrow_inputs;
  T* const z = logits.data<T>();
  const kernels::CrossEntropyRule rule{p.options.label_smoothing, p.options.scale * sinks.factor};

  for (Dim begin = 0; begin < M; begin += chunk) {
    const Dim end = std::min(M, begin + chunk), count = end - begin;
    const T* taken = x + rows[begin] * C;
    if (!p.contiguous(begin, end)) {
      if (!gathered.defined()) gathered = Tensor::empty({chunk, C}, dtype_of<T>);
      T* const copies = gathered.data<T>();
      parallel_blocks(count, rows_per_block(C), [&](Dim r0, Dim r1) {
        for (Dim r = r0; r < r1; ++r) std::copy_n(x + rows[begin + r] * C, C, copies + r * C);
      });
      taken = copies;
    }
    const Operand* const inputs = as_operand<T, Operand>(taken, count * C, narrow_inputs);
    kernels::linear_forward<T, Operand>(z, nullptr, inputs, weight, bias, count, C, V, Activation::kNone);
    const std::int32_t* const targets = p.targets.data<std::int32_t>() + begin;
    if (!sinks.any()) {
      kernels::cross_entropy_forward<T>(losses + begin, z, targets, count, V, rule);
      if (sinks.predicted != nullptr) find_largest<T>(sinks.predicted + begin, z, count, V);
      continue;
    }
    const Matrix<const Operand> gradients =
        kernels::cross_entropy_forward_backward<Operand>(losses + begin, z, targets, count, V, rule);
    const auto write = [&](Write first) { return begin == 0 ? first : Write::kAdd; };
    if (sinks.dbias != nullptr) kernels::column_sums<Operand>(sinks.dbias, write(sinks.bias_write), gradients);
    if (sinks.dx != nullptr) {
      kernels::linear_input_backward<T, Operand>(sinks.dx + begin * C, Write::kAssign, gradients, weight, C);
    }
    if (sinks.dweight != nullptr) {
      kernels::linear_weight_backward<T, Operand>(sinks.dweight, write(sinks.weight_write), gradients, inputs, C);
    }
  }
}

template <typename T>
void run(const Problem& p, double* losses, const Sinks<T>& sinks) {
  dispatch_operand(p.weight, [&]<typename Sum, typename Operand>() {
    if constexpr (std::is_same_v<Sum, T>) run_chunks<T, Operand>(p, losses, sinks);
  });
}

// Adds `factor` times the gradients of weight and bias to their variables. `d` of {x, weight, bias}.
template <typename T>
void add_parameter_sinks(Sinks<T>& sinks, const Problem& p, Grads& d, double factor) {
  sinks.factor = factor;
  if (p.M() == 0) return;
  if (d.wants(1)) {
    Grads::Slot slot = d.slot(1);
    sinks.dweight = slot.tensor.data<T>();
    sinks.weight_write = slot.write;
  }
  if (d.wants(2)) {
    Grads::Slot slot = d.slot(2);
    sinks.dbias = slot.tensor.data<T>();
    sinks.bias_write = slot.write;
  }
}

// dx += factor * kept: row m of `kept` [M, C] is added to row target_rows[m]. Each thread has its own columns, so a row
// that is predicted twice gets both parts, in order.
template <typename T>
void scatter_rows(T* dx, const T* kept, const Problem& p, double factor) {
  const std::int32_t* const rows = p.target_rows.data<std::int32_t>();
  const Dim M = p.M(), C = p.C();
  parallel_blocks(C, 64, [&](Dim c0, Dim c1) {
    for (Dim m = 0; m < M; ++m) {
      for (Dim c = c0; c < c1; ++c) dx[rows[m] * C + c] += static_cast<T>(factor) * kept[m * C + c];
    }
  });
}

void give_input(Grads& d, const Problem& p, const Tensor& kept, double dy) {
  if (!d.wants(0)) return;
  dispatch_float(kept.dtype(), [&]<typename T>() {
    if (!p.takes_all_rows()) {
      scatter_rows<T>(d.data<T>(0), kept.data<T>(), p, dy);
    } else if (dy == 1) {
      d.give(0, kept);
    } else {
      Grads::Slot dx = d.slot(0);
      kernels::scale<T>(dx.tensor.data<T>(), kept.data<T>(), dy, kept.size(), dx.write);
    }
  });
}

}  // namespace

Variable linear_cross_entropy(const Variable& x, const Variable& weight, const Variable& bias,
                              const Tensor& target_rows, const Tensor& targets, const CrossEntropyOptions& options) {
  const Problem p{
      x.value(), weight_operand(weight.value()), bias.defined() ? bias.value() : Tensor(), target_rows, targets,
      options};
  check("linear_cross_entropy", p);
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    throw std::invalid_argument("linear_cross_entropy: label smoothing must be in [0, 1], got " +
                                std::to_string(options.label_smoothing));
  }
  std::vector<double> losses(static_cast<std::size_t>(p.M()));
  Tensor kept;  // the gradient of x's predicted rows
  dispatch_float(p.x.dtype(), [&]<typename T>() {
    Sinks<T> sinks;
    if (is_recording({&x, &weight, &bias})) {
      if (x.requires_grad()) {
        kept = Tensor::empty({p.M(), p.C()}, p.x.dtype());
        sinks.dx = kept.data<T>();
      }
      const auto gradients = gradients_of({x, weight, bias});
      Grads d(gradients);
      add_parameter_sinks(sinks, p, d, 1);
    }
    run<T>(p, losses.data(), sinks);
  });
  const double loss = std::accumulate(losses.begin(), losses.end(), 0.0);
  return record("linear_cross_entropy", Tensor::full({}, loss, p.x.dtype()), {x, weight, bias},
                [p, kept](const Tensor& dy, Grads d) {
                  const double factor = dy.item();
                  if (factor != 1 && (d.wants(1) || d.wants(2))) {
                    dispatch_float(p.x.dtype(), [&]<typename T>() {
                      Sinks<T> sinks;
                      add_parameter_sinks(sinks, p, d, factor - 1);
                      std::vector<double> again(static_cast<std::size_t>(p.M()));
                      run<T>(p, again.data(), sinks);
                    });
                  }
                  give_input(d, p, kept, factor);
                });
}

Tensor target_log_probabilities(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& target_rows,
                                const Tensor& targets, Tensor* predicted) {
  const Problem p{x, weight_operand(weight), bias, target_rows, targets, {}};
  check("target_log_probabilities", p);
  std::vector<double> losses(static_cast<std::size_t>(p.M()));
  Tensor result = Tensor::empty({p.M()}, x.dtype());
  if (predicted != nullptr) *predicted = Tensor::empty({p.M()}, DType::kI32);
  dispatch_float(x.dtype(), [&]<typename T>() {
    Sinks<T> sinks;
    if (predicted != nullptr) sinks.predicted = predicted->data<std::int32_t>();
    run<T>(p, losses.data(), sinks);
    std::ranges::transform(losses, result.span<T>().begin(), [](double loss) { return static_cast<T>(-loss); });
  });
  return result;
}

}  // namespace rapt
