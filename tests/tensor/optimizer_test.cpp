#include "tensor/kernels/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "support/random_values.h"
#include "tensor/parallel.h"

using namespace rapt;
using kernels::AdamRule;
using kernels::SgdRule;
using rapt::testing::random_values;

namespace {

template <typename T>
struct State {
  std::vector<T> p, m, v;
  explicit State(std::size_t n) : p(random_values<T>(n, 1)), m(n), v(n) {}
};

void plain_adam(State<double>& s, const std::vector<double>& gradient, const AdamRule& r) {
  const double t = static_cast<double>(r.step);
  const double c1 = r.bias_correction ? 1 - std::pow(r.beta1, t) : 1;
  const double c2 = r.bias_correction ? 1 - std::pow(r.beta2, t) : 1;
  for (std::size_t i = 0; i < s.p.size(); ++i) {
    double g = gradient[i] * r.gradient_scale;
    if (r.coupled_decay) g += r.weight_decay * s.p[i];
    if (!r.coupled_decay) s.p[i] -= r.learning_rate * r.weight_decay * s.p[i];
    s.m[i] = r.beta1 * s.m[i] + (1 - r.beta1) * g;
    s.v[i] = r.beta2 * s.v[i] + (1 - r.beta2) * g * g;
    s.p[i] -= r.learning_rate * (s.m[i] / c1) / (std::sqrt(s.v[i] / c2) + r.epsilon);
  }
}

void plain_sgd(State<double>& s, const std::vector<double>& gradient, const SgdRule& r) {
  for (std::size_t i = 0; i < s.p.size(); ++i) {
    const double g = gradient[i] * r.gradient_scale + r.weight_decay * s.p[i];
    s.m[i] = r.momentum * s.m[i] + g;
    s.p[i] -= r.learning_rate * (r.nesterov ? g + r.momentum * s.m[i] : s.m[i]);
  }
}

template <typename T>
double worst(const std::vector<T>& a, const std::vector<double>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(static_cast<double>(a[i]) - b[i]));
  return most;
}

// Ten updates of odd length with the kernel and with a plain loop.
template <typename T, typename Rule, typename Kernel, typename Plain>
double worst_after_ten(Rule rule, Kernel kernel, Plain plain) {
  constexpr std::size_t n = 16384 + 77;
  State<T> fast(n);
  State<double> slow(n);
  for (std::size_t i = 0; i < n; ++i) slow.p[i] = static_cast<double>(fast.p[i]);
  for (std::uint32_t step = 1; step <= 10; ++step) {
    const std::vector<T> g = random_values<T>(n, 100 + step);
    const std::vector<double> exact(g.begin(), g.end());
    if constexpr (requires { rule.step; }) rule.step = step;
    kernel(fast, g, rule);
    plain(slow, exact, rule);
  }
  return std::max({worst(fast.p, slow.p), worst(fast.m, slow.m), worst(fast.v, slow.v)});
}

template <typename T>
double worst_adam(const AdamRule& rule) {
  return worst_after_ten<T>(
      rule,
      [](State<T>& s, const std::vector<T>& g, const AdamRule& r) {
        kernels::adam_update(s.p.data(), g.data(), s.m.data(), s.v.data(), static_cast<Dim>(g.size()), r);
      },
      plain_adam);
}

template <typename T>
double worst_sgd(const SgdRule& rule) {
  return worst_after_ten<T>(
      rule,
      [](State<T>& s, const std::vector<T>& g, const SgdRule& r) {
        kernels::sgd_update(s.p.data(), g.data(), s.m.data(), static_cast<Dim>(g.size()), r);
      },
      plain_sgd);
}

}  // namespace

TEST_CASE("one update of AdamW by hand") {
  double p = 2, g = 4, m = 0, v = 0;
  const AdamRule rule{
      .learning_rate = 0.1, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 0, .weight_decay = 0.5, .gradient_scale = 0.5};
  kernels::adam_update(&p, &g, &m, &v, 1, rule);
  CHECK(m == doctest::Approx(0.2).epsilon(1e-15));                      // a tenth of 4 / 2
  CHECK(v == doctest::Approx(0.04).epsilon(1e-14));                     // a hundredth of its square
  CHECK(p == doctest::Approx(2 - 0.1 * 0.5 * 2 - 0.1).epsilon(1e-14));  // the first step has the length of the learning
                                                                        // rate
}

