#include "tensor/kernels/optimizer.h"

#include <cmath>
#include <vector>

#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/optimizer.cpp"
#include "tensor/simd.h"
// After simd.h.
#include "tensor/kernels/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

using kernels::kMomentGroup;

// 16 random bits are added below those that bf16 keeps, and then cut off. The result is exact in bf16.
template <class D>
HWY_INLINE Vec<D> rounded_at_random(D d, Vec<D> v, const std::uint16_t* bits) {
  const Rebind<std::uint32_t, D> words;
  const auto random = PromoteTo(words, LoadU(Rebind<std::uint16_t, D>(), bits));
  return BitCast(d, And(Add(BitCast(words, v), random), Set(words, 0xFFFF0000u)));
}

template <typename T>
bool all_zero(const T* x, Dim n) {
  const Tag<T> d;
  auto bits = Zero(d);
  for_each_vector(d, n, [&](auto part) HWY_ATTR { bits = Or(bits, Abs(part.load(x))); });
  return AllTrue(d, Eq(bits, Zero(d)));
}

// T is the type of the moments. `correct1` = 1 / (1 - beta1^t), `root_correct2` = 1 / sqrt(1 - beta2^t); 1 without bias
// correction. `first` is the index of the first element.
template <typename T>
void adam(Compute<T>* p, const Compute<T>* g, T* m, T* v, Dim n, const kernels::AdamRule& rule, double correct1,
          double root_correct2, const kernels::RandomRounding& rounding, Dim first, std::uint8_t* moved, Bf16* narrow) {
  constexpr bool kRounds = sizeof(T) < sizeof(Compute<T>);
  constexpr Dim kBlock = 1024;
  HWY_ALIGN std::uint16_t bits[2][kRounds ? kBlock + kPhiloxSlack : 1];
  const Tag<T> d;
  const auto constant = [d](double value) HWY_ATTR { return Set(d, static_cast<Compute<T>>(value)); };
  const auto gradient_scale = constant(rule.gradient_scale);
  const auto rate1 = constant(1 - rule.beta1), keep2 = constant(rule.beta2), rate2 = constant(1 - rule.beta2);
  const auto coupled = constant(rule.coupled_decay ? rule.weight_decay : 0);
  const auto keep = constant(rule.coupled_decay ? 1 : 1 - rule.learning_rate * rule.weight_decay);
  const auto step = constant(rule.learning_rate * correct1), to_root = constant(root_correct2);
  const auto epsilon = constant(rule.epsilon);
  // Whether the group at this element has no moments, and gets none now.
  const auto rests = [&](Dim at) HWY_ATTR {
    std::uint8_t& has = moved[at / kMomentGroup];
    if (has == 0) has = all_zero(g + at, n - at < kMomentGroup ? n - at : kMomentGroup) ? 0 : 1;
    return has == 0;
  };
  // The groups from `begin` on that rest, or those that do not, up to `end`.
  const auto run_of = [&](bool resting, Dim begin, Dim end) HWY_ATTR {
    Dim at = begin;
    while (at < end && rests(at) == resting) at += kMomentGroup;
    return at < end ? at : end;
  };
  if (rule.coupled_decay && rule.weight_decay != 0) moved = nullptr;  // decay is a gradient
  for (Dim begin = 0, end = 0; begin < n; begin = end) {
    end = n - begin < kBlock ? n : begin + kBlock;
    if (moved != nullptr && rests(begin)) {
      end = run_of(true, begin, n);
      if (rule.learning_rate * rule.weight_decay == 0) continue;
      for_each_vector(d, end - begin, [&](auto part) HWY_ATTR {
        const auto updated = Mul(keep, part.load(p + begin));
        part.store(updated, p + begin);
        if constexpr (sizeof(Compute<T>) == sizeof(float)) {
          if (narrow != nullptr) part.store(updated, narrow + begin);
        }
      });
      continue;
    }
    if (moved != nullptr) end = run_of(false, begin, end);
    const Dim width = end - begin;
    if constexpr (kRounds) {
      for (std::uint32_t moment = 0; moment < 2; ++moment) {
        philox_bits16(bits[moment], (width + 7) / 8, static_cast<std::uint32_t>((first + begin) / 8), rounding.place,
                      moment, rounding.key);
      }
    }
    for_each_vector(d, width, [&](auto part) HWY_ATTR {
      const auto weight = part.load(p + begin);
      const auto gradient = MulAdd(coupled, weight, Mul(gradient_scale, part.load(g + begin)));
      const auto before = part.load(m + begin);
      const auto moment1 = MulAdd(rate1, Sub(gradient, before), before);
      const auto moment2 = MulAdd(Mul(rate2, gradient), gradient, Mul(keep2, part.load(v + begin)));
      if constexpr (kRounds) {
        part.store(rounded_at_random(d, moment1, bits[0] + part.at), m + begin);
        part.store(rounded_at_random(d, moment2, bits[1] + part.at), v + begin);
      } else {
        part.store(moment1, m + begin);
        part.store(moment2, v + begin);
      }
      const auto quotient = Div(moment1, MulAdd(Sqrt(moment2), to_root, epsilon));
      const auto updated = NegMulAdd(step, quotient, Mul(keep, weight));
      part.store(updated, p + begin);
      if constexpr (sizeof(Compute<T>) == sizeof(float)) {
        if (narrow != nullptr) part.store(updated, narrow + begin);
      }
    });
  }
}

