#include "tensor/kernels/recurrent_cell.h"

#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/recurrent_cell.cpp"
#include "tensor/simd.h"
// After simd.h.
#include "tensor/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

template <typename T>
void lstm_forward(const kernels::CellStep<T>& s, Dim begin, Dim end) {
  const Tag<T> d;
  const Dim C = s.C;
  for (Dim a = begin; a < end; ++a) {
    const Dim n = s.rows[a];
    T* const gates = s.gates + n * 4 * C;
    const T* const product = s.product + a * 4 * C;
    const T* const input = s.input == nullptr ? nullptr : s.input + a * 4 * C;
    T *const state = s.state + a * C, *const cells = s.cells + a * C, *const y = s.y + n * s.y_stride;
    T* const kept = s.kept_cells == nullptr ? nullptr : s.kept_cells + n * C;
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      const auto sum = [&](Dim gate) HWY_ATTR {
        auto v = part.load(product + gate * C);
        if (s.filled) v = Add(v, part.load(gates + gate * C));
        if (input != nullptr) v = Add(v, part.load(input + gate * C));
        return v;
      };
      const auto i = Sigmoid(d, sum(0)), f = Sigmoid(d, sum(1)), g = Tanh(d, sum(2)), o = Sigmoid(d, sum(3));
      const auto c = MulAdd(f, part.load(cells), Mul(i, g));
      const auto h = Mul(o, Tanh(d, c));
      part.store(i, gates);
      part.store(f, gates + C);
      part.store(g, gates + 2 * C);
      part.store(o, gates + 3 * C);
      part.store(c, cells);
      if (kept != nullptr) part.store(c, kept);
      part.store(h, state);
      part.store(h, y);
    });
  }
}

template <typename T>
void gru_forward(const kernels::CellStep<T>& s, Dim begin, Dim end) {
  const Tag<T> d;
  const Dim C = s.C;
  for (Dim a = begin; a < end; ++a) {
    const Dim n = s.rows[a];
    T* const gates = s.gates + n * 4 * C;
    const T* const product = s.product + a * 3 * C;
    const T* const input = s.input == nullptr ? nullptr : s.input + a * 3 * C;
    T *const state = s.state + a * C, *const y = s.y + n * s.y_stride;
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      const auto of_input = [&](Dim gate) HWY_ATTR {
        auto v = s.filled ? part.load(gates + gate * C) : Zero(d);
        if (input != nullptr) v = Add(v, part.load(input + gate * C));
        return v;
      };
      const auto r = Sigmoid(d, Add(of_input(0), part.load(product)));
      const auto z = Sigmoid(d, Add(of_input(1), part.load(product + C)));
      const auto hidden = part.load(product + 2 * C);
      const auto candidate = Tanh(d, MulAdd(r, hidden, of_input(2)));
      const auto h = MulAdd(z, Sub(part.load(state), candidate), candidate);
      part.store(r, gates);
      part.store(z, gates + C);
      part.store(candidate, gates + 2 * C);
      part.store(hidden, gates + 3 * C);
      part.store(h, state);
      part.store(h, y);
    });
  }
}

// s (1 - s) and 1 - t^2 times a gradient.
template <class D>
HWY_INLINE Vec<D> through_sigmoid(Vec<D> gradient, Vec<D> s) {
  return Mul(gradient, NegMulAdd(s, s, s));
}
template <class D>
HWY_INLINE Vec<D> through_tanh(D d, Vec<D> gradient, Vec<D> t) {
  return Mul(gradient, NegMulAdd(t, t, Set(d, TFromD<D>{1})));
}

