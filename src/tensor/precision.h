// In which type layers keep the operands of their products.
#pragma once

#include <atomic>

namespace rapt {

/// kBf16: layers of f32 narrow the operands of their products to bf16 and sum in f32. All else stays f32.
enum class Precision { kF32, kBf16 };

namespace detail {
inline std::atomic<Precision> g_precision{Precision::kF32};
}  // namespace detail

/// The precision of the program's layers, kF32 at first. A backward pass keeps the one of its forward pass.
inline Precision product_precision() { return detail::g_precision.load(std::memory_order_relaxed); }
inline void set_product_precision(Precision precision) { detail::g_precision = precision; }

}  // namespace rapt
