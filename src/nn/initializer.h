// Initial values of parameters.
#pragma once

#include <cstdint>

#include "autograd/variable.h"
#include "tensor/random.h"

namespace rapt {

/// The standard deviation of initial weights: N(0, std^2), for BERT truncated at two std.
struct InitStd {
  double std = 0.02;
  bool truncated = false;

  constexpr InitStd(double value, bool cut = false) : std(value), truncated(cut) {}  // NOLINT: mostly a plain number
};

/// Makes the parameters of a model, one after the other. Each gets its own random stream, so the values depend on the
/// seed and on the order in which the model makes its parameters, but not on threads.
class Initializer {
 public:
  explicit Initializer(std::uint64_t seed, DType dtype = DType::kF32) : seed_(seed), dtype_(dtype) {}

  /// For models whose parameters are read from a file immediately: their contents stay undefined.
  static Initializer unset(DType dtype = DType::kF32) {
    Initializer init(0, dtype);
    init.unset_ = true;
    return init;
  }

  DType dtype() const { return dtype_; }
  bool is_unset() const { return unset_; }

  Variable normal(const Shape& shape, InitStd spread);
  /// U(-bound, bound).
  Variable uniform(const Shape& shape, double bound);
  Variable zeros(const Shape& shape) { return constant(shape, 0); }
  Variable ones(const Shape& shape) { return constant(shape, 1); }

 private:
  Variable constant(const Shape& shape, double value);
  template <typename Draw>
  Variable draw(const Shape& shape, const Draw& draw);

  std::uint64_t seed_;
  DType dtype_;
  std::uint64_t made_ = 0;
  bool unset_ = false;
};

}  // namespace rapt
