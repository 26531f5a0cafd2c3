#include "nn/recurrent.h"

#include <cmath>

#include "autograd/ops/dropout.h"

namespace rapt {

Variable RecurrentSpread::draw(Initializer& init, const Shape& shape, Dim width) const {
  if (std > 0) return shape.rank() < 2 ? init.zeros(shape) : init.normal(shape, std);
  return init.uniform(shape, range > 0 ? range : 1 / std::sqrt(static_cast<double>(width)));
}

RecurrentStack::Layer::Layer(const Options& options, Dim in, Initializer& init) {
  const Dim rows = gates_of(options.cell) * options.width;
  for (int direction = 0; direction < (options.bidirectional ? 2 : 1); ++direction) {
    RecurrentWeights w;
    w.input = options.spread.draw(init, {rows, in}, options.width);
    w.recurrent = options.spread.draw(init, {rows, options.width}, options.width);
    if (options.bias) {
      w.input_bias = options.spread.draw(init, {rows}, options.width);
      w.recurrent_bias = options.spread.draw(init, {rows}, options.width);
    }
    directions.push_back(w);
  }
}

void RecurrentStack::Layer::visit(ParameterVisitor& v) {
  for (std::size_t k = 0; k < directions.size(); ++k) {
    const std::string prefix = k == 0 ? "" : "reverse.";
    RecurrentWeights& w = directions[k];
    v.parameter(prefix + "input_weight", w.input);
    v.parameter(prefix + "recurrent_weight", w.recurrent);
    v.parameter(prefix + "input_bias", w.input_bias);
    v.parameter(prefix + "recurrent_bias", w.recurrent_bias);
  }
}

RecurrentStack::RecurrentStack(const Options& options, Initializer& init) : options_(options) {
  const Dim below = options.width * (options.bidirectional ? 2 : 1);
  for (Dim l = 0; l < options.layers; ++l) layers_.emplace_back(options, l == 0 ? options.in : below, init);
}

RecurrentStack::Output RecurrentStack::forward(const Variable& x, const Packed& layout, Context& ctx,
                                               const std::vector<RecurrentState>& initial,
                                               std::vector<Tensor>* trace) const {
  Output output{.y = x, .last = {}};
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    if (l > 0) {
      const DropoutKey key = ctx.dropout_key();
      output.y = dropout(output.y, ctx.training ? options_.dropout : 0, key);
    }
    RecurrentOutput layer = recurrent(options_.cell, output.y, layout, layers_[l].directions,
                                      initial.empty() ? RecurrentState{} : initial[l]);
    output.y = layer.y;
    output.last.push_back(layer.last);
    if (trace != nullptr) trace->push_back(layer.y.value());
  }
  return output;
}

std::vector<RecurrentWeights> RecurrentStack::weights() const {
  std::vector<RecurrentWeights> all;
  for (const Layer& layer : layers_) all.push_back(layer.directions.front());
  return all;
}

std::vector<Tensor> RecurrentStack::dropout_masks(Dim rows, Context& ctx) const {
  std::vector<Tensor> masks;
  for (std::size_t l = 1; l < layers_.size(); ++l) {
    const DropoutKey key = ctx.dropout_key();
    if (!ctx.training || options_.dropout == 0) continue;
    const DType dtype = layers_.front().directions.front().input.dtype();
    masks.push_back(dropout(Variable(Tensor::full({rows, options_.width}, 1, dtype)), options_.dropout, key).value());
  }
  return masks;
}

void RecurrentStack::visit(ParameterVisitor& v) {
  for (std::size_t l = 0; l < layers_.size(); ++l) v.child(std::to_string(l), layers_[l]);
}

}  // namespace rapt
