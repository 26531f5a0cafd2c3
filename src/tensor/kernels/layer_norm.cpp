#include "tensor/kernels/layer_norm.h"

#include <algorithm>
#include <cmath>

#include "tensor/kernels/column_sums.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/layer_norm.cpp"
#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

template <typename T>
struct Moments {
  T mean;
  double variance;
};

template <typename T>
Moments<T> moments(const T* row, Dim C) {
  const Tag<T> d;
  auto sum = Zero(d);
  for_each_vector(d, C, [&](auto part) HWY_ATTR { sum = Add(sum, part.load(row)); });
  const double size = static_cast<double>(C);
  const T first = static_cast<T>(static_cast<double>(sum_of_lanes(d, sum)) / size);

  const auto first_mean = Set(d, first);
  auto left = Zero(d), squares = Zero(d);
  for_each_vector(d, C, [&](auto part) HWY_ATTR {
    const auto difference = Sub(part.load(row, first), first_mean);
    left = Add(left, difference);
    squares = MulAdd(difference, difference, squares);
  });
  const double shift = static_cast<double>(sum_of_lanes(d, left)) / size;
  const double variance = static_cast<double>(sum_of_lanes(d, squares)) / size - shift * shift;
  // Rounding may leave the variance of a constant row slightly below zero. A row with a NaN keeps it in its mean.
  return {static_cast<T>(static_cast<double>(first) + shift), variance > 0 ? variance : 0};
}

// Rows [begin, end).
template <typename T>
void layer_norm(T* y, const T* x, const kernels::LayerNormShape<T>& shape, double epsilon, Dim begin, Dim end) {
  const Tag<T> d;
  const Dim C = shape.C;
  const T *const gain = shape.gain, *const bias = shape.bias;
  for (Dim n = begin; n < end; ++n) {
    const T* const from = x + n * C;
    T* const to = y + n * C;
    const Moments<T> row = moments(from, C);
    const T recip = static_cast<T>(1 / sqrt(row.variance + epsilon));
    shape.mean[n] = row.mean;
    shape.deviation_recip[n] = recip;
    const auto mean = Set(d, row.mean), factor = Set(d, recip);
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      const auto z = Mul(Sub(part.load(from), mean), factor);
      const auto scaled = Mul(z, part.load(gain));
      part.store(bias == nullptr ? scaled : Add(scaled, part.load(bias)), to);
    });
  }
}

// Rows [begin, end); their dgain and dbias are written to sums[0, C) and sums[C, 2 C).
template <typename T>
void layer_norm_backward(T* dx, T* sums, const T* base, const T* dy, const T* x,
                         const kernels::LayerNormShape<T>& shape, Dim begin, Dim end) {
  const Tag<T> d;
  const Dim C = shape.C;
  const T* const gain = shape.gain;
  T *const dgain = sums, *const dbias = sums + C;
  for_each_vector(d, 2 * C, [&](auto part) HWY_ATTR { part.store(Zero(d), sums); });
  for (Dim n = begin; n < end; ++n) {
    const T *const dy_row = dy + n * C, *const x_row = x + n * C;
    const auto mean = Set(d, shape.mean[n]), factor = Set(d, shape.deviation_recip[n]);
    auto g_sum = Zero(d), gz_sum = Zero(d);
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      const auto z = Mul(Sub(part.load(x_row), mean), factor);
      const auto g = Mul(part.load(dy_row), part.load(gain));
      g_sum = Add(g_sum, g);
      gz_sum = MulAdd(g, z, gz_sum);
    });
    const T size = static_cast<T>(C);
    const auto g_mean = Set(d, sum_of_lanes(d, g_sum) / size), gz_mean = Set(d, sum_of_lanes(d, gz_sum) / size);
    const T* const base_row = base == nullptr ? nullptr : base + n * C;
    T* const dx_row = dx + n * C;
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      const auto dy_part = part.load(dy_row);
      const auto z = Mul(Sub(part.load(x_row), mean), factor);
      part.store(MulAdd(dy_part, z, part.load(dgain)), dgain);
      part.store(Add(dy_part, part.load(dbias)), dbias);
      const auto inner = NegMulAdd(z, gz_mean, Sub(Mul(dy_part, part.load(gain)), g_mean));
      part.store(base_row == nullptr ? Mul(inner, factor) : MulAdd(inner, factor, part.load(base_row)), dx_row);
    });
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(layer_norm);
RAPT_EXPORT(layer_norm_backward);

namespace kernels {

// The dropout rule for rows from `begin` on.
static DropoutRule from_row(DropoutRule rule, Dim begin) {
  rule.key.first_row += begin;
  return rule;
}

template <typename T>
void layer_norm_forward(T* y, const T* x, const LayerNormShape<T>& shape, double epsilon) {
  count_elements<T>(2 * shape.N * shape.C);
  parallel_blocks(shape.N, rows_per_block(shape.C), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, layer_norm)(y, x, shape, epsilon, begin, end);
  });
}
RAPT_INSTANTIATE(layer_norm_forward);

template <typename T>
void add_layer_norm_forward(T* y, T* sum, const T* x, const T* residual, const DropoutRule* rule,
                            const LayerNormShape<T>& shape, double epsilon) {
  count_elements<T>(4 * shape.N * shape.C);
  // A block's sums are still in the cache when they are normalised. The kernels inside run on this block's thread.
  parallel_blocks(shape.N, rows_per_block(shape.C), [&](Dim begin, Dim end) {
    const Dim at = begin * shape.C;
    if (rule == nullptr) {
      add(sum + at, residual + at, x + at, (end - begin) * shape.C);
    } else {
      dropout(sum + at, x + at, residual + at, end - begin, shape.C, from_row(*rule, begin));
    }
    RAPT_DISPATCH(T, layer_norm)(y, sum, shape, epsilon, begin, end);
  });
}
RAPT_INSTANTIATE(add_layer_norm_forward);

template <typename T>
void layer_norm_backward(T* dx, T* dgain, T* dbias, const T* base, const T* dy, const T* x,
                         const LayerNormShape<T>& shape, const DroppedGradient<T>* dropped) {
  count_elements<T>((base == nullptr ? 3 : 4) * shape.N * shape.C);
  if (dropped != nullptr) count_elements<T>(touches(dropped->write) * shape.N * shape.C);
  ColumnSums<T> sums(shape.N, shape.C, 2, rows_of_few_blocks(shape.N, shape.C));
  parallel_blocks(shape.N, sums.rows(), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, layer_norm_backward)(dx, sums.of_block(begin), base, dy, x, shape, begin, end);
    if (dropped == nullptr) return;
    T* const to = dropped->dx + begin * shape.C;
    dropout<T>(to, dx + begin * shape.C, dropped->write == Write::kAdd ? to : nullptr, end - begin, shape.C,
               from_row(dropped->rule, begin));
  });
  sums.add_to(dgain, Write::kAdd, 0);
  sums.add_to(dbias, Write::kAdd, 1);
}
RAPT_INSTANTIATE(layer_norm_backward);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
