#include "nn/linear.h"

#include "autograd/ops/linear.h"

namespace rapt {

Linear::Linear(const Options& options, Initializer& init)
    : weight_(init.normal({options.out, options.in}, options.std)),
      bias_(options.bias ? init.zeros({options.out}) : Variable()) {}

Variable Linear::forward(const Variable& x, Activation activation) const {
  return linear(x, weight_, bias_, activation);
}

void Linear::visit(ParameterVisitor& v) {
  v.parameter("weight", weight_);
  v.parameter("bias", bias_);
}

}  // namespace rapt
