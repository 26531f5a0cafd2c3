#include "autograd/ops/attentive_recurrence.h"

#include <memory>
#include <string>

#include "autograd/ops/attentive_pass.h"
#include "tensor/parallel.h"

namespace rapt {
namespace {

constexpr const char* kOp = "attentive_recurrence";
Tensor value_of(const Variable& v) { return v.defined() ? v.value() : Tensor(); }
Tensor weight_of(const Variable& v) { return v.defined() ? weight_operand(v.value()) : Tensor(); }

void check(const Variable& x, const Packed& layout, const AttentiveDecoder& decoder, const AttentionMemory& over) {
  const auto require = [](bool holds, const char* name, const std::string& wanted, const Variable& got) {
    require_shape(holds, [&] {
      return std::string(kOp) + ": " + name + " must be " + wanted + ", got " +
             (got.defined() ? got.shape().to_string() : "none");
    });
  };
  if (decoder.layers.empty()) throw std::invalid_argument(std::string(kOp) + ": there must be at least one layer");
  require(x.shape().rank() == 2 && x.shape()[0] == layout.rows(), "x",
          "[" + std::to_string(layout.rows()) + ", in] for this layout", x);
  const Dim S = over.layout.rows();
  require(over.memory.shape().rank() == 2 && over.memory.shape()[0] == S, "memory", "[" + std::to_string(S) + ", M]",
          over.memory);
  const Dim C = decoder.layers.back().recurrent.shape().back(), M = over.memory.shape()[1];
  const Dim fed = decoder.combine.defined() ? C : M;
  for (std::size_t l = 0; l < decoder.layers.size(); ++l) {
    check_recurrent(kOp, decoder.cell, decoder.layers[l], l == 0 ? x.shape()[1] + fed : C);
  }
  require(over.keys.shape() == Shape{S, C}, "keys", Shape{S, C}.to_string(), over.keys);
  if (decoder.score.defined()) {
    require(decoder.score.value().size() == C, "score", Shape{C}.to_string(), decoder.score);
    require(decoder.query.defined() && decoder.query.shape() == Shape{C, C}, "query", Shape{C, C}.to_string(),
            decoder.query);
  }
  if (decoder.combine.defined()) {
    require(decoder.combine.shape() == Shape{C, C + M}, "combine", Shape{C, C + M}.to_string(), decoder.combine);
  }
}

// Runs all steps: with all threads for each product, or, if a step has little work, on this thread alone, because
// threads would mostly wait for each other.
template <typename F>
void run_steps(const AttentivePass& pass, const F& steps) {
  constexpr Dim kLeastStep = Dim{1} << 22;  // operations
  const RecurrentLayer& bottom = pass.layers.front();
  if (2 * bottom.sequences() * bottom.gates_width() * bottom.C >= kLeastStep) return steps();
  parallel_for(1, [&](Dim) { steps(); });  // nested regions run on the calling thread
}

// The state after the last step, to continue from.
AttentiveState state_after(const AttentivePass& pass) {
  AttentiveState last;
  const auto unsorted = [&](const Tensor& sorted) {
    Tensor to = Tensor::empty(sorted.shape(), sorted.dtype());
    pass.layers.front().unsort(to, sorted, 0);
    return to;
  };
  for (const RecurrentLayer& layer : pass.layers) {
    last.layers.push_back({.h = Variable(unsorted(layer.state.values)),
                           .c = layer.cells.defined() ? Variable(unsorted(layer.cells)) : Variable()});
  }
  if (pass.after()) last.fed = unsorted(pass.fed.values);
  return last;
}

}  // namespace

AttentiveOutput attentive_recurrence(const Variable& x, const Packed& layout, const AttentiveDecoder& decoder,
                                     const AttentionMemory& over, const AttentiveState& initial) {
  check(x, layout, decoder, over);
  const DType dtype = x.dtype();
  std::vector<Variable> inputs = {
      x, over.keys, over.memory, decoder.score.defined() ? decoder.query : Variable(), decoder.score, decoder.combine};
  for (std::size_t l = 0; l < decoder.layers.size(); ++l) {
    const RecurrentWeights& w = decoder.layers[l];
    const RecurrentState state = l < initial.layers.size() ? initial.layers[l] : RecurrentState{};
    for (const Variable* v : {&w.input, &w.recurrent, &w.input_bias, &w.recurrent_bias, &state.h, &state.c}) {
      inputs.push_back(*v);
    }
  }
  bool recording = false;
  for (const Variable& input : inputs) recording = recording || is_recording({&input});
  if (recording && !over.sequences.empty()) {
    throw std::invalid_argument(std::string(kOp) + ": shared keys have no gradients; use NoGrad");
  }

  auto pass = std::make_shared<AttentivePass>();
  AttentivePass& p = *pass;
  p.masks = decoder.masks;
  p.groups = attention_groups(kOp, layout, over);
  p.x = operand(x.value());
  p.keys = over.keys.value();
  p.memory = over.memory.value();
  p.query = weight_of(inputs[AttentivePass::kQuery]);
  p.score = value_of(decoder.score);
  p.combine = weight_of(decoder.combine);
  const TimeSteps steps = time_steps(layout);
  for (std::size_t l = 0; l < decoder.layers.size(); ++l) {
    const Variable* const in = &inputs[AttentivePass::kLayers + AttentivePass::kPerLayer * l];
    const RecurrentTensors weights{weight_of(in[0]), weight_of(in[1]), value_of(in[2]), value_of(in[3])};
    p.layers.emplace_back(decoder.cell, weights, steps, value_of(in[4]), value_of(in[5]), 0, dtype, recording);
    p.layers.back().take_arrays(p.N(), recording);
    p.layers.back().filled = l == 0;
    p.y.push_back(Tensor::empty({p.N(), p.C()}, dtype));
  }
  const Dim B = layout.sequences(), C = p.C(), N = p.N();
  p.contexts = Tensor::empty({N, p.M()}, dtype);
  p.weights = Tensor::empty({weights_of(p.groups)}, dtype);
  p.context = StepArray(Tensor::empty({B, p.M()}, dtype), p.x);
  p.queries = Tensor::empty({B, C}, dtype);
  p.inputs = StepArray(Tensor::empty({B, C}, dtype), p.x);
  p.products = Tensor::empty({B, p.layers.front().gates_width()}, dtype);
  p.fed = p.context;
  if (p.after()) {
    p.f = Tensor::empty({N, C}, dtype);
    p.fed = StepArray(Tensor::zeros({B, C}, dtype), p.x);
    if (initial.fed.defined()) {
      dispatch_float(dtype, [&]<typename T>() {
        kernels::copy_rows<T>(p.fed.values.data<T>(), nullptr, C, initial.fed.data<T>(), steps.sequences.data(), C, B,
                              C);
      });
    }
    p.fed.changed(B);
    p.first_fed = p.fed.values.clone();
  }
  run_steps(p, [&] { dispatch_operand(p.x, [&]<typename T, typename Operand>() { p.forward<T, Operand>(); }); });
  AttentiveOutput output;
  output.weights = p.weights;
  output.last = state_after(p);
  for (RecurrentLayer& layer : p.layers) layer.product = Tensor();
  p.queries = p.products = Tensor();
  for (StepArray* scratch : {&p.inputs, &p.fed, &p.context}) *scratch = {};

  std::vector<Tensor> values = {p.after() ? p.f : p.y.back()};
  if (!p.after()) values.push_back(p.contexts);
  if (recording) p.keep_operands();
  auto outputs = record_many(kOp, std::move(values), std::move(inputs), [pass](std::span<const Tensor> dy, Grads d) {
    run_steps(*pass, [&] {
      dispatch_operand(pass->x, [&]<typename T, typename Operand>() { pass->backward<T, Operand>(dy, d); });
    });
  });
  output.states = outputs[0];
  if (!p.after()) output.contexts = outputs[1];
  return output;
}

}  // namespace rapt
