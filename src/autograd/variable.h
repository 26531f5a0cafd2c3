// Reverse-mode differentiation on an eager tape: an op computes its value and appends one node with the closure that
// leads its gradient back; backward() walks the tape once, from its end, and frees it as it goes.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace rapt {

/// What flows back to a variable. The tape keeps this and not the variable, whose value is so free as soon as nobody
/// holds it: an op's closure keeps the tensors that its formula uses, and nothing else stays in memory.
struct Gradient {
  Tensor sum;  ///< undefined until something has reached it
  Shape shape;
  DType dtype = DType::kF32;
  bool wanted = false;
  bool borrowed = false;  ///< `sum` may be another variable's gradient as well: copy it before adding
};

/// A handle to a tensor that gradients flow to. Copies are the same variable.
class Variable {
 public:
  Variable() = default;
  /// A leaf. With `requires_grad`, backward() leaves its gradient in grad().
  explicit Variable(Tensor value, bool requires_grad = false);

  bool defined() const { return value_ != nullptr; }
  const Tensor& value() const { return *value_; }
  Tensor& value() { return *value_; }
  const Shape& shape() const { return value_->shape(); }
  DType dtype() const { return value_->dtype(); }
  bool requires_grad() const { return gradient_ != nullptr && gradient_->wanted; }

  /// d(loss)/d(this), summed over all backward() calls since it was last cleared; undefined if none reached it.
  const Tensor& grad() const { return gradient_->sum; }
  Tensor& grad() { return gradient_->sum; }
  void clear_grad() {
    gradient_->sum = Tensor();
    gradient_->borrowed = false;
  }

  /// Replaces value and gradient by views into flat buffers (same shape), as optimisers keep them. Gradients are then
  /// added to `grad`, which must hold zeros or an earlier sum.
  void rebind(Tensor value, Tensor grad);

  /// From now on no gradient is computed for this leaf.
  void freeze() { gradient_->wanted = false; }

  /// For the tape.
  const std::shared_ptr<Gradient>& gradient() const { return gradient_; }

 private:
  std::shared_ptr<Tensor> value_;
  std::shared_ptr<Gradient> gradient_;
};

/// What flows back to each of them; for ops that add to gradients during the forward pass.
std::vector<std::shared_ptr<Gradient>> gradients_of(const std::vector<Variable>& variables);

/// Where a node's backward puts the gradients of its inputs. Inputs that want none are skipped by asking wants().
class Grads {
 public:
  explicit Grads(std::span<const std::shared_ptr<Gradient>> inputs) : inputs_(inputs) {}

  bool wants(std::size_t input) const { return inputs_[input] != nullptr && inputs_[input]->wanted; }

  /// The gradient of an input to *add* to; zeros when nothing has reached it yet.
  template <typename T>
  T* data(std::size_t input) {
    return sum(input).data<T>();
  }
  Tensor& sum(std::size_t input);

  /// The gradient of an input and whether to assign or to add to it: saves kernels that can do both the pass that
  /// zeroes. Take a slot when about to fill it: two inputs may be the same variable.
  struct Slot {
    Tensor tensor;
    Write write;
  };
  Slot slot(std::size_t input);

  /// Adds `gradient`, of the input's size. If it is the first one it is kept, not copied: the cheap way through for
  /// sums and changes of shape.
  void give(std::size_t input, const Tensor& gradient);

 private:
  std::span<const std::shared_ptr<Gradient>> inputs_;
};

/// The way back of an op with one output: adds to the gradients of its inputs, given that of its output.
using Backward = std::function<void(const Tensor& dy, Grads d)>;
/// The same for several outputs; the gradient of an output that nothing came from is undefined.
using BackwardMany = std::function<void(std::span<const Tensor> dy, Grads d)>;

/// Wraps the value that an op computed and, if any input wants a gradient and no NoGrad is alive, appends the op to the
/// tape. \param name  of the op, a literal; for profiles and messages
Variable record(const char* name, Tensor value, std::vector<Variable> inputs, Backward backward);
std::vector<Variable> record_many(const char* name, std::vector<Tensor> values, std::vector<Variable> inputs,
                                  BackwardMany backward);

/// Whether an op of these inputs would be recorded; ops ask when they would keep something only for the way back.
bool is_recording(std::initializer_list<const Variable*> inputs);

/// Adds d(loss)/d(leaf) to every leaf that wants it and empties the tape.
/// \param loss  one element
/// \param scale what the gradient of the loss itself is, 1 by default
/// \throws ShapeError  if loss is not one element; std::invalid_argument if nothing that wants a gradient led to it
void backward(const Variable& loss, double scale = 1.0);

/// Forgets what was recorded: after an error that left a forward pass unfinished.
void clear_tape();
/// Ops on the tape.
std::size_t tape_size();

/// While one lives, ops are not recorded.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// Runs `block` without recording its ops, and runs it again during backward(): memory for time. Nothing of its inside
/// is kept in between. `block` must compute the same both times (randomness as a function of where it is used does).
/// Parameters that `block` uses get their gradients as usual.
/// Chen, Xu, Zhang, Guestrin, "Training Deep Nets with Sublinear Memory Cost", 2016, arXiv 1604.06174.
Variable recompute(std::function<Variable(const Variable&)> block, const Variable& x);

/// Called around every node's backward when set: what `--profile` measures with. nullptr to stop.
using OpTimer = void (*)(const char* name, bool begin);
void set_op_timer(OpTimer timer);

}  // namespace rapt
