#include "tensor/kernels/narrow.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/random.h"
#include "tensor/tensor.h"

using namespace rapt;

namespace {

// The nearest bf16 number, of two equally near ones the one with an even last bit.
std::uint16_t nearest(float x) {
  const std::uint32_t word = std::bit_cast<std::uint32_t>(x);
  const auto below = static_cast<std::uint16_t>(word >> 16);  // towards zero
  const std::uint32_t rest = word & 0xFFFF;
  if (rest > 0x8000 || (rest == 0x8000 && below % 2 == 1)) return static_cast<std::uint16_t>(below + 1);
  return below;
}

}  // namespace

TEST_CASE("f32 is narrowed to the nearest bf16 number, in vectors of every length") {
  Rng rng({5, 6});
  for (std::size_t n = 0; n < 70; ++n) {
    std::vector<float> x(n), back(n);
    std::vector<Bf16> y(n);
    for (float& v : x) {
      const auto word = static_cast<std::uint32_t>(rng.uniform() * 4294967295.0);
      v = std::bit_cast<float>(word & 0xBFFFFFFFu);  // any sign, no infinities and NaN
    }
    for (std::size_t i = 0; i < n; i += 7) x[i] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x[i]) & ~0x7FFFu);
    kernels::narrow(y.data(), x.data(), static_cast<Dim>(n));
    for (std::size_t i = 0; i < n; ++i) {
      CHECK(y[i].bits == nearest(x[i]));
      CHECK(Bf16(x[i]).bits == y[i].bits);
    }
    kernels::widen(back.data(), y.data(), static_cast<Dim>(n));
    for (std::size_t i = 0; i < n; ++i) {
      CHECK(std::bit_cast<std::uint32_t>(back[i]) == std::uint32_t{y[i].bits} << 16);
      CHECK(static_cast<float>(y[i]) == back[i]);
    }
  }
}

TEST_CASE("infinities and NaN stay what they are, and what is beyond the largest bf16 number becomes infinite") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {kInfinity, -kInfinity, std::numeric_limits<float>::max(),
                                NAN,       -NAN,       std::bit_cast<float>(0x7F800001u),
                                0.0f,      -0.0f};
  std::vector<Bf16> y(x.size());
  std::vector<float> back(x.size());
  kernels::narrow(y.data(), x.data(), static_cast<Dim>(x.size()));
  kernels::widen(back.data(), y.data(), static_cast<Dim>(x.size()));
  CHECK(back[0] == kInfinity);
  CHECK(back[1] == -kInfinity);
  CHECK(back[2] == kInfinity);
  for (const std::size_t i : {3, 4, 5}) {
    CHECK(std::isnan(back[i]));
    CHECK(std::isnan(static_cast<float>(Bf16(x[i]))));
  }
  CHECK(y[6].bits == 0);
  CHECK(y[7].bits == 0x8000);
}

TEST_CASE("the narrow copy of a tensor covers its views and is made again when the tensor changes") {
  Tensor flat = Tensor::from(std::vector<float>{1, 2, 3, 4.015625f, 5, 6}, {6});
  const Tensor part = flat.view(2, {2, 2});
  const Tensor narrow = part.narrowed();
  CHECK(narrow.dtype() == DType::kBF16);
  CHECK(narrow.shape() == Shape{2, 2});
  CHECK(static_cast<float>(narrow.data<Bf16>()[0]) == 3);
  CHECK(static_cast<float>(narrow.data<Bf16>()[1]) == 4.0f);  // 4.015625 is halfway between 4 and 4.03125
  CHECK(flat.narrowed().raw() == narrow.data<Bf16>() - 2);    // one copy for all
  flat.data<float>()[2] = 7;
  CHECK(static_cast<float>(part.narrowed().data<Bf16>()[0]) == 3);
  flat.changed();
  CHECK(static_cast<float>(part.narrowed().data<Bf16>()[0]) == 7);
  flat.fill(9);
  CHECK(static_cast<float>(part.narrowed().data<Bf16>()[0]) == 9);
  flat.copy_from(Tensor::zeros({6}));
  CHECK(static_cast<float>(part.narrowed().data<Bf16>()[0]) == 0);
}
