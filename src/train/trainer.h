// One training run in memory: data in order, updates, validation. It knows no files; run.h saves and resumes it.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "nn/models/gpt.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/train_config.h"

namespace rapt {

/// The network that a configuration describes, for a vocabulary of this size.
/// \throws UsageError  if its settings do not fit each other
GptConfig gpt_config(const TrainConfig& config, Dim vocabulary);
OptimizerSettings optimizer_settings(const TrainConfig& config);
/// \param total_steps  updates of the whole run
RateSchedule schedule_of(const TrainConfig& config, std::int64_t total_steps);

/// Where batches come from: a pure function of the index of the first sample, so that nothing has to be replayed.
struct TrainingData {
  /// Samples [first, first + count) of the run's endless order.
  std::function<Batch(std::int64_t first, Dim count)> train;
  /// Every held-out token once, in `validation_batches` pieces.
  std::function<Batch(Dim index)> validation;
  Dim validation_batches = 0;
  std::int64_t samples_per_epoch = 0;
};

/// All that changes in a run besides parameters and optimiser state. Saved with every checkpoint.
struct TrainState {
  std::int64_t step = 0;                                       ///< updates done
  std::int64_t samples = 0;                                    ///< sequences seen
  std::int64_t tokens = 0;                                     ///< targets predicted
  double best_loss = std::numeric_limits<double>::infinity();  ///< of validation
  std::int64_t best_step = -1;
  std::int64_t stalled = 0;  ///< validations since the best one
  bool finished = false;
};

struct UpdateResult {
  double loss = 0;       ///< mean over the update's targets, nats
  double grad_norm = 0;  ///< before clipping
  double learning_rate = 0;
  std::int64_t targets = 0;
};

struct ValidationResult {
  double loss = 0;  ///< mean over all held-out targets, nats
  std::int64_t targets = 0;
};

class Trainer final {
 public:
  /// \param total_steps  what the schedule runs over
  Trainer(const TrainConfig& config, Gpt& model, TrainingData data, std::int64_t total_steps);

  /// Forward and backward over accumulate x batch samples, clip, update.
  /// \throws NotFiniteError  naming the update and the first bad tensor; nothing was changed then but the gradients
  UpdateResult update();

  ValidationResult validate() const;

  TrainState& state() { return state_; }
  const TrainState& state() const { return state_; }
  FlatParameters& parameters() { return parameters_; }
  Optimizer& optimizer() { return optimizer_; }
  Gpt& model() { return model_; }
  double epochs() const;

 private:
  double accumulate_gradients(std::int64_t& targets);
  void require_finite(double loss, double norm) const;

  TrainConfig config_;
  Gpt& model_;
  TrainingData data_;
  FlatParameters parameters_;
  Optimizer optimizer_;
  RateSchedule schedule_;
  TrainState state_;
};

}  // namespace rapt
