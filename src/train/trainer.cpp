#include "train/trainer.h"

#include <cmath>

#include "tensor/error.h"

namespace rapt {
namespace {

PositionKind position_from_name(const std::string& name) {
  if (name == "rope") return PositionKind::kRotary;
  if (name == "sinusoidal") return PositionKind::kSinusoidal;
  return PositionKind::kLearned;
}

}  // namespace

GptConfig gpt_config(const TrainConfig& config, Dim vocabulary) {
  GptConfig c = config.model == "gpt1" ? GptConfig::gpt1() : GptConfig::gpt2();
  c.vocabulary = vocabulary;
  c.context = config.context;
  c.width = config.width;
  c.layers = config.layers;
  c.heads = config.heads;
  c.feed_forward = config.feed_forward;
  c.activation = activation_from_name(config.activation);
  c.positions = position_from_name(config.position);
  c.norm_epsilon = config.norm_epsilon;
  c.scale_attention = config.attention_scale;
  c.scale_attention_by_inverse_layer = config.attention_layer_scale;
  c.bias = config.bias;
  c.tied_head = config.tie;
  c.embedding_dropout = config.embedding_dropout_rate();
  c.attention_dropout = config.attention_dropout_rate();
  c.residual_dropout = config.residual_dropout_rate();
  check(c);
  return c;
}

OptimizerSettings optimizer_settings(const TrainConfig& config) {
  return {.kind = optimizer_from_name(config.optimizer),
          .beta1 = config.beta1,
          .beta2 = config.beta2,
          .epsilon = config.epsilon,
          .bias_correction = config.bias_correction,
          .momentum = config.momentum,
          .nesterov = config.nesterov,
          .weight_decay = config.weight_decay};
}

RateSchedule schedule_of(const TrainConfig& config, std::int64_t total_steps) {
  return {.kind = schedule_from_name(config.schedule),
          .peak = config.learning_rate,
          .minimum = config.min_learning_rate,
          .warmup = length_in_updates(config.warmup, total_steps),
          .total = total_steps,
          .decay = length_in_updates(config.decay, total_steps),
          .width = config.width};
}

Trainer::Trainer(const TrainConfig& config, Gpt& model, TrainingData data, std::int64_t total_steps)
    : config_(config),
      model_(model),
      data_(std::move(data)),
      parameters_(model),
      optimizer_(parameters_, optimizer_settings(config)),
      schedule_(schedule_of(config, total_steps)) {}

double Trainer::epochs() const {
  return data_.samples_per_epoch == 0
             ? 0
             : static_cast<double>(state_.samples) / static_cast<double>(data_.samples_per_epoch);
}

// The count of all targets is known before the first forward pass, so each loss is scaled by it at once: 1 x 32
// sequences and 4 x 8 accumulated ones give the same gradient.
double Trainer::accumulate_gradients(std::int64_t& targets) {
  std::vector<Batch> batches;
  targets = 0;
  for (std::int64_t i = 0; i < config_.accumulate; ++i) {
    batches.push_back(data_.train(state_.samples + i * config_.batch, config_.batch));
    targets += batches.back().targets.size();
  }
  Context ctx;
  ctx.training = true;
  ctx.recompute = config_.recompute;
  ctx.seed = static_cast<std::uint64_t>(config_.seed);
  ctx.update = static_cast<std::uint64_t>(state_.step);
  double loss = 0;
  for (const Batch& batch : batches) {
    ctx.site = 0;
    const Variable part =
        model_.loss(batch, {.targets = static_cast<double>(targets), .label_smoothing = config_.label_smoothing}, ctx);
    loss += part.value().item();
    backward(part);
    ctx.first_row += batch.tokens.size();
  }
  return loss;
}

void Trainer::require_finite(double loss, double norm) const {
  if (std::isfinite(loss) && std::isfinite(norm)) return;
  const std::string bad = optimizer_.first_bad_gradient();
  throw NotFiniteError(
      "train: update " + std::to_string(state_.step + 1) + " is not finite: loss " + std::to_string(loss) +
      ", gradient norm " + std::to_string(norm) + (bad.empty() ? "" : ", first in " + bad) +
      "; nothing was changed; go on from the last checkpoint with a smaller --learning-rate or --clip");
}

UpdateResult Trainer::update() {
  UpdateResult result;
  result.loss = accumulate_gradients(result.targets);
  result.grad_norm = optimizer_.grad_norm();
  require_finite(result.loss, result.grad_norm);
  result.learning_rate = schedule_.rate(state_.step);
  optimizer_.update(result.learning_rate, clip_factor(result.grad_norm, config_.clip));
  ++state_.step;
  state_.samples += config_.batch * config_.accumulate;
  state_.tokens += result.targets;
  return result;
}

ValidationResult Trainer::validate() const {
  ValidationResult result;
  double sum = 0;
  for (Dim i = 0; i < data_.validation_batches; ++i) {
    const Tensor log_probabilities = model_.log_probabilities(data_.validation(i));
    for (const float p : log_probabilities.span<float>()) sum -= static_cast<double>(p);
    result.targets += log_probabilities.size();
  }
  result.loss = result.targets > 0 ? sum / static_cast<double>(result.targets) : NAN;
  return result;
}

}  // namespace rapt
