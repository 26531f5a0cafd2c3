#include "tensor/batch.h"

#include <algorithm>
#include <limits>
#include <string>

namespace rapt {

Packed pack_lengths(std::span<const Dim> lengths) {
  const Dim B = static_cast<Dim>(lengths.size());
  Packed packed{.offsets = Tensor::empty({B + 1}, DType::kI32), .longest = 0};
  std::int32_t* offsets = packed.offsets.data<std::int32_t>();
  Dim rows = 0;
  offsets[0] = 0;
  for (Dim b = 0; b < B; ++b) {
    const Dim length = lengths[static_cast<std::size_t>(b)];
    require_shape(length >= 0, [&] {
      return "pack_lengths: a length must not be negative, got " + std::to_string(length) + " for sequence " +
             std::to_string(b);
    });
    require_shape(length <= std::numeric_limits<std::int32_t>::max() - rows, [&] {
      return "pack_lengths: a batch must have fewer than 2^31 rows, got " + std::to_string(rows) + " + " +
             std::to_string(length) + "; use a smaller batch";
    });
    rows += length;
    offsets[b + 1] = static_cast<std::int32_t>(rows);
    packed.longest = std::max(packed.longest, length);
  }
  return packed;
}

}  // namespace rapt
