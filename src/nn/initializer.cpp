#include "nn/initializer.h"

#include <cmath>

#include "tensor/parallel.h"

namespace rapt {

// Fills blocks of 4096 elements, each from its own stream.
template <typename Draw>
Variable Initializer::draw(const Shape& shape, const Draw& draw) {
  Tensor values = Tensor::empty(shape, dtype_);
  const std::uint64_t parameter = made_++;
  if (unset_) return Variable(values, true);
  dispatch_float(dtype_, [&]<typename T>() {
    T* const out = values.data<T>();
    constexpr Dim kBlock = 4096;
    parallel_blocks(shape.size(), kBlock, [&](Dim begin, Dim end) {
      Rng rng(random_key(seed_, Purpose::kInitialisation, parameter, static_cast<std::uint32_t>(begin / kBlock)));
      for (Dim i = begin; i < end; ++i) out[i] = static_cast<T>(draw(rng));
    });
  });
  return Variable(values, true);
}

Variable Initializer::normal(const Shape& shape, InitStd spread) {
  return draw(shape, [spread](Rng& rng) {
    double z = rng.normal();
    while (spread.truncated && std::abs(z) > 2) z = rng.normal();
    return spread.std * z;
  });
}

Variable Initializer::uniform(const Shape& shape, double bound) {
  return draw(shape, [bound](Rng& rng) { return bound * (2 * rng.uniform() - 1); });
}

Variable Initializer::constant(const Shape& shape, double value) {
  ++made_;
  return Variable(Tensor::full(shape, value, dtype_), true);
}

}  // namespace rapt