template <typename T>
void lstm_backward(const kernels::CellStepBackward<T>& s, Dim begin, Dim end) {
  using D = Tag<T>;
  const D d;
  const Dim C = s.C;
  for (Dim a = begin; a < end; ++a) {
    const Dim n = s.rows[a];
    T *const gates = s.gates + n * 4 * C, *const dproduct = s.dproduct + a * 4 * C;
    const T* const before = s.before + s.before_rows[a] * s.before_stride;
    const T* const kept = s.kept_cells + n * C;
    const T* const dy = s.dy == nullptr ? nullptr : s.dy + n * s.dy_stride;
    T *const dstate = s.dstate + a * C, *const dcells = s.dcells + a * C;
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      auto dh = part.load(dstate);
      if (dy != nullptr) dh = Add(dh, part.load(dy));
      const auto i = part.load(gates), f = part.load(gates + C), g = part.load(gates + 2 * C),
                 o = part.load(gates + 3 * C);
      const auto t = Tanh(d, part.load(kept));
      const auto dc = Add(part.load(dcells), through_tanh(d, Mul(dh, o), t));
      part.store(Mul(dc, f), dcells);
      const auto put = [&](auto v, Dim gate) HWY_ATTR {
        part.store(v, gates + gate * C);
        part.store(v, dproduct + gate * C);
      };
      put(through_sigmoid<D>(Mul(dc, g), i), 0);
      put(through_sigmoid<D>(Mul(dc, part.load(before)), f), 1);
      put(through_tanh(d, Mul(dc, i), g), 2);
      put(through_sigmoid<D>(Mul(dh, t), o), 3);
    });
  }
}

template <typename T>
void gru_backward(const kernels::CellStepBackward<T>& s, Dim begin, Dim end) {
  using D = Tag<T>;
  const D d;
  const Dim C = s.C;
  for (Dim a = begin; a < end; ++a) {
    const Dim n = s.rows[a];
    T *const gates = s.gates + n * 4 * C, *const dproduct = s.dproduct + a * 3 * C;
    T* const dinput = s.dinput == nullptr ? nullptr : s.dinput + a * 3 * C;
    const T* const before = s.before + s.before_rows[a] * s.before_stride;
    const T* const dy = s.dy == nullptr ? nullptr : s.dy + n * s.dy_stride;
    T* const dstate = s.dstate + a * C;
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      auto dh = part.load(dstate);
      if (dy != nullptr) dh = Add(dh, part.load(dy));
      const auto r = part.load(gates), z = part.load(gates + C), candidate = part.load(gates + 2 * C),
                 hidden = part.load(gates + 3 * C);
      const auto dn = through_tanh(d, NegMulAdd(dh, z, dh), candidate);
      const auto dz = through_sigmoid<D>(Mul(dh, Sub(part.load(before), candidate)), z);
      const auto dr = through_sigmoid<D>(Mul(dn, hidden), r);
      const auto dhidden = Mul(dn, r);
      part.store(Mul(dh, z), dstate);
      part.store(dr, gates);
      part.store(dz, gates + C);
      part.store(dn, gates + 2 * C);
      part.store(dhidden, gates + 3 * C);
      part.store(dr, dproduct);
      part.store(dz, dproduct + C);
      part.store(dhidden, dproduct + 2 * C);
      if (dinput == nullptr) return;
      part.store(dr, dinput);
      part.store(dz, dinput + C);
      part.store(dn, dinput + 2 * C);
    });
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(lstm_forward);
RAPT_EXPORT(gru_forward);
RAPT_EXPORT(lstm_backward);
RAPT_EXPORT(gru_backward);

namespace kernels {

template <typename T>
void cell_forward(const CellStep<T>& step) {
  count_elements<T>(14 * step.A * step.C);
  parallel_blocks(step.A, rows_per_block(4 * step.C), [&](Dim begin, Dim end) {
    if (step.cell == RecurrentCell::kLstm) {
      RAPT_DISPATCH(T, lstm_forward)(step, begin, end);
    } else {
      RAPT_DISPATCH(T, gru_forward)(step, begin, end);
    }
  });
}
RAPT_INSTANTIATE(cell_forward);

template <typename T>
void cell_backward(const CellStepBackward<T>& step) {
  count_elements<T>(18 * step.A * step.C);
  parallel_blocks(step.A, rows_per_block(4 * step.C), [&](Dim begin, Dim end) {
    if (step.cell == RecurrentCell::kLstm) {
      RAPT_DISPATCH(T, lstm_backward)(step, begin, end);
    } else {
      RAPT_DISPATCH(T, gru_backward)(step, begin, end);
    }
  });
}
RAPT_INSTANTIATE(cell_backward);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
