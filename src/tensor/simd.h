// The only file that includes Highway. It defines which instruction sets kernels are compiled for, how storage is
// converted to vectors and back, and how a loop over an array handles its last few elements.
//
// A kernel file is compiled once per instruction set; the processor chooses at run time. A kernel file looks like this:
//
//     #include "tensor/kernels/scale.h"
//
//     #include "tensor/parallel.h"                           // every other header first
//     #include "tensor/work.h"
//
//     #undef HWY_TARGET_INCLUDE
//     #define HWY_TARGET_INCLUDE "tensor/kernels/scale.cpp"  // this file, which simd.h includes again for each target
//     #include "tensor/simd.h"
//     #include "tensor/kernels/math-inl.h"                   // after simd.h, if exp and similar functions are needed
//
//     HWY_BEFORE_NAMESPACE();                                // from here on, the target's instructions are allowed
//     namespace rapt::HWY_NAMESPACE {
//     namespace {                                            // else the linker would merge equal names of two files
//     template <typename T>
//     void scale(T* y, const T* x, T factor, Dim n) {
//       const Tag<T> d;
//       const auto f = Set(d, factor);
//       for_each_vector(d, n, [&](auto part) HWY_ATTR { part.store(Mul(f, part.load(x)), y); });
//     }
//     }  // namespace
//     }  // namespace rapt::HWY_NAMESPACE
//     HWY_AFTER_NAMESPACE();
//
//     #if HWY_ONCE                                           // compiled once: the entry points and the threads
//     namespace rapt {
//     RAPT_EXPORT(scale);                                    // the kernels of all targets, for every element type
//     namespace kernels {
//     template <typename T>
//     void scale(T* y, const T* x, T factor, Dim n) {
//       count_elements<T>(2 * n);                            // tensor/work.h
//       parallel_blocks(n, 16384, [&](Dim begin, Dim end) {
//         RAPT_DISPATCH(T, scale)(y + begin, x + begin, factor, end - begin);
//       });
//     }
//     RAPT_INSTANTIATE(scale);                               // tensor/types.h
//     }  // namespace kernels
//     }  // namespace rapt
//     #endif
//
// Lambdas between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE need HWY_ATTR, because compilers do not pass the target
// on to them. Do not use templates of the standard library there: the linker could keep a copy compiled for AVX-512 for
// all callers.

// Instruction sets: the compiler's baseline, SSE4, AVX2 and AVX-512 on x86-64, NEON and SVE on ARM. No machines with
// SSSE3 only are left, and the newest AVX-512 extensions do not help floating point. Each set costs compile time.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#endif

#include <hwy/foreach_target.h>  // first: includes the kernel file once for each target
#include <hwy/highway.h>

#ifndef RAPT_TENSOR_SIMD_ONCE
#define RAPT_TENSOR_SIMD_ONCE

#include "tensor/types.h"

// RAPT_EXPORT(name) collects the kernel templates `name` of all targets. RAPT_DISPATCH(T, name) is the one for elements
// of type T and the current processor. They are the counterparts for templates of HWY_EXPORT and HWY_DYNAMIC_DISPATCH,
// which Highway 1.0 has for functions, and use the same parts.
#if HWY_IDE || ((HWY_TARGETS & (HWY_TARGETS - 1)) == 0)  // compiled for one target
#define RAPT_EXPORT(name) static_assert(HWY_TARGETS != 0)
#define RAPT_DISPATCH(T, name) HWY_STATIC_DISPATCH(name<T>)
#else
// The first entry is called before the processor is known. It detects the processor and calls another entry.
#define RAPT_EXPORT(name)                                                                                     \
  template <typename T>                                                                                       \
  static constexpr decltype(&HWY_STATIC_DISPATCH(name<T>)) name##_of_targets[HWY_MAX_DYNAMIC_TARGETS + 2] = { \
      &decltype(hwy::DeduceFunctionCache(                                                                     \
          &HWY_STATIC_DISPATCH(name<T>)))::template ChooseAndCall<name##_of_targets<T>>,                      \
      HWY_CHOOSE_TARGET_LIST(name<T>), HWY_CHOOSE_FALLBACK(name<T>)}
