#include "nn/feed_forward.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/feed_forward.h"
#include "nn/dropout.h"

namespace rapt {

FeedForward::FeedForward(const Options& options, Initializer& init)
    : activation_(options.activation),
      dropout_(options.dropout),
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
            init) {
  if (!options.gated) return;
  gate_.emplace(Linear::Options{.in = options.width, .out = options.inner, .bias = options.bias, .std = options.std},
                init);
}

Variable FeedForward::forward(const Variable& x, Context& ctx) const {
  const bool plain = !gate_ && dropout_ == 0 && !up_.has_adapters() && !down_.has_adapters();
  if (plain) return feed_forward(x, up_.weight(), up_.bias(), down_.weight(), down_.bias(), activation_);
  Variable inner = gate_ ? gate_->forward(x, activation_) * up_.forward(x, ctx) : up_.forward(x, ctx, activation_);
  if (dropout_ > 0) inner = Dropout(dropout_).forward(inner, ctx);  // [N, F]
  return down_.forward(inner, ctx);
}

void FeedForward::visit(ParameterVisitor& v) {
  v.child("up", up_);
  if (gate_) v.child("gate", *gate_);
  v.child("down", down_);
}

}  // namespace rapt
