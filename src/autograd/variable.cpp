#include "autograd/variable.h"

#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>

#include "autograd/finished_gradients.h"
#include "tensor/parallel.h"
#include "tensor/work.h"

namespace rapt {

struct Node {
  const char* name;
  std::vector<std::shared_ptr<Gradient>> outputs;
  std::vector<std::shared_ptr<Gradient>> inputs;
  Backward one;
  BackwardMany many;
};

/// The ops recorded on this thread, oldest first.
class Tape {
 public:
  static Tape*& current() {
    thread_local Tape outermost;
    thread_local Tape* tape = &outermost;
    return tape;
  }

  std::vector<Node> nodes;

  // Propagates gradients from the output that `last` belongs to, whose own gradient is `seed`, and empties the tape.
  // \param done  as for backward_with(); nullptr: not needed
  void run(Gradient& last, Tensor seed, const std::function<void(const Gradient&)>* done);
};

namespace {

thread_local bool t_recording = true;
thread_local OpObserver* t_observer = nullptr;

template <typename T>
void add_to(Tensor& sum, const Tensor& x) {
  count_elements<T>(3 * sum.size());
  T* const out = sum.data<T>();
  const T* const in = x.data<T>();
  parallel_blocks(sum.size(), 16384, [&](Dim begin, Dim end) {
    for (Dim i = begin; i < end; ++i) out[i] += in[i];
  });
}

}  // namespace

Variable::Variable(Tensor value, bool requires_grad) : value_(std::make_shared<Tensor>(std::move(value))) {
  gradient_ = std::make_shared<Gradient>();
  gradient_->shape = value_->shape();
  gradient_->dtype = value_->dtype();
  gradient_->wanted = requires_grad;
}

void Variable::rebind(Tensor value) {
  require_shape(value.shape() == shape(), [&] {
    return "variable: " + shape().to_string() + " cannot be rebound to " + value.shape().to_string();
  });
  *value_ = std::move(value);
}

Tensor& Grads::sum(std::size_t input) {
  Gradient& g = *inputs_[input];
  if (!g.sum.defined()) {
    g.sum = Tensor::zeros(g.shape, g.dtype);
  } else if (g.sum.sharers() > 1 && g.borrowed) {
    g.sum = g.sum.clone();  // another variable's gradient is the same tensor
    g.borrowed = false;
  }
  return g.sum;
}

Grads::Slot Grads::slot(std::size_t input) {
  Gradient& g = *inputs_[input];
  if (g.sum.defined()) return {sum(input), Write::kAdd};
  g.sum = Tensor::empty(g.shape, g.dtype);
  return {g.sum, Write::kAssign};
}

void Grads::give(std::size_t input, const Tensor& gradient) {
  if (!wants(input)) return;
  Gradient& g = *inputs_[input];
  if (!g.sum.defined()) {
    g.sum = gradient.reshape(g.shape);
    g.borrowed = true;
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

std::vector<std::shared_ptr<Gradient>> gradients_of(const std::vector<Variable>& variables) {
  std::vector<std::shared_ptr<Gradient>> gradients;
  for (const Variable& v : variables) gradients.push_back(v.gradient());
  return gradients;
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
  if (t_observer != nullptr) t_observer->forward_done(name, inputs, {&output.value(), 1});
  if (tracked) {
    Tape::current()->nodes.push_back({name, {output.gradient()}, gradients_of(inputs), std::move(backward), nullptr});
  }
  return output;
}

std::vector<Variable> record_many(const char* name, std::vector<Tensor> values, std::vector<Variable> inputs,
                                  BackwardMany backward) {
  const bool tracked = t_recording && any_wants(inputs);
  if (t_observer != nullptr) t_observer->forward_done(name, inputs, values);
  std::vector<Variable> outputs;
  for (Tensor& value : values) outputs.emplace_back(std::move(value), tracked);
  if (tracked) {
    Tape::current()->nodes.push_back({name, gradients_of(outputs), gradients_of(inputs), nullptr, std::move(backward)});
  }
  return outputs;
}

void Tape::run(Gradient& last, Tensor seed, const std::function<void(const Gradient&)>* done) {
  const NoGrad no_grad;
  last.sum = std::move(seed);
  std::unordered_map<const Gradient*, int> uses;  // by ops that have not run
  for (const Node& node : nodes) {
    if (done == nullptr) break;
    for (const auto& input : node.inputs) ++uses[input.get()];
  }
  const auto used = [&](const Node& node) {
    if (done == nullptr) return;
    for (const auto& input : node.inputs) {
      if (--uses[input.get()] == 0 && input != nullptr && input->wanted) (*done)(*input);
    }
  };
  while (!nodes.empty()) {
    Node node = std::move(nodes.back());
    nodes.pop_back();
    bool reached = false;
    std::vector<Tensor> dy;
    for (const auto& y : node.outputs) {
      reached = reached || y->sum.defined();
      dy.push_back(std::exchange(y->sum, Tensor()));
      y->borrowed = false;
    }
    if (!reached) {
      used(node);
      continue;
    }
    if (node.one) {
      node.one(dy[0], Grads(node.inputs));
    } else {
      node.many(dy, Grads(node.inputs));
    }
    if (t_observer != nullptr) t_observer->backward_done(node.name, node.inputs);
    used(node);
  }
}

static void run_backward(const Variable& loss, double scale, const std::function<void(const Gradient&)>* done) {
  require_shape(loss.defined() && loss.value().size() == 1, [&] {
    return "backward: the loss must be one element, got " + (loss.defined() ? loss.shape().to_string() : "none");
  });
  if (!loss.requires_grad()) {
    throw std::invalid_argument("backward: the loss must depend on a variable that requires a gradient");
  }
  struct Emptied {  // in any case, the next forward pass starts on an empty tape
    ~Emptied() { clear_tape(); }
  } emptied;
  Tape::current()->run(*loss.gradient(), Tensor::full(loss.shape(), scale, loss.dtype()), done);
}

void backward(const Variable& loss, double scale) { run_backward(loss, scale, nullptr); }

void backward_with(const Variable& loss, const std::function<void(const Gradient&)>& done) {
  run_backward(loss, 1, &done);
}

void clear_tape() { Tape::current()->nodes.clear(); }
std::size_t tape_size() { return Tape::current()->nodes.size(); }

NoGrad::NoGrad() : before_(std::exchange(t_recording, false)) {}
NoGrad::~NoGrad() { t_recording = before_; }

Variable recompute(std::function<Variable(std::span<const Variable>)> block, const std::vector<Variable>& inputs) {
  if (!t_recording) return block(inputs);
  Tensor y;
  {
    const NoGrad no_grad;
    y = block(inputs).value();
  }
  // The block may contain parameters even if no input requires a gradient, so the node is always recorded.
  std::vector<Variable> recorded = inputs;
  if (!recorded.front().requires_grad()) recorded.front() = Variable(recorded.front().value(), true);
  std::vector<std::pair<Tensor, bool>> kept;  // the value of each input, and whether it requires a gradient
  for (const Variable& input : recorded) kept.emplace_back(input.value(), input.requires_grad());
  return record("recompute", y, std::move(recorded), [block = std::move(block), kept](const Tensor& dy, Grads d) {
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
    std::vector<Variable> again;
    for (const auto& [value, wanted] : kept) again.emplace_back(value, wanted);
    const Variable output = block(again);
    inner.run(*output.gradient(), dy, nullptr);
    for (std::size_t i = 0; i < again.size(); ++i) {
      if (kept[i].second && again[i].grad().defined()) d.give(i, again[i].grad());
    }
  });
}

Variable recompute(std::function<Variable(const Variable&)> block, const Variable& x) {
  return recompute([block = std::move(block)](std::span<const Variable> inputs) { return block(inputs[0]); },
                   std::vector<Variable>{x});
}

Observed::Observed(OpObserver* observer) : before_(std::exchange(t_observer, observer)) {}
Observed::~Observed() { t_observer = before_; }

}  // namespace rapt