TEST_CASE("two updates of SGD with Nesterov momentum by hand") {
  double p = 1, g = 2, u = 0;
  const SgdRule rule{.learning_rate = 0.1, .momentum = 0.5, .nesterov = true};
  kernels::sgd_update(&p, &g, &u, 1, rule);
  CHECK(u == 2);
  CHECK(p == doctest::Approx(1 - 0.1 * (2 + 0.5 * 2)).epsilon(1e-15));
  g = -1;
  kernels::sgd_update(&p, &g, &u, 1, rule);
  CHECK(u == 0);
  CHECK(p == doctest::Approx(0.7 - 0.1 * -1).epsilon(1e-15));
  kernels::sgd_update<double>(&p, &(g = 3), nullptr, 1, {.learning_rate = 0.1, .weight_decay = 1});
  CHECK(p == doctest::Approx(0.8 - 0.1 * (3 + 0.8)).epsilon(1e-15));
}

TEST_CASE("Adam in all its variants agrees with a plain loop") {
  const AdamRule base{.learning_rate = 0.01, .beta2 = 0.95, .epsilon = 1e-6};
  std::vector<AdamRule> rules(5, base);
  rules[1].weight_decay = 0.1;
  rules[2].weight_decay = 0.1;
  rules[2].coupled_decay = true;
  rules[3].bias_correction = false;
  rules[4].gradient_scale = 0.03;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    CAPTURE(i);
    CHECK(worst_adam<double>(rules[i]) < 1e-13);
    CHECK(worst_adam<float>(rules[i]) < 3e-6);
  }
}

TEST_CASE("moments in bf16 are rounded at random, and their means over many updates are those of f32") {
  constexpr Dim n = 3001;  // more than a block of random bits
  const auto size = static_cast<std::size_t>(n);
  const AdamRule rule{.learning_rate = 0.01, .beta1 = 0.9, .beta2 = 0.999};
  const std::vector<float> g = random_values<float>(size, 9);
  State<float> wide(size);
  kernels::adam_update(wide.p.data(), g.data(), wide.m.data(), wide.v.data(), n, rule);
  std::vector<double> sums(size);
  constexpr int kDraws = 400;
  int nearest = 0;
  double worst_step = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    std::vector<float> p = random_values<float>(size, 1);
    std::vector<Bf16> m(size), v(size);
    const kernels::RandomRounding rounding{random_key(1, Purpose::kRounding, static_cast<std::uint64_t>(draw)), 64};
    kernels::adam_update(p.data(), g.data(), m.data(), v.data(), n, rule, rounding);
    REQUIRE(p == wide.p);  // the weights use the moments before they are rounded
    for (std::size_t i = 0; i < size; ++i) {
      const auto second = static_cast<double>(v[i]), exact = static_cast<double>(wide.v[i]);
      sums[i] += second;
      nearest += v[i].bits == Bf16(wide.v[i]).bits ? 1 : 0;
      worst_step = std::max(worst_step, std::abs(second - exact) / exact);
    }
  }
  CHECK(worst_step <= 1.0 / 128);  // to one of the two neighbours
  // Rounding has a deviation of at most half a step, 1/256 of the value: 25 times less over 400 draws are 20 for one.
  double worst_mean = 0, mean = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double error = sums[i] / kDraws / static_cast<double>(wide.v[i]) - 1;
    worst_mean = std::max(worst_mean, std::abs(error));
    mean += error / static_cast<double>(size);
  }
  CHECK(worst_mean < 6.0 / 128 / 2 / 20);
  CHECK(std::abs(mean) < 1e-5);
  const double share = static_cast<double>(nearest) / (kDraws * static_cast<double>(n));
  CHECK(share == doctest::Approx(0.75).epsilon(0.05));  // a number at random is a quarter of a step from its nearest
}

