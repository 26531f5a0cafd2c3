// Checks gradients against central differences.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/variable.h"

namespace rapt {

/// A function of some variables whose gradient is checked. It must be deterministic.
using Differentiable = std::function<Variable(const std::vector<Variable>&)>;

struct GradcheckOptions {
  double step = 1e-5;       ///< step of the central difference, relative to max(1, |x|)
  double tolerance = 1e-6;  ///< relative to the largest derivative of the same input
  double absolute = 1e-9;   ///< absolute error that is tolerated as noise
  Dim full_up_to = 300;     ///< larger inputs are checked at this many elements, evenly spaced
  std::uint64_t seed = 1;   ///< seed of the output weights
};

struct GradcheckResult {
  bool passed = true;
  double worst = 0;     ///< largest relative error
  std::string message;  ///< the first element that failed: input, index, both derivatives
  explicit operator bool() const { return passed; }
};

/// Compares the gradient of sum(w * f(inputs)), w random, with central differences in every input that requires a
/// gradient. The weights matter: the plain sum of a softmax is constant, so a backward that returned nothing would
/// pass. Also checks that backward adds to an existing gradient, and that two backward passes give the same bits.
/// \param inputs  f64
GradcheckResult gradcheck(const Differentiable& f, std::vector<Variable> inputs, const GradcheckOptions& options = {});

}  // namespace rapt
