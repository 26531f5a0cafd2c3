// The random bits of dropout for whole vectors, and their use. Included by kernel files after tensor/simd.h; compiled
// for each target; the same bits on all targets, and the same as philox4x32.
#if defined(RAPT_TENSOR_KERNELS_PHILOX_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef RAPT_TENSOR_KERNELS_PHILOX_INL_H
#undef RAPT_TENSOR_KERNELS_PHILOX_INL_H
#else
#define RAPT_TENSOR_KERNELS_PHILOX_INL_H
#endif

#include "tensor/random.h"
#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {

/// The low halves of a times m, 64 bits.
template <class D>
HWY_INLINE Vec<D> multiply_low_halves([[maybe_unused]] D d, Vec<D> a, std::uint32_t m) {
#if HWY_TARGET == HWY_SCALAR
  return Mul(And(a, Set(d, 0xFFFFFFFFu)), Set(d, std::uint64_t{m}));
#else
  const Repartition<std::uint32_t, D> d32;
  return MulEven(BitCast(d32, a), Set(d32, m));
#endif
}

/// Extra room that philox_bits16 needs after its last element.
inline constexpr std::size_t kPhiloxSlack = 8 * HWY_LANES(std::uint64_t);

/// 16 random bits for each of 8 * `blocks` elements. Elements [8 i, 8 i + 8) take philox4x32({first_block + i, place
/// low, place high, kind}, key): the low half of its first word, the high half, the low half of its second word ...
/// `bits` must have room for kPhiloxSlack more.
HWY_INLINE void philox_bits16(std::uint16_t* bits, Dim blocks, std::uint32_t first_block, std::uint64_t place,
                              std::uint32_t kind, RandomKey key) {
  // A word in the low half of each lane. The high halves hold leftovers of the rounds.
  const ScalableTag<std::uint64_t> d;
  const auto low = Set(d, 0xFFFFFFFFu);
  const auto lanes = static_cast<Dim>(Lanes(d));
  for (Dim block = 0; block < blocks; block += lanes) {
    auto c0 = And(low, Iota(d, static_cast<std::uint64_t>(first_block) + static_cast<std::uint64_t>(block)));
    auto c1 = Set(d, place & 0xFFFFFFFFu), c2 = Set(d, place >> 32), c3 = Set(d, std::uint64_t{kind});
    auto k0 = Set(d, std::uint64_t{key.low}), k1 = Set(d, std::uint64_t{key.high});
    for (int round = 0; round < 10; ++round) {
      const auto p0 = multiply_low_halves(d, c0, 0xD2511F53u), p1 = multiply_low_halves(d, c2, 0xCD9E8D57u);
      c0 = Xor(Xor(ShiftRight<32>(p1), c1), k0);
      c2 = Xor(Xor(ShiftRight<32>(p0), c3), k1);
      c1 = p1;
      c3 = p0;
      k0 = Add(k0, Set(d, std::uint64_t{0x9E3779B9}));
      k1 = Add(k1, Set(d, std::uint64_t{0xBB67AE85}));
    }
    const auto first = Or(And(c0, low), ShiftLeft<32>(c1)), second = Or(And(c2, low), ShiftLeft<32>(c3));
    StoreInterleaved2(first, second, d, reinterpret_cast<std::uint64_t*>(bits + 8 * block));
  }
}

/// The mask of kept elements: bits >= threshold, for the elements whose 16 bits start at `bits`. Reads a whole vector.
template <class D>
HWY_INLINE Mask<D> keep_mask(D d, const std::uint16_t* bits, std::uint32_t threshold) {
  const auto wide = PromoteTo(Rebind<std::int32_t, D>(), LoadU(Rebind<std::uint16_t, D>(), bits));
  if constexpr (sizeof(TFromD<D>) == 4) {
    const Rebind<std::int32_t, D> di;
    return RebindMask(d, Gt(wide, Set(di, static_cast<std::int32_t>(threshold) - 1)));
  } else {
    return Ge(PromoteTo(d, wide), Set(d, static_cast<TFromD<D>>(threshold)));
  }
}

}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // once per target
