#include "train/optimise/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tensor/error.h"
#include "train/optimise/finite_check.h"
#include "train/optimise/parameter_rules.h"

namespace rapt {

OptimizerSettings optimizer_settings(const TrainConfig& config) {
  return {.kind = optimizer_named(config.optimizer),
          .beta1 = config.beta1,
          .beta2 = config.beta2,
          .epsilon = config.epsilon,
          .bias_correction = config.bias_correction,
          .momentum = config.momentum,
          .nesterov = config.nesterov,
          .weight_decay = config.weight_decay,
          .average = config.ema,
          .narrow_moments = config.optimizer_precision == "bf16",
          .seed = static_cast<std::uint64_t>(config.seed)};
}

RateSchedule schedule_of(const TrainConfig& config, std::int64_t total_steps) {
  const std::int64_t length = total_steps - config.stretch_start;
  return {.kind = schedule_named(config.schedule),
          .peak = config.learning_rate,
          .minimum = config.min_learning_rate,
          .begin = config.stretch_start,
          .warmup = length_in_updates(config.warmup, length),
          .total = length,
          .decay = length_in_updates(config.decay, length),
          .width = config.width};
}

std::function<Dim(std::int64_t)> fitting_by_tokens(Dim most, std::function<Dim(std::int64_t)> tokens_of) {
  return [most, tokens_of = std::move(tokens_of)](std::int64_t first) {
    Dim count = 0;
    for (Dim tokens = 0;; ++count) {
      tokens += tokens_of(first + count);
      if (tokens > most) return std::max<Dim>(1, count);
    }
  };
}

// Number of updates that it takes to see this many samples.
static double updates_for(double samples, const TrainConfig& config, const TrainingData& data) {
  if (!data.fitting) return samples / static_cast<double>(config.batch * config.accumulate);
  std::int64_t batches = 0;
  for (std::int64_t at = 0; static_cast<double>(at) < samples; ++batches) at += data.fitting(at);
  return static_cast<double>(batches) / static_cast<double>(config.accumulate);
}

std::int64_t total_updates(const TrainConfig& config, const TrainingData& data) {
  std::int64_t updates = std::numeric_limits<std::int64_t>::max();
  const auto at_most = [&](double count) {
    updates = std::min(updates, std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(count))));
  };
  if (config.steps > 0) updates = config.steps;
  if (config.epochs > 0) {
    at_most(updates_for(config.epochs * static_cast<double>(data.samples_per_epoch), config, data));
  }
  if (config.tokens > 0)
    at_most(updates_for(static_cast<double>(config.tokens) / data.tokens_per_sample, config, data));
  if (updates == std::numeric_limits<std::int64_t>::max()) {
    throw UsageError("train: the run needs a length; give --steps, --epochs, --tokens or --minutes");
  }
  return updates;
}

Trainer::Trainer(const TrainConfig& config, Network& network, TrainingData data, std::int64_t total_steps)
    : config_(config),
      network_(network),
      data_(std::move(data)),
      parameters_(network, parameter_rules(config, network)),
      optimizer_(parameters_, optimizer_settings(config)),
      schedule_(schedule_of(config, total_steps)) {}

double Trainer::epochs() const {
  return data_.samples_per_epoch == 0
             ? 0
             : static_cast<double>(state_.samples) / static_cast<double>(data_.samples_per_epoch);
}

std::vector<Batch> Trainer::next_batches(std::int64_t& samples) const {
  std::vector<Batch> batches;
  for (std::int64_t i = 0; i < config_.accumulate; ++i) {
    const Dim count = data_.fitting ? data_.fitting(samples) : config_.batch;
    batches.push_back(data_.train(samples, count));
    samples += count;
  }
  return batches;
}

static BatchCounts counts_of(const std::vector<Batch>& batches) {
  BatchCounts counts;
  for (const Batch& batch : batches) counts += counts_of(batch);
  return counts;
}

// The counts of the whole update are known before the first forward pass, so each loss is scaled by them immediately: 1
// x 32 sequences and 4 x 8 accumulated ones give the same gradient.
double Trainer::accumulate_gradients(const std::vector<Batch>& batches) {
  const BatchCounts update = counts_of(batches);
  const LossShare share{.targets = static_cast<double>(std::max<Dim>(1, update.targets)),
                        .sequences = static_cast<double>(std::max<Dim>(1, update.labels)),
                        .label_smoothing = config_.label_smoothing,
                        .language_model = config_.language_model_weight};
  Context ctx;
  ctx.training = true;
  ctx.recompute = config_.recompute;
  ctx.seed = static_cast<std::uint64_t>(config_.seed);
  ctx.update = static_cast<std::uint64_t>(state_.step);
  double loss = 0;
  for (const Batch& batch : batches) {
    ctx.site = 0;
    const Variable part = network_.loss(batch, share, ctx);
    loss += part.value().item();
    backward(part);
    ctx.before += counts_of(batch);
  }
  return loss;
}

static std::string text_of(double value) {
  return std::isfinite(value) ? fmt::format("{:.4f}", value) : name_of_not_finite(value);
}

// Names the first number that was not finite. An update is a function of the weights and of its number, so a replay
// computes the same numbers.
void Trainer::refuse(const std::vector<Batch>& batches, double loss, double norm) {
  parameters_.drop_gradients();
  std::string message = fmt::format("train: update {} is not finite: loss {}, gradient norm {}; ", state_.step + 1,
                                    text_of(loss), text_of(norm));
  UpdateError::Cause cause = UpdateError::Cause::kWeights;
  if (const std::string weight = first_bad_weight(parameters_); !weight.empty()) {
    message += "before the update: " + weight;
  } else {
    FiniteCheck check(parameters_);
    {
      const Observed observed(&check);
      accumulate_gradients(batches);
    }
    parameters_.drop_gradients();
    cause = check.found().empty() ? UpdateError::Cause::kMachine : UpdateError::Cause::kArithmetic;
    message += check.found().empty() ? "a replay of the update was finite, so this machine does not compute reliably"
                                     : "first: " + check.found();
  }
  throw UpdateError(cause, message + "; nothing was changed");
}

UpdateResult Trainer::update() {
  UpdateResult result;
  std::int64_t samples = state_.samples;
  if (profile_ != nullptr) profile_->outside("other");
  const std::vector<Batch> batches = next_batches(samples);
  if (profile_ != nullptr) profile_->in_update("data");
  {
    const Observed observed(profile_);
    result.loss = accumulate_gradients(batches);
  }
  if (profile_ != nullptr) profile_->in_update("other");
  result.grad_norm = optimizer_.grad_norm();
  if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm)) refuse(batches, result.loss, result.grad_norm);
  result.learning_rate = std::max(schedule_.minimum, schedule_.rate(state_.step) * state_.rate_factor);
  optimizer_.update(result.learning_rate, clip_factor(result.grad_norm, config_.clip));
  if (profile_ != nullptr) profile_->in_update("optimizer");
  result.tokens = counts_of(batches).tokens();
  ++state_.step;
  state_.samples = samples;
  state_.tokens += result.tokens;
  if (profile_ != nullptr) profile_->end_update();
  return result;
}

}  // namespace rapt
