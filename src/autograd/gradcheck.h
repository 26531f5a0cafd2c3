// Checks gradients against central differences.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/variable.h"

namespace rapt {

/// A function of some variables whose gradient is in question. It must compute the same every time.
using Differentiable = std::function<Variable(const std::vector<Variable>&)>;

struct GradcheckOptions {
  double step = 1e-5;       ///< of the central difference, relative to max(1, |x|)
  double tolerance = 1e-6;  ///< relative to the largest derivative of the same input
  double absolute = 1e-9;   ///< noise that is let pass
  Dim full_up_to = 300;     ///< inputs of more elements are checked at this many of them, spread evenly
  std::uint64_t seed = 1;   ///< of the weights of the output
};

struct GradcheckResult {
  bool passed = true;
  double worst = 0;     ///< largest relative error
  std::string message;  ///< the first element that failed: input, index, both derivatives
  explicit operator bool() const { return passed; }
};

/// Compares the gradient of sum(w * f(inputs)), w drawn at random, with central differences in every input that wants a
/// gradient. The weights matter: the plain sum of a softmax is constant, and a backward that returned nothing would
/// pass. Also checks that backward adds to a gradient that is there already, and that running it twice gives the same
/// bits. \param inputs  f64
GradcheckResult gradcheck(const Differentiable& f, std::vector<Variable> inputs, const GradcheckOptions& options = {});

}  // namespace rapt