TEST_CASE("second moments in bf16 decay, although each step is less than half a unit of their last digit") {
  constexpr Dim n = 512;
  const AdamRule rule{.learning_rate = 0, .beta2 = 0.999};
  std::vector<float> p(n), g(n);
  std::vector<Bf16> m(n), v(n, Bf16(1.0f));
  for (std::uint64_t update = 0; update < 700; ++update) {
    kernels::adam_update(p.data(), g.data(), m.data(), v.data(), n, rule,
                         {random_key(1, Purpose::kRounding, update), 0});
  }
  double mean = 0;
  for (const Bf16 x : v) mean += static_cast<double>(x) / static_cast<double>(n);
  CHECK(mean == doctest::Approx(std::pow(0.999, 700)).epsilon(0.02));
}

// Groups of parameters that get their first gradient in a later update, or never. Kept: what kernels::find_moments
// finds.
template <typename T>
void check_resting_groups(const AdamRule& rule) {
  constexpr Dim n = 40'003, groups = kernels::moment_groups(n);
  const auto size = static_cast<std::size_t>(n);
  State<Compute<T>> with(size), without(size);
  std::vector<T> m(size), v(size), m_without(size), v_without(size);
  std::vector<Bf16> narrow(size);
  std::vector<std::uint8_t> moved(groups), found(groups, 9);
  for (std::size_t update = 1; update <= 4; ++update) {
    std::vector<Compute<T>> g = random_values<Compute<T>>(size, 9);
    for (std::size_t i = 0; i < size; ++i) {
      if (i / kernels::kMomentGroup % (5 * update) > 2 || i % 3 == 0) g[i] = 0;
    }
    const auto adam = [&](State<Compute<T>>& s, std::vector<T>& first, std::vector<T>& second, std::uint8_t* groups) {
      if constexpr (std::is_same_v<T, Bf16>) {
        const kernels::RandomRounding rounding{random_key(1, Purpose::kRounding, update), 64};
        kernels::adam_update(s.p.data(), g.data(), first.data(), second.data(), n, rule, rounding, groups);
      } else {
        Bf16* const copy = std::is_same_v<T, float> && groups != nullptr ? narrow.data() : nullptr;
        kernels::adam_update(s.p.data(), g.data(), first.data(), second.data(), n, rule, groups, copy);
      }
    };
    adam(with, m, v, moved.data());
    adam(without, m_without, v_without, nullptr);
  }
  CHECK(std::memcmp(with.p.data(), without.p.data(), size * sizeof(with.p[0])) == 0);
  CHECK(std::memcmp(m.data(), m_without.data(), size * sizeof(T)) == 0);
  CHECK(std::memcmp(v.data(), v_without.data(), size * sizeof(T)) == 0);
  kernels::find_moments(found.data(), m.data(), v.data(), n);
  if (!rule.coupled_decay) CHECK(found == moved);
  const auto resting = std::count(found.begin(), found.end(), 0);
  CHECK(resting == (rule.coupled_decay ? 0 : std::count(moved.begin(), moved.end(), 0)));
  if (!rule.coupled_decay) CHECK((resting > groups / 4 && resting < groups));
  if constexpr (std::is_same_v<T, float>) {
    for (std::size_t i = 0; i < size; ++i) {
      const bool decays = rule.learning_rate * rule.weight_decay > 0;
      if (decays || found[i / kernels::kMomentGroup] != 0) REQUIRE(narrow[i].bits == Bf16(with.p[i]).bits);
    }
  }
}

TEST_CASE("parameters without a gradient so far are only decayed, with the bits of a full update") {
  for (const AdamRule& rule :
       {AdamRule{}, AdamRule{.weight_decay = 0.1}, AdamRule{.weight_decay = 0.1, .coupled_decay = true}}) {
    CAPTURE(rule.weight_decay);
    CAPTURE(rule.coupled_decay);
    check_resting_groups<float>(rule);
    check_resting_groups<double>(rule);
    check_resting_groups<Bf16>(rule);
  }
}

