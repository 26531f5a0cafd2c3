// One training run in memory: batches in order, updates. It does not know about files or tasks; run.h saves and resumes
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "nn/network.h"
#include "train/optimise/gradient_sum.h"
#include "train/optimise/optimizer.h"
#include "train/optimise/profile.h"
#include "train/optimise/schedule.h"
#include "train/settings/train_config.h"

namespace rapt {

OptimizerSettings optimizer_settings(const TrainConfig& config);
/// \param total_steps  updates of the whole run, at the end of the current stretch
RateSchedule schedule_of(const TrainConfig& config, std::int64_t total_steps);

/// The source of batches: a pure function of the index of the first sample, so that nothing must be replayed.
struct TrainingData {
  /// Samples [first, first + count) of the run's endless order.
  std::function<Batch(std::int64_t first, Dim count)> train;
  /// How many samples from `first` on form a batch of at most --batch-tokens; not set: always --batch.
  std::function<Dim(std::int64_t first)> fitting;
  std::int64_t samples_per_epoch = 0;
  double tokens_per_sample = 0;  ///< on average
};

/// TrainingData::fitting for batches of at most `most` tokens, or one sample if it has more.
/// \param tokens_of  number of tokens of a sample
std::function<Dim(std::int64_t first)> fitting_by_tokens(Dim most, std::function<Dim(std::int64_t sample)> tokens_of);

/// Number of updates of the whole run: the minimum that --steps, --epochs and --tokens allow.
/// \throws UsageError  if none of them is given
std::int64_t total_updates(const TrainConfig& config, const TrainingData& data);

/// All state of a run besides parameters and optimiser state. Saved in every checkpoint.
struct TrainState {
  std::int64_t step = 0;                                         ///< updates done
  std::int64_t samples = 0;                                      ///< seen
  std::int64_t tokens = 0;                                       ///< seen
  double best_score = -std::numeric_limits<double>::infinity();  ///< of the best validation (evaluation.h)
  double best_loss = std::numeric_limits<double>::infinity();    ///< of the same
  std::int64_t best_step = -1;
  std::int64_t stalled = 0;  ///< validations since the best one
  double rate_factor = 1;    ///< of the learning rate, lowered by --schedule plateau
  bool finished = false;
};

struct UpdateResult {
  double loss = 0;       ///< mean over the update's predictions, in nats
  double grad_norm = 0;  ///< before clipping
  double learning_rate = 0;
  std::int64_t tokens = 0;  ///< in its sequences
};

class Trainer final {
 public:
  /// While an object of this class exists, the network has the moving average of its weights (--ema) instead of the
  /// weights; without one, nothing changes.
  class Averaged {
   public:
    explicit Averaged(Trainer& trainer) : optimizer_(trainer.optimizer_) { optimizer_.exchange_average(); }
    ~Averaged() { optimizer_.exchange_average(); }
    Averaged(const Averaged&) = delete;
    Averaged& operator=(const Averaged&) = delete;

   private:
    Optimizer& optimizer_;
  };

  /// \param total_steps  the length of the schedule
  /// \param team         those who train together, and call update() together; must outlive this
  Trainer(const TrainConfig& config, Network& network, TrainingData data, std::int64_t total_steps,
          Team& team = Team::alone());

  /// Forward and backward over the batches of one update, clip, update. The update's samples are cut into --shards, of
  /// which this process computes its own.
  /// \throws UpdateError    naming the update and the first number that was not finite; nothing was changed
  /// \throws PeerLostError  as Transport::exchange
  UpdateResult update();

  /// Compares the weights of all processes, by a hash of what each owns.
  /// \throws UpdateError  naming two processes that differ
  void require_same_weights();

  /// The optimiser's state with that of all processes, on the leader; elsewhere, this process's own.
  std::vector<Optimizer::State> whole_state();

  /// From now on, updates are measured by `profile`; nullptr: they are not.
  void set_profile(Profile* profile) {
    profile_ = profile;
    if (profile != nullptr) profile->start();
  }

  TrainState& state() { return state_; }
  const TrainState& state() const { return state_; }
  FlatParameters& parameters() { return parameters_; }
  Optimizer& optimizer() { return optimizer_; }
  Network& network() { return network_; }
  double epochs() const;

 private:
  struct Shard {
    std::vector<Batch> batches;
    BatchCounts before;  // the update's samples of earlier shards
    double loss = 0;
  };
  /// The number of samples from `first` on that form a batch.
  Dim batch_at(std::int64_t first) const;
  /// This process's shards of an update's samples; `update` receives the counts of all shards.
  /// \param starts  the first sample of each of the update's batches, and the end of the last one
  std::vector<Shard> next_shards(const std::vector<std::int64_t>& starts, BatchCounts& update);
  /// The gradients of these shards; returns the loss of all.
  double accumulate_gradients(std::vector<Shard>& shards, const BatchCounts& update);
  /// \param done  called with each gradient that nothing adds to any more; not set: it is not called
  void accumulate_shard(Shard& shard, const BatchCounts& update, const std::function<void(const Gradient&)>& done = {});
  [[noreturn]] void refuse(std::vector<Shard>& shards, const BatchCounts& update, double loss, double norm);

  TrainConfig config_;
  Network& network_;
  TrainingData data_;
  Team& team_;
  FlatParameters parameters_;
  ParameterShares shares_;
  Optimizer optimizer_;
  RateSchedule schedule_;
  TrainState state_;
  Profile* profile_ = nullptr;
};

}  // namespace rapt
