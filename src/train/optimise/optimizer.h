// Optimisers over flat parameter buffers: one pass reads gradients and moments and writes parameters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "train/optimise/parameters.h"

namespace rapt {

enum class OptimizerKind { kAdamW, kAdam, kSgd };

/// Follows PyTorch's torch.optim.AdamW, Adam (weight decay as L2, in the gradient) and SGD.
struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::kAdamW;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  bool bias_correction = true;    ///< false: BERT's Adam (google-research/bert, optimization.py)
  double momentum = 0;            ///< SGD
  bool nesterov = false;          ///< SGD
  double weight_decay = 0;        ///< only on entries with weight decay
  double average = 0;             ///< > 0: keep an exponential moving average of the weights with this decay
  bool narrow_moments = false;    ///< Adam's in bf16, rounded at random
  std::uint64_t seed = 1;         ///< of that rounding
  bool decay_everything = false;  ///< on all entries, like PyTorch without parameter groups
};

/// adamw, adam, sgd.
/// \throws UsageError  listing them
OptimizerKind optimizer_named(std::string_view name);

class Optimizer final {
 public:
  static constexpr const char* kAverage = "average";

  /// \param parameters  must outlive this
  Optimizer(FlatParameters& parameters, const OptimizerSettings& settings)
      : Optimizer(parameters, settings, 0, parameters.trained_size()) {}
  /// An optimiser that updates only the elements [begin, end) of the flat buffers, and has the moments of these.
  Optimizer(FlatParameters& parameters, const OptimizerSettings& settings, Dim begin, Dim end);

  /// One update with gradients times `gradient_factor` (clipping); frees the gradients. If it updates only a part of
  /// the weights, average() must follow when the others have arrived.
  void update(double learning_rate, double gradient_factor = 1);
  /// The moving average takes the weights as they are now; without one, nothing.
  void average();

  /// Buffers to save with the parameters, with the same layout from the element `begin` on: "m" and "v", or "momentum",
  /// or none; then the moving average of all weights, kAverage, if there is one.
  struct State {
    std::string name;
    Tensor values;
    Dim begin = 0;
  };
  std::vector<State>& state() { return state_; }

  /// Exchanges the weights and their moving average; without one, does nothing. The average after t updates is
  /// average = d average + (1 - d) weights with d = min(decay, (1 + t) / (10 + t)), so that the first weights do not
  /// stay in it for long. Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging".
  void exchange_average();

  std::int64_t updates() const { return updates_; }
  void set_updates(std::int64_t updates) {
    updates_ = updates;
    moved_.clear();
  }

 private:
  // The part of a parameter that this updates, as elements of the parameter.
  struct Part {
    Dim begin = 0, size = 0;
  };
  Part part_of(const FlatParameters::Entry& entry) const;
  void find_moments();

  FlatParameters& parameters_;
  Dim begin_ = 0, end_ = 0;
  OptimizerSettings settings_;
  std::vector<State> state_;
  std::vector<std::uint8_t> moved_;  // kernels::adam_update's, entry by entry; empty until the first update
  std::int64_t updates_ = 0;
};

/// The factor that reduces the gradients' norm to at most `limit`: limit / (norm + 1e-6), at most 1, as in
/// torch.nn.utils.clip_grad_norm_. A limit of 0 means no limit.
double clip_factor(double norm, double limit);

}  // namespace rapt
