// Computes in another precision for a while.
#pragma once

#include "tensor/precision.h"

namespace rapt::testing {

class WithPrecision {
 public:
  explicit WithPrecision(Precision precision) : before_(product_precision()) { set_product_precision(precision); }
  ~WithPrecision() { set_product_precision(before_); }
  WithPrecision(const WithPrecision&) = delete;
  WithPrecision& operator=(const WithPrecision&) = delete;

 private:
  Precision before_;
};

}  // namespace rapt::testing
