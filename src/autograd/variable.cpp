#include "autograd/variable.h"

#include <cstring>
#include <string>
#include <utility>

#include "tensor/parallel.h"

namespace rapt {

struct Node {
  const char* name;
  std::vector<Variable> outputs;
  std::vector<Variable> inputs;
  Backward one;
  BackwardMany many;
};

/// What was recorded on this thread, oldest first.
class Tape {
 public:
  static Tape*& current() {
    thread_local Tape outermost;
    thread_local Tape* tape = &outermost;
    return tape;
  }

  std::vector<Node> nodes;

  // Makes gradients flow from `output`, whose own gradient is `seed`, and empties the tape.
  void run(const Variable& output, Tensor seed);
};

namespace {

thread_local bool t_recording = true;
OpTimer g_op_timer = nullptr;

template <typename T>
void add_to(Tensor& sum, const Tensor& x) {
  T* const out = sum.data<T>();
  const T* const in = x.data<T>();
  parallel_blocks(sum.size(), 16384, [&](Dim begin, Dim end) {
    for (Dim i = begin; i < end; ++i) out[i] += in[i];
  });
}

}  // namespace

Variable::Variable(Tensor value, bool requires_grad) : state_(std::make_shared<State>()) {
  state_->value = std::move(value);
  state_->requires_grad = requires_grad;
}

void Variable::rebind(Tensor value, Tensor grad) {
  require_shape(value.shape() == shape() && (!grad.defined() || grad.shape() == shape()), [&] {
    return "variable: " + shape().to_string() + " cannot be rebound to " + value.shape().to_string();
  });
  state_->value = std::move(value);
  state_->grad = std::move(grad);
}

Tensor& Grads::sum(std::size_t input) {
  Variable::State& state = *inputs_[input].state_;
  if (!state.grad.defined()) {
    state.grad = Tensor::zeros(state.value.shape(), state.value.dtype());
  } else if (state.grad.sharers() > 1 && state.borrowed) {
    state.grad = state.grad.clone();  // another variable's gradient is the same tensor
    state.borrowed = false;
  }
  return state.grad;
}

Grads::Slot Grads::slot(std::size_t input) {
  Variable::State& state = *inputs_[input].state_;
  if (state.grad.defined()) return {sum(input), Write::kAdd};
  state.grad = Tensor::empty(state.value.shape(), state.value.dtype());
  return {state.grad, Write::kAssign};
}

void Grads::give(std::size_t input, const Tensor& gradient) {
  if (!wants(input)) return;
  Variable::State& state = *inputs_[input].state_;
  if (!state.grad.defined()) {
    state.grad = gradient.reshape(state.value.shape());
    state.borrowed = true;
    return;
  }
  Tensor& total = sum(input);
  dispatch_float(total.dtype(), [&]<typename T>() { add_to<T>(total, gradient); });
}

static bool any_wants(const std::vector<Variable>& inputs) {
  for (const Variable& input : inputs) {
    if (input.requires_grad()) return true;
  }
  return false;
}

bool is_recording(std::initializer_list<const Variable*> inputs) {
  if (!t_recording) return false;
  for (const Variable* input : inputs) {
    if (input->requires_grad()) return true;
  }
  return false;
}

Variable record(const char* name, Tensor value, std::vector<Variable> inputs, Backward backward) {
  const bool tracked = t_recording && any_wants(inputs);
  Variable output(std::move(value), tracked);
  if (tracked) Tape::current()->nodes.push_back({name, {output}, std::move(inputs), std::move(backward), nullptr});
  return output;
}

std::vector<Variable> record_many(const char* name, std::vector<Tensor> values, std::vector<Variable> inputs,
                                  BackwardMany backward) {
  const bool tracked = t_recording && any_wants(inputs);
  std::vector<Variable> outputs;
  for (Tensor& value : values) outputs.emplace_back(std::move(value), tracked);
  if (tracked) Tape::current()->nodes.push_back({name, outputs, std::move(inputs), nullptr, std::move(backward)});
  return outputs;
}

void Tape::run(const Variable& output, Tensor seed) {
  const NoGrad no_grad;
  Variable last = output;
  last.grad() = std::move(seed);
  while (!nodes.empty()) {
    Node node = std::move(nodes.back());
    nodes.pop_back();
    bool reached = false;
    std::vector<Tensor> dy;
    for (Variable& y : node.outputs) {
      reached = reached || y.grad().defined();
      dy.push_back(std::move(y.grad()));
      y.clear_grad();
    }
    if (!reached) continue;
    // The outputs' values and gradients go before the closure runs its own: what only they held is free already.
    node.outputs.clear();
    if (g_op_timer != nullptr) g_op_timer(node.name, true);
    if (node.one) {
      node.one(dy[0], Grads(node.inputs));
    } else {
      node.many(dy, Grads(node.inputs));
    }
    if (g_op_timer != nullptr) g_op_timer(node.name, false);
  }
}

void backward(const Variable& loss, double scale) {
  require_shape(loss.defined() && loss.value().size() == 1, [&] {
    return "backward: the loss must be one element, got " + (loss.defined() ? loss.shape().to_string() : "none");
  });
  if (!loss.requires_grad()) {
    throw std::invalid_argument("backward: nothing that wants a gradient led to the loss");
  }
  struct Emptied {  // whatever happens, the next forward pass starts on an empty tape
    ~Emptied() { clear_tape(); }
  } emptied;
  Tape::current()->run(loss, Tensor::full(loss.shape(), scale, loss.dtype()));
}

void clear_tape() { Tape::current()->nodes.clear(); }
std::size_t tape_size() { return Tape::current()->nodes.size(); }

NoGrad::NoGrad() : before_(std::exchange(t_recording, false)) {}
NoGrad::~NoGrad() { t_recording = before_; }

Variable recompute(std::function<Variable(const Variable&)> block, const Variable& x) {
  if (!t_recording) return block(x);
  Tensor y;
  {
    const NoGrad no_grad;
    y = block(x).value();
  }
  // The inside may hold parameters even if x wants no gradient, so the node is recorded in any case.
  Variable input = x.requires_grad() ? x : Variable(x.value(), true);
  return record("recompute", y, {input}, [block = std::move(block), value = x.value()](const Tensor& dy, Grads d) {
    Tape inner;
    Tape* const outer = std::exchange(Tape::current(), &inner);
    const bool recording = std::exchange(t_recording, true);
    struct Restore {
      Tape* outer;
      bool recording;
      ~Restore() {
        Tape::current() = outer;
        t_recording = recording;
      }
    } restore{outer, recording};
    const Variable again(value, true);
    const Variable output = block(again);
    inner.run(output, dy);
    if (again.grad().defined()) d.give(0, again.grad());
  });
}

void set_op_timer(OpTimer timer) { g_op_timer = timer; }

}  // namespace rapt
