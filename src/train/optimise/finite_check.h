// Finds the op that computed the first number that is not finite, by checks on a replay of the update.
#pragma once

#include <span>
#include <string>
#include <unordered_map>

#include "autograd/variable.h"
#include "tensor/error.h"
#include "train/optimise/parameters.h"

namespace rapt {

/// An update whose loss or gradients are not finite.
class UpdateError : public NotFiniteError {
 public:
  enum class Cause {
    kWeights,     ///< weights were not finite before the update
    kArithmetic,  ///< an op computed such a number from finite inputs
    kMachine,     ///< a replay of the update was finite: the machine does not compute reliably
  };
  UpdateError(Cause cause, const std::string& message) : NotFiniteError(message), cause(cause) {}

  Cause cause;
};

/// "nan in blocks.0.norm1.gain": the first parameter that is not finite; empty if all are.
std::string first_bad_weight(const FlatParameters& parameters);

/// Checks the results of every op, and records the first one that is not finite.
class FiniteCheck final : public OpObserver {
 public:
  explicit FiniteCheck(const FlatParameters& parameters);

  void forward_done(const char* op, std::span<const Variable> inputs, std::span<const Tensor> outputs) override;
  void backward_done(const char* op, std::span<const std::shared_ptr<Gradient>> inputs) override;

  /// "nan in the output [64, 96] of gelu (after blocks.0.feed_forward.up.weight), with finite inputs" or "inf in the
  /// gradient of norm.gain, computed by layer_norm (norm.gain)"; empty if everything was finite.
  const std::string& found() const { return found_; }

 private:
  std::string name_of(const Gradient* input) const;

  std::unordered_map<const Gradient*, std::string> parameters_;
  std::string after_, before_;  // the last parameter used, forward and backward
  std::string found_;
};

}  // namespace rapt
