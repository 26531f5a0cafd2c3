#include "autograd/ops/squared_error.h"

#include <string>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/sum.h"

namespace rapt {

Variable squared_error(const Variable& x, const Tensor& targets, double scale) {
  require_shape(x.shape() == targets.shape() && x.dtype() == targets.dtype(), [&] {
    return std::string("squared_error: targets must be ") + x.shape().to_string() + " " + name_of(x.dtype()) +
           ", got " + targets.shape().to_string() + " " + name_of(targets.dtype());
  });
  const Variable difference = x + rapt::scale(Variable(targets), -1);
  return rapt::scale(sum(difference * difference), scale);
}

}  // namespace rapt