TEST_CASE("SGD in all its variants agrees with a plain loop") {
  for (const SgdRule& rule : {SgdRule{}, SgdRule{.momentum = 0.9}, SgdRule{.momentum = 0.9, .nesterov = true},
                              SgdRule{.momentum = 0.9, .weight_decay = 0.1, .gradient_scale = 0.5}}) {
    CHECK(worst_sgd<double>(rule) < 1e-13);
    CHECK(worst_sgd<float>(rule) < 5e-6);
  }
}

TEST_CASE_TEMPLATE("updates and norms have the same bits on one thread and on two", T, float, double) {
  constexpr std::size_t n = 200'003;
  const int threads = thread_count();
  std::vector<State<T>> states;
  double sums[2] = {};
  for (const int count : {1, 2}) {
    set_thread_count(count);
    states.emplace_back(n);
    const std::vector<T> g = random_values<T>(n, 9);
    sums[count - 1] = kernels::sum_of_squares(g.data(), n);
    kernels::adam_update(states.back().p.data(), g.data(), states.back().m.data(), states.back().v.data(), n, {});
  }
  set_thread_count(threads);
  CHECK(sums[0] == sums[1]);
  CHECK(states[0].p == states[1].p);
  CHECK(states[0].v == states[1].v);
  std::vector<std::vector<std::uint16_t>> narrow;
  for (const int count : {1, 2}) {
    set_thread_count(count);
    std::vector<float> p(n), g = random_values<float>(n, 9);
    std::vector<Bf16> m(n), v(n);
    kernels::adam_update(p.data(), g.data(), m.data(), v.data(), n, {}, {{3, 4}, 5});
    narrow.emplace_back();
    for (const auto& moments : {m, v}) {
      for (const Bf16 x : moments) narrow.back().push_back(x.bits);
    }
  }
  set_thread_count(threads);
  CHECK(narrow[0] == narrow[1]);
}

// A sum in f32 would be infinite, or wrong from the seventh digit on. How many numbers a lane adds up, and so the last
// digits in double, depends on the instruction set.
TEST_CASE("squares are summed in double") {
  std::vector<float> x(1'000'003, 1e20f);
  CHECK(kernels::sum_of_squares(x.data(), static_cast<Dim>(x.size())) ==
        doctest::Approx(1'000'003 * static_cast<double>(1e20f) * static_cast<double>(1e20f)).epsilon(1e-11));
  std::vector<double> y = random_values<double>(70'001, 5);
  long double right = 0;
  for (const double v : y) right += static_cast<long double>(v) * v;
  CHECK(kernels::sum_of_squares(y.data(), static_cast<Dim>(y.size())) ==
        doctest::Approx(static_cast<double>(right)).epsilon(1e-12));
  CHECK(kernels::sum_of_squares(y.data(), 0) == 0);
}

TEST_CASE_TEMPLATE("the first element that is not finite is found, and large ones are not taken for it", T, float,
                   double) {
  std::vector<T> x(150'001, std::numeric_limits<T>::max());
  const auto n = static_cast<Dim>(x.size());
  CHECK(kernels::first_not_finite(x.data(), n) == -1);
  for (const std::size_t at : {150'000u, 70'000u, 3u, 0u}) {
    for (const T bad : {std::numeric_limits<T>::quiet_NaN(), -std::numeric_limits<T>::infinity()}) {
      x[at] = bad;
      CHECK(kernels::first_not_finite(x.data(), n) == static_cast<Dim>(at));
      CHECK_FALSE(std::isfinite(kernels::sum_of_squares(x.data(), n)));
    }
  }
}

TEST_CASE("a moving average of weights follows its formula, with a remainder of a vector") {
  constexpr std::size_t n = 16384 + 77;
  std::vector<float> average = random_values<float>(n, 3);
  const std::vector<float> weights = random_values<float>(n, 4), before = average;
  kernels::average_update<float>(average.data(), weights.data(), n, 0.75);
  double worst_error = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double exact = 0.75 * static_cast<double>(before[i]) + 0.25 * static_cast<double>(weights[i]);
    worst_error = std::max(worst_error, std::abs(static_cast<double>(average[i]) - exact));
  }
  CHECK(worst_error < 1e-6);
}