template <typename T>
void sgd(T* p, const T* g, T* u, Dim n, const kernels::SgdRule& rule) {
  const Tag<T> d;
  const auto constant = [d](double value) HWY_ATTR { return Set(d, static_cast<Compute<T>>(value)); };
  const auto gradient_scale = constant(rule.gradient_scale), decay = constant(rule.weight_decay);
  const auto momentum = constant(rule.momentum), learning_rate = constant(rule.learning_rate);
  for_each_vector(d, n, [&](auto part) HWY_ATTR {
    const auto weight = part.load(p);
    auto gradient = MulAdd(decay, weight, Mul(gradient_scale, part.load(g)));
    if (u != nullptr) {
      const auto velocity = MulAdd(momentum, part.load(u), gradient);
      part.store(velocity, u);
      gradient = rule.nesterov ? MulAdd(momentum, velocity, gradient) : velocity;
    }
    part.store(NegMulAdd(learning_rate, gradient, weight), p);
  });
}

template <typename T>
void move_average(T* average, const T* p, Dim n, double keep) {
  const Tag<T> d;
  const auto rate = Set(d, static_cast<Compute<T>>(1 - keep));
  for_each_vector(d, n, [&](auto part) HWY_ATTR {
    const auto before = part.load(average);
    part.store(MulAdd(rate, Sub(part.load(p), before), before), average);
  });
}

