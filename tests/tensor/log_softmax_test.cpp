#include "tensor/kernels/log_softmax.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/random.h"

using namespace rapt;

namespace {

std::vector<float> random_row(Dim n) {
  Rng rng({static_cast<std::uint32_t>(n), 5});
  std::vector<float> x(static_cast<std::size_t>(n));
  for (float& v : x) v = static_cast<float>(rng.uniform() * 20 - 10);
  return x;
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("a row's largest element, the logarithm of its sum and the maxima of its blocks") {
  for (const Dim n : {1, 3, 63, 64, 65, 130, 1000}) {
    CAPTURE(n);
    std::vector<float> x = random_row(n);
    const float top = kernels::largest(x.data(), n);
    CHECK(top == *std::ranges::max_element(x));
    double sum = 0;
    for (const float v : x) sum += std::exp(static_cast<double>(v));
    const float norm = kernels::log_sum_exp(x.data(), n, top);
    CHECK(norm == doctest::Approx(std::log(sum)).epsilon(1e-6));
    std::vector<float> maxima(static_cast<std::size_t>((n + kernels::kMaximaBlock - 1) / kernels::kMaximaBlock));
    kernels::block_maxima(maxima.data(), x.data(), n);
    for (std::size_t i = 0; i < maxima.size(); ++i) {
      const auto begin = x.begin() + static_cast<std::ptrdiff_t>(i) * kernels::kMaximaBlock;
      CHECK(maxima[i] == *std::max_element(begin, std::min(begin + kernels::kMaximaBlock, x.end())));
    }
    const std::vector<float> before = x;
    kernels::subtract(x.data(), norm, n);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == before[i] - norm);
  }
}

TEST_CASE("the largest element is NaN if there is one, and infinities count") {
  for (const Dim n : {1, 40, 65}) {
    std::vector<float> x = random_row(n);
    x[static_cast<std::size_t>(n / 2)] = kInfinity;
    CHECK(kernels::largest(x.data(), n) == kInfinity);
    x[0] = std::nanf("");
    CHECK(std::isnan(kernels::largest(x.data(), n)));
    std::ranges::fill(x, -kInfinity);
    CHECK(kernels::largest(x.data(), n) == -kInfinity);
    x.back() = 3;
    CHECK(kernels::log_sum_exp(x.data(), n, 3) == 3);
  }
}
