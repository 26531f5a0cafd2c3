#include "nn/feed_forward.h"

#include "autograd/ops/feed_forward.h"

namespace rapt {

FeedForward::FeedForward(const Options& options, Initializer& init)
    : activation_(options.activation),
      up_({.in = options.width, .out = options.inner, .bias = options.bias, .std = options.std}, init),
      down_({.in = options.inner, .out = options.width, .bias = options.bias, .std = options.out_std}, init) {}

Variable FeedForward::forward(const Variable& x) const {
  return feed_forward(x, up_.weight(), up_.bias(), down_.weight(), down_.bias(), activation_);
}

void FeedForward::visit(ParameterVisitor& v) {
  v.child("up", up_);
  v.child("down", down_);
}

}  // namespace rapt
