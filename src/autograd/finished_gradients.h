// A backward pass that says of each gradient when it is complete, so that work on it can begin during the pass.
#pragma once

#include <functional>

#include "autograd/variable.h"

namespace rapt {

/// backward(loss), calling `done` after the last op that may add to a gradient has run. It is not called for what a
/// recomputed block uses: such a block's ops are not on the tape before it runs again.
void backward_with(const Variable& loss, const std::function<void(const Gradient&)>& done);

}  // namespace rapt