#define RAPT_DISPATCH(T, name) (*name##_of_targets<T>[hwy::GetChosenTarget().GetIndex()])
#endif

#endif  // RAPT_TENSOR_SIMD_ONCE

// From here on, once per target.
#if defined(RAPT_TENSOR_SIMD_TARGET) == defined(HWY_TARGET_TOGGLE)
#ifdef RAPT_TENSOR_SIMD_TARGET
#undef RAPT_TENSOR_SIMD_TARGET
#else
#define RAPT_TENSOR_SIMD_TARGET
#endif

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {

using namespace hwy::HWY_NAMESPACE;  // NOLINT: kernels use Highway's names: Add, Mul, MulAdd, IfThenElse ...

/// As many lanes as the target has, of the type in which T is computed.
template <typename T>
using Tag = ScalableTag<Compute<T>>;

// Only these four functions convert from storage to compute type and back; each has an overload for each storage type.

/// All lanes from `from`, which need not be aligned.
template <class D>
HWY_INLINE Vec<D> load_lanes(D d, const TFromD<D>* from) {
  return LoadU(d, from);
}
/// The same, for sums of f32 elements that are accumulated in f64.
template <class D>
requires(sizeof(TFromD<D>) == sizeof(double)) HWY_INLINE Vec<D> load_lanes(D d, const float* from) {
  return PromoteTo(d, LoadU(Rebind<float, D>(), from));
}
template <class D>
HWY_INLINE void store_lanes(D d, Vec<D> v, TFromD<D>* to) {
  StoreU(v, d, to);
}

/// bf16 is the upper half of f32.
template <class D>
HWY_INLINE Vec<D> widened(D d, Vec<Rebind<std::uint16_t, D>> halves) {
  return BitCast(d, ShiftLeft<16>(PromoteTo(Rebind<std::uint32_t, D>(), halves)));
}
/// Words whose upper halves are as Bf16(float).
template <class D>
HWY_INLINE Vec<Rebind<std::uint32_t, D>> rounded(D /*d*/, Vec<D> v) {
  const Rebind<std::uint32_t, D> words;
  const auto word = BitCast(words, v);
  const auto is_odd = And(ShiftRight<16>(word), Set(words, 1));
  const auto nearest = Add(Add(word, Set(words, 0x7FFF)), is_odd);
  const auto quiet = Or(word, Set(words, 0x400000));
  return IfThenElse(RebindMask(words, IsNaN(v)), quiet, nearest);
}
template <class D>
HWY_INLINE Vec<Rebind<std::uint16_t, D>> narrowed(D d, Vec<D> v) {
  return DemoteTo(Rebind<std::uint16_t, D>(), BitCast(Rebind<std::int32_t, D>(), ShiftRight<16>(rounded(d, v))));
}
template <class D>
HWY_INLINE Vec<D> load_lanes(D d, const Bf16* from) {
  return widened(d, LoadU(Rebind<std::uint16_t, D>(), &from->bits));
}
template <class D>
HWY_INLINE void store_lanes(D d, Vec<D> v, Bf16* to) {
  StoreU(narrowed(d, v), Rebind<std::uint16_t, D>(), &to->bits);
}

/// The first `count` lanes from `from`, and `fill` in the others; reads nothing beyond.
template <class D>
HWY_INLINE Vec<D> load_some_lanes(D d, const TFromD<D>* from, std::size_t count, TFromD<D> fill) {
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN TFromD<D> lanes[HWY_LANES(TFromD<D>)];
  Store(Set(d, fill), d, lanes);
  for (std::size_t i = 0; i < count; ++i) lanes[i] = from[i];
  return Load(d, lanes);
#else
  const auto mask = FirstN(d, count);
  return IfThenElse(mask, MaskedLoad(mask, d, from), Set(d, fill));
#endif
}
template <class D>
requires(sizeof(TFromD<D>) == sizeof(double)) HWY_INLINE Vec<D> load_some_lanes(D d, const float* from,
                                                                                std::size_t count, double fill) {
  return PromoteTo(d, load_some_lanes(Rebind<float, D>(), from, count, static_cast<float>(fill)));
}
template <class D>
HWY_INLINE void store_some_lanes(D d, Vec<D> v, TFromD<D>* to, std::size_t count) {
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN TFromD<D> lanes[HWY_LANES(TFromD<D>)];
  Store(v, d, lanes);
  for (std::size_t i = 0; i < count; ++i) to[i] = lanes[i];
#else
  BlendedStore(v, FirstN(d, count), d, to);
#endif
}

template <class D>
HWY_INLINE Vec<D> load_some_lanes(D d, const Bf16* from, std::size_t count, float fill) {
  const Rebind<std::uint16_t, D> halves;
  const auto others = Set(halves, Bf16(fill).bits);
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN std::uint16_t lanes[MaxLanes(D())];
  Store(others, halves, lanes);
  for (std::size_t i = 0; i < count; ++i) lanes[i] = from[i].bits;
  return widened(d, Load(halves, lanes));
#else
  const auto mask = FirstN(halves, count);
  return widened(d, IfThenElse(mask, MaskedLoad(mask, halves, &from->bits), others));
#endif
}
template <class D>
HWY_INLINE void store_some_lanes(D d, Vec<D> v, Bf16* to, std::size_t count) {
  const Rebind<std::uint16_t, D> halves;
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN std::uint16_t lanes[MaxLanes(D())];
  Store(narrowed(d, v), halves, lanes);
  for (std::size_t i = 0; i < count; ++i) to[i].bits = lanes[i];
#else
  BlendedStore(narrowed(d, v), FirstN(halves, count), halves, &to->bits);
#endif
}

/// The position of a loop: a whole vector of elements from index `at` on.
template <class D>
struct WholePart {
  D d;
  Dim at;

  /// Elements [at, at + lanes) of `array`.
  template <typename T>
  HWY_INLINE Vec<D> load(const T* array) const {
    return load_lanes(d, array + at);
  }
  /// The same. The last, shorter part has `fill` in the lanes without elements.
  template <typename T>
  HWY_INLINE Vec<D> load(const T* array, TFromD<D> /*fill*/) const {
    return load_lanes(d, array + at);
  }
  template <typename T>
  HWY_INLINE void store(Vec<D> v, T* array) const {
    store_lanes(d, v, array + at);
  }
  /// Assigns or adds.
  template <typename T>
  HWY_INLINE void write(Vec<D> v, T* array, Write write) const {
    store(write == Write::kAdd ? Add(load(array), v) : v, array);
  }
};

/// The last `count` elements, fewer than a vector holds. Lanes beyond them load as `fill` (0) and are never stored.
template <class D>
struct LastPart {
  D d;
  Dim at;
  std::size_t count;

  template <typename T>
  HWY_INLINE Vec<D> load(const T* array, TFromD<D> fill = 0) const {
    return load_some_lanes(d, array + at, count, fill);
  }
  template <typename T>
  HWY_INLINE void store(Vec<D> v, T* array) const {
    store_some_lanes(d, v, array + at, count);
  }
  template <typename T>
  HWY_INLINE void write(Vec<D> v, T* array, Write write) const {
    store(write == Write::kAdd ? Add(load(array), v) : v, array);
  }
};

/// Calls body(part) for consecutive vectors of n elements. Every element is loaded and stored exactly once, by
/// part.load(array) and part.store(vector, array). Arrays may be the same and need not be aligned.
template <class D, class F>
HWY_INLINE void for_each_vector(D d, Dim n, F&& body) {
  const Dim lanes = static_cast<Dim>(Lanes(d));
  Dim at = 0;
  for (; at + lanes <= n; at += lanes) body(WholePart<D>{d, at});
  if (at < n) body(LastPart<D>{d, at, static_cast<std::size_t>(n - at)});
}

/// The sum of all lanes.
template <class D>
HWY_INLINE TFromD<D> sum_of_lanes(D d, Vec<D> v) {
  return GetLane(SumOfLanes(d, v));
}
/// The largest lane.
template <class D>
HWY_INLINE TFromD<D> max_of_lanes(D d, Vec<D> v) {
  return GetLane(MaxOfLanes(d, v));
}

}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // once per target
