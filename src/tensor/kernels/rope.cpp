#include "tensor/kernels/rope.h"

#include <cmath>
#include <vector>

#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/rope.cpp"
#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

// Row n, rotated by its angles times `direction` (1 or -1).
template <typename T>
void rope(T* y, Write write, const T* x, const kernels::Rotation<T>& rotation, T direction, Dim n) {
  const Tag<T> d;
  const Dim half = rotation.rotary_width / 2, D = rotation.head_width, row = rotation.indices ? rotation.indices[n] : n;
  const T *const cosines = rotation.cosines + row * half, *const sines = rotation.sines + row * half;
  const T* const from = x + n * rotation.width;
  T* const to = y + n * rotation.width;
  const auto sign = Set(d, direction);
  const auto copy = [&](Dim begin, Dim end) HWY_ATTR {
    for_each_vector(d, end - begin,
                    [&](auto part) HWY_ATTR { part.write(part.load(from + begin), to + begin, write); });
  };
  for (Dim c = 0; c < rotation.heads * D; c += D) {
    const T *const first = from + c, *const second = from + c + half;
    for_each_vector(d, half, [&](auto part) HWY_ATTR {
      const auto a = part.load(first), b = part.load(second);
      const auto cosine = part.load(cosines), sine = Mul(sign, part.load(sines));
      part.write(NegMulAdd(b, sine, Mul(a, cosine)), to + c, write);
      part.write(MulAdd(a, sine, Mul(b, cosine)), to + c + half, write);
    });
    copy(c + 2 * half, c + D);
  }
  copy(rotation.heads * D, rotation.width);
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(rope);

namespace kernels {

template <typename T>
void rope_angles(T* cosines, T* sines, const std::int32_t* positions, Dim rows, Dim rotary_width, double base) {
  const Dim half = rotary_width / 2;
  std::vector<double> frequencies(static_cast<std::size_t>(half));
  for (Dim i = 0; i < half; ++i) {
    const double power = -2.0 * static_cast<double>(i) / static_cast<double>(rotary_width);
    frequencies[static_cast<std::size_t>(i)] = std::pow(base, power);
  }
  parallel_blocks(rows, 16, [&](Dim begin, Dim end) {
    for (Dim row = begin; row < end; ++row) {
      const double position = static_cast<double>(positions == nullptr ? row : Dim{positions[row]});
      for (Dim i = 0; i < half; ++i) {
        const double angle = position * frequencies[static_cast<std::size_t>(i)];
        cosines[row * half + i] = static_cast<T>(std::cos(angle));
        sines[row * half + i] = static_cast<T>(std::sin(angle));
      }
    }
  });
}
RAPT_INSTANTIATE(rope_angles);

template <typename T>
static void turn(T* y, Write write, const T* x, const Rotation<T>& rotation, T direction) {
  count_elements<T>((1 + touches(write)) * rotation.N * rotation.width);
  parallel_blocks(rotation.N, rows_per_block(rotation.width), [&](Dim begin, Dim end) {
    for (Dim n = begin; n < end; ++n) RAPT_DISPATCH(T, rope)(y, write, x, rotation, direction, n);
  });
}

template <typename T>
void rope_forward(T* y, const T* x, const Rotation<T>& rotation) {
  turn(y, Write::kAssign, x, rotation, T{1});
}
RAPT_INSTANTIATE(rope_forward);

template <typename T>
void rope_backward(T* dx, Write write, const T* dy, const Rotation<T>& rotation) {
  turn(dx, write, dy, rotation, T{-1});
}
RAPT_INSTANTIATE(rope_backward);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
