// Dropout whose mask is never stored: which elements are kept is a function of the key, the row and the column, and is
// computed again where it is needed. Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: A Simple Way
// to Prevent Neural Networks from Overfitting", JMLR 15, 2014.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tensor/random.h"
#include "tensor/types.h"

namespace rapt::kernels {

/// The dropout rule. Each element has 16 random bits, taken from philox4x32({column / 8, row low, row high, 0}, key)
/// with row = first_row + n: the low half of the first word for column % 8 = 0, the high half for 1, and so on. The
/// element is kept if its bits are at least `threshold`, and is then multiplied by `scale`, so that its mean is
/// unchanged.
struct DropoutRule {
  std::uint32_t threshold = 0;  ///< p * 65536, rounded
  double scale = 1;             ///< 1 / (1 - threshold / 65536)
  DropoutKey key{};

  DropoutRule() = default;
  /// \pre 0 <= p < 1
  DropoutRule(double p, DropoutKey key)
      : threshold(static_cast<std::uint32_t>(std::min(65535L, std::lround(p * 65536)))),
        scale(65536.0 / (65536.0 - threshold)),
        key(key) {}
};

// y = residual + x * scale where x is kept, and = residual elsewhere. `residual` may be null for none, or y itself.
// With dy for x this is its own backward. y may be x.
template <typename T>
void dropout(T* y, const T* x, const T* residual, Dim N, Dim C, const DropoutRule& rule);

}  // namespace rapt::kernels
