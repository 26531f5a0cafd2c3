// Reverse-mode differentiation on an eager tape. An op computes its value and appends one node with a closure that
// propagates its gradient; backward() walks the tape once in reverse and frees it on the way.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace rapt {

/// The gradient that reaches a variable. The tape keeps this instead of the variable, so a value is freed as soon as
/// nothing else refers to it: an op's closure keeps the tensors that its formula uses, and nothing else stays in
/// memory.
struct Gradient {
  Tensor sum;  ///< undefined until a gradient has reached it
  Shape shape;
  DType dtype = DType::kF32;
  bool wanted = false;
  bool borrowed = false;  ///< `sum` may also be another variable's gradient: copy it before adding
};

/// A handle to a tensor that has a gradient. Copies refer to the same variable.
class Variable {
 public:
  Variable() = default;
  /// A leaf. With `requires_grad`, backward() adds its gradient to grad().
  explicit Variable(Tensor value, bool requires_grad = false);

  bool defined() const { return value_ != nullptr; }
  const Tensor& value() const { return *value_; }
  Tensor& value() { return *value_; }
  const Shape& shape() const { return value_->shape(); }
  DType dtype() const { return value_->dtype(); }
  bool requires_grad() const { return gradient_ != nullptr && gradient_->wanted; }

  /// d(loss)/d(this), summed over all backward() calls since it was last cleared; undefined if no gradient reached it.
  const Tensor& grad() const { return gradient_->sum; }
  Tensor& grad() { return gradient_->sum; }
  void clear_grad() {
    gradient_->sum = Tensor();
    gradient_->borrowed = false;
  }

  /// Replaces the value by a view of a flat buffer (same shape), for optimisers.
  void rebind(Tensor value);

  /// Stops computing a gradient for this leaf.
  void freeze() { gradient_->wanted = false; }

  /// For the tape.
  const std::shared_ptr<Gradient>& gradient() const { return gradient_; }

 private:
  std::shared_ptr<Tensor> value_;
  std::shared_ptr<Gradient> gradient_;
};

/// The gradients of the given variables; for ops that add to gradients during the forward pass.
std::vector<std::shared_ptr<Gradient>> gradients_of(const std::vector<Variable>& variables);

/// The gradients of a node's inputs, as its backward function sees them. Check wants() to skip inputs that need none.
class Grads {
 public:
  explicit Grads(std::span<const std::shared_ptr<Gradient>> inputs) : inputs_(inputs) {}

  bool wants(std::size_t input) const { return inputs_[input] != nullptr && inputs_[input]->wanted; }

  /// The gradient of an input, to *add* to; zeros if no gradient has reached it yet.
  template <typename T>
  T* data(std::size_t input) {
    return sum(input).data<T>();
  }
  Tensor& sum(std::size_t input);

  /// The gradient of an input, and whether to assign or to add to it. Kernels that can do both save the pass that
  /// writes zeros. Take a slot only when about to fill it: two inputs may be the same variable.
  struct Slot {
    Tensor tensor;
    Write write;
  };
  Slot slot(std::size_t input);

  /// Adds `gradient`, of the input's size. If it is the first one, it is kept and not copied, which makes sums and
  /// reshapes cheap.
  void give(std::size_t input, const Tensor& gradient);

 private:
  std::span<const std::shared_ptr<Gradient>> inputs_;
};

/// The backward function of an op with one output: adds to the gradients of its inputs, given the gradient of its
/// output.
using Backward = std::function<void(const Tensor& dy, Grads d)>;
/// The same for several outputs. The gradient of an output that the loss does not depend on is undefined.
using BackwardMany = std::function<void(std::span<const Tensor> dy, Grads d)>;

/// Wraps the value that an op computed. If any input requires a gradient and no NoGrad exists, appends the op to the
/// tape.
///
/// \param name  of the op, a literal; for OpObserver
Variable record(const char* name, Tensor value, std::vector<Variable> inputs, Backward backward);
std::vector<Variable> record_many(const char* name, std::vector<Tensor> values, std::vector<Variable> inputs,
                                  BackwardMany backward);

/// Whether an op with these inputs would be recorded. Ops check this before they keep something for the backward pass
/// only.
bool is_recording(std::initializer_list<const Variable*> inputs);

/// Adds d(loss)/d(leaf) to every leaf that requires a gradient, and empties the tape.
/// \param loss  one element
/// \param scale the gradient of the loss itself, 1 by default
/// \throws ShapeError  if loss is not one element; std::invalid_argument if it depends on no variable that requires a
///     gradient
void backward(const Variable& loss, double scale = 1.0);

/// Empties the tape: for an error that left a forward pass unfinished.
void clear_tape();
/// Number of ops on the tape.
std::size_t tape_size();

/// While an object of this class exists, ops are not recorded.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// Runs `block` without recording its ops, and runs it again during backward(): trades time for memory. Its
/// intermediate values are not kept. `block` must compute the same both times, which holds if its random numbers are a
/// function of where they are used. Parameters that `block` uses get their gradients as usual. Chen, Xu, Zhang,
/// Guestrin, "Training Deep Nets with Sublinear Memory Cost", 2016, arXiv 1604.06174.
Variable recompute(std::function<Variable(std::span<const Variable>)> block, const std::vector<Variable>& inputs);
/// The same for a block with one input.
Variable recompute(std::function<Variable(const Variable&)> block, const Variable& x);

/// Called after every op on this thread, forward and backward: for profiles and checks. The ops of a recomputed block
/// are reported each time they run.
class OpObserver {
 public:
  OpObserver() = default;
  virtual ~OpObserver() = default;
  OpObserver(const OpObserver&) = delete;
  OpObserver& operator=(const OpObserver&) = delete;

  /// Called after `op` has computed `outputs` from `inputs`. An omitted input (a bias) is undefined.
  virtual void forward_done(const char* op, std::span<const Variable> inputs, std::span<const Tensor> outputs) = 0;
  /// Called after `op` has added to the gradients of those inputs that require one. An omitted input is nullptr.
  virtual void backward_done(const char* op, std::span<const std::shared_ptr<Gradient>> inputs) = 0;
};

/// While an object of this class exists, `observer` is called instead of the previous one.
class Observed {
 public:
  /// \param observer  nullptr: no observer
  explicit Observed(OpObserver* observer);
  ~Observed();
  Observed(const Observed&) = delete;
  Observed& operator=(const Observed&) = delete;

 private:
  OpObserver* before_;
};

}  // namespace rapt