template <typename T>
double squares(const T* x, Dim n) {
  const ScalableTag<double> d;
  auto even = Zero(d), odd = Zero(d);  // two sums, so that additions do not wait for each other
  for_each_vector(d, n, [&](auto part) HWY_ATTR {
    const auto value = part.load(x);
    const auto sum = MulAdd(value, value, even);
    even = odd;
    odd = sum;
  });
  return sum_of_lanes(d, Add(even, odd));
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rapt {

RAPT_EXPORT(adam);
RAPT_EXPORT(all_zero);
RAPT_EXPORT(sgd);
RAPT_EXPORT(move_average);
RAPT_EXPORT(squares);

namespace kernels {

static constexpr Dim kUpdateBlock = 16384;

// T is the type of the moments.
template <typename T>
static void update_by_adam(Compute<T>* p, const Compute<T>* g, T* m, T* v, Dim n, const AdamRule& rule,
                           const RandomRounding& rounding, std::uint8_t* moved, Bf16* narrow) {
  count_elements<Compute<T>>(3 * n);
  count_elements<T>(4 * n);
  if (narrow != nullptr) count_elements<Bf16>(n);
  const auto t = static_cast<double>(rule.step);
  const double correct1 = rule.bias_correction ? 1 / (1 - std::pow(rule.beta1, t)) : 1;
  const double correct2 = rule.bias_correction ? 1 / std::sqrt(1 - std::pow(rule.beta2, t)) : 1;
  parallel_blocks(n, kUpdateBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, adam)
    (p + begin, g + begin, m + begin, v + begin, end - begin, rule, correct1, correct2, rounding,
     rounding.first + begin, moved == nullptr ? nullptr : moved + begin / kMomentGroup,
     narrow == nullptr ? nullptr : narrow + begin);
  });
}

template <typename T>
void adam_update(T* p, const T* g, T* m, T* v, Dim n, const AdamRule& rule, std::uint8_t* moved, Bf16* narrow) {
  update_by_adam<T>(p, g, m, v, n, rule, {}, moved, narrow);
}
template void adam_update(float*, const float*, float*, float*, Dim, const AdamRule&, std::uint8_t*, Bf16*);
template void adam_update(double*, const double*, double*, double*, Dim, const AdamRule&, std::uint8_t*, Bf16*);

void adam_update(float* p, const float* g, Bf16* m, Bf16* v, Dim n, const AdamRule& rule,
                 const RandomRounding& rounding, std::uint8_t* moved, Bf16* narrow) {
  update_by_adam<Bf16>(p, g, m, v, n, rule, rounding, moved, narrow);
}

template <typename T>
void find_moments(std::uint8_t* moved, const T* m, const T* v, Dim n) {
  parallel_blocks(n, kUpdateBlock, [&](Dim begin, Dim end) {
    for (Dim at = begin; at < end; at += kMomentGroup) {
      const Dim width = std::min(kMomentGroup, end - at);
      const bool none = RAPT_DISPATCH(T, all_zero)(m + at, width) && RAPT_DISPATCH(T, all_zero)(v + at, width);
      moved[at / kMomentGroup] = none ? 0 : 1;
    }
  });
}
template void find_moments(std::uint8_t*, const float*, const float*, Dim);
template void find_moments(std::uint8_t*, const double*, const double*, Dim);
template void find_moments(std::uint8_t*, const Bf16*, const Bf16*, Dim);

template <typename T>
void sgd_update(T* p, const T* g, T* u, Dim n, const SgdRule& rule) {
  count_elements<T>((u == nullptr ? 3 : 5) * n);
  parallel_blocks(n, kUpdateBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, sgd)(p + begin, g + begin, u == nullptr ? nullptr : u + begin, end - begin, rule);
  });
}
RAPT_INSTANTIATE(sgd_update);

template <typename T>
void average_update(T* average, const T* p, Dim n, double keep) {
  count_elements<T>(3 * n);
  parallel_blocks(n, kUpdateBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, move_average)(average + begin, p + begin, end - begin, keep);
  });
}
RAPT_INSTANTIATE(average_update);

template <typename T>
double sum_of_squares(const T* x, Dim n) {
  count_elements<T>(n);
  std::vector<double> sums(static_cast<std::size_t>((n + kSumBlock - 1) / kSumBlock));
  parallel_blocks(n, kSumBlock, [&](Dim begin, Dim end) {
    sums[static_cast<std::size_t>(begin / kSumBlock)] = RAPT_DISPATCH(T, squares)(x + begin, end - begin);
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}
RAPT_INSTANTIATE(sum_of_squares);

template <typename T>
Dim first_not_finite(const T* x, Dim n) {
  for (Dim begin = 0; begin < n; begin += kSumBlock) {
    const Dim end = std::min(n, begin + kSumBlock);
    // The sum can be infinite although every element is finite, so the block is then searched.
    if (std::isfinite(RAPT_DISPATCH(T, squares)(x + begin, end - begin))) continue;
    for (Dim i = begin; i < end; ++i) {
      if (!std::isfinite(x[i])) return i;
    }
  }
  return -1;
}
RAPT_INSTANTIATE(first_not_finite);

}  // namespace kernels
}  // namespace rapt

#endif
