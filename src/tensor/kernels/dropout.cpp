#include "tensor/kernels/dropout.h"

#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/dropout.cpp"
#include "tensor/simd.h"
// After simd.h.
#include "tensor/kernels/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

// Rows [begin, end).
template <typename T>
void dropout(T* y, const T* x, const T* residual, Dim begin, Dim end, Dim C, const kernels::DropoutRule& rule) {
  constexpr Dim kColumns = 1024;
  HWY_ALIGN std::uint16_t bits[kColumns + kPhiloxSlack];
  const Tag<T> d;
  const auto scale = Set(d, static_cast<Compute<T>>(rule.scale));
  for (Dim n = begin; n < end; ++n) {
    const auto row = static_cast<std::uint64_t>(rule.key.first_row + n);
    for (Dim c = 0; c < C; c += kColumns) {
      const Dim width = C - c < kColumns ? C - c : kColumns;
      philox_bits16(bits, (width + 7) / 8, static_cast<std::uint32_t>(c / 8), row, 0, rule.key.key);
      const T* const from = x + n * C + c;
      const T* const beside = residual == nullptr ? nullptr : residual + n * C + c;
      T* const to = y + n * C + c;
      for_each_vector(d, width, [&](auto part) HWY_ATTR {
        const auto kept = keep_mask(d, bits + part.at, rule.threshold);
        auto v = IfThenElseZero(kept, Mul(part.load(from), scale));
        if (beside != nullptr) v = Add(part.load(beside), v);
        part.store(v, to);
      });
    }
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(dropout);

namespace kernels {

template <typename T>
void dropout(T* y, const T* x, const T* residual, Dim N, Dim C, const DropoutRule& rule) {
  count_elements<T>((residual == nullptr ? 2 : 3) * N * C);
  parallel_blocks(N, rows_per_block(C), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, dropout)(y, x, residual, begin, end, C, rule);
  });
}
RAPT_INSTANTIATE(dropout);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
