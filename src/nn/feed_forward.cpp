#include "nn/feed_forward.h"

#include "autograd/ops/feed_forward.h"

namespace rapt {

FeedForward::FeedForward(const Options& options, Initializer& init)
    : activation_(options.activation),
      up_({.in = options.width,
           .out = options.inner,
           .bias = options.bias,
           .std = options.std,
           .adapters = whole_adapter(options.lora, options.lora.up, options.inner)},
          init),
      down_({.in = options.inner,
             .out = options.width,
             .bias = options.bias,
             .std = options.out_std,
             .adapters = whole_adapter(options.lora, options.lora.down, options.width)},
            init) {}

Variable FeedForward::forward(const Variable& x, Context& ctx) const {
  if (up_.has_adapters() || down_.has_adapters()) return down_.forward(up_.forward(x, ctx, activation_), ctx);
  return feed_forward(x, up_.weight(), up_.bias(), down_.weight(), down_.bias(), activation_);
}

void FeedForward::visit(ParameterVisitor& v) {
  v.child("up", up_);
  v.child("down", down_);
}

}  // namespace rapt
