#include "train/optimise/optimizer.h"

#include <algorithm>
#include <cmath>

#include "io/names.h"
#include "tensor/error.h"
#include "tensor/kernels/optimizer.h"

namespace rapt {

OptimizerKind optimizer_named(std::string_view name) {
  static constexpr std::pair<OptimizerKind, const char*> kNames[] = {
      {OptimizerKind::kAdamW, "adamw"}, {OptimizerKind::kAdam, "adam"}, {OptimizerKind::kSgd, "sgd"}};
  return value_named(name, kNames, "optimizer:");
}

Optimizer::Optimizer(FlatParameters& parameters, const OptimizerSettings& settings)
    : parameters_(parameters), settings_(settings) {
  std::vector<std::string> names = {"m", "v"};
  if (settings.kind == OptimizerKind::kSgd)
    names = settings.momentum > 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{};
  for (std::string& name : names) {
    const bool narrow = settings.narrow_moments && parameters.dtype() == DType::kF32;
    state_.push_back(
        {std::move(name), Tensor::zeros({parameters.trained_size()}, narrow ? DType::kBF16 : parameters.dtype())});
  }
  if (settings.average == 0) return;
  state_.push_back({kAverage, parameters.values().slice(0, parameters.trained_size()).clone()});
}

static Dim groups_of(const FlatParameters::Entry& entry) {
  return entry.frozen ? 0 : kernels::moment_groups(entry.variable.value().size());
}

double Optimizer::grad_norm() const {
  double sum = 0;
  for (const FlatParameters::Entry& entry : parameters_.entries()) {
    if (entry.frozen || !entry.variable.grad().defined()) continue;
    dispatch_float(parameters_.dtype(), [&]<typename T>() {
      const Tensor& g = entry.variable.grad();
      sum += kernels::sum_of_squares<T>(g.data<T>(), g.size());
    });
  }
  return std::sqrt(sum);
}

// Which parameters have moments, from the moments: a run that is resumed goes on as it was.
void Optimizer::find_moments() {
  Dim groups = 0;
  for (const FlatParameters::Entry& entry : parameters_.entries()) groups += groups_of(entry);
  moved_.resize(static_cast<std::size_t>(groups));
  std::uint8_t* moved = moved_.data();
  for (const FlatParameters::Entry& entry : parameters_.entries()) {
    const auto find = [&]<typename T>() {
      const auto moment = [&](std::size_t i) { return state_[i].values.data<T>() + entry.begin; };
      kernels::find_moments<T>(moved, moment(0), moment(1), entry.variable.value().size());
    };
    if (entry.frozen) break;
    if (state_[0].values.dtype() == DType::kBF16) {
      find.operator()<Bf16>();
    } else {
      dispatch_float(state_[0].values.dtype(), find);
    }
    moved += groups_of(entry);
  }
}

void Optimizer::update(double learning_rate, double gradient_factor) {
  if (moved_.empty() && settings_.kind != OptimizerKind::kSgd) find_moments();
  std::uint8_t* next_moved = moved_.data();
  ++updates_;
  // Adam keeps the weights' copy in bf16 up to date, if there is one.
  Tensor narrow = settings_.kind == OptimizerKind::kSgd ? Tensor() : parameters_.values().narrow_copy();
  for (const FlatParameters::Entry& entry : parameters_.entries()) {
    if (entry.frozen) continue;
    std::uint8_t* const moved = next_moved;
    if (moved != nullptr) next_moved += groups_of(entry);
    const double decay = entry.decayed || settings_.decay_everything ? settings_.weight_decay : 0.0;
    const Tensor gradient = FlatParameters::gradient(entry);
    const Dim n = gradient.size();
    dispatch_float(parameters_.dtype(), [&]<typename T>() {
      T* const p = parameters_.values().data<T>() + entry.begin;
      const T* const g = gradient.data<T>();
      const auto state = [&](std::size_t i) { return state_[i].values.data<T>() + entry.begin; };
      if (settings_.kind == OptimizerKind::kSgd) {
        kernels::sgd_update<T>(p, g, settings_.momentum > 0 ? state(0) : nullptr, n,
                               {.learning_rate = learning_rate * entry.rate,
                                .momentum = settings_.momentum,
                                .nesterov = settings_.nesterov,
                                .weight_decay = decay,
                                .gradient_scale = gradient_factor});
      } else {
        Bf16* const to_narrow = narrow.defined() ? narrow.data<Bf16>() + entry.begin : nullptr;
        const kernels::AdamRule rule{.learning_rate = learning_rate * entry.rate,
                                     .beta1 = settings_.beta1,
                                     .beta2 = settings_.beta2,
                                     .epsilon = settings_.epsilon,
                                     .weight_decay = decay,
                                     .coupled_decay = settings_.kind == OptimizerKind::kAdam,
                                     .bias_correction = settings_.bias_correction,
                                     .step = updates_,
                                     .gradient_scale = gradient_factor};
        if constexpr (std::is_same_v<T, float>) {
          if (state_[0].values.dtype() == DType::kBF16) {
            const auto moment = [&](std::size_t i) { return state_[i].values.data<Bf16>() + entry.begin; };
            const RandomKey key = random_key(settings_.seed, Purpose::kRounding, static_cast<std::uint64_t>(updates_));
            return kernels::adam_update(p, g, moment(0), moment(1), n, rule,
                                        {key, static_cast<std::uint64_t>(entry.begin)}, moved, to_narrow);
          }
        }
        kernels::adam_update<T>(p, g, state(0), state(1), n, rule, moved, to_narrow);
      }
    });
  }
  if (!narrow.defined()) parameters_.values().changed();
  parameters_.drop_gradients();
  move_average();
}

void Optimizer::move_average() {
  if (settings_.average == 0) return;
  const auto t = static_cast<double>(updates_);
  const double keep = std::min(settings_.average, (1 + t) / (10 + t));
  Tensor& average = state_.back().values;
  dispatch_float(average.dtype(), [&]<typename T>() {
    kernels::average_update<T>(average.data<T>(), parameters_.values().data<T>(), average.size(), keep);
  });
}

void Optimizer::exchange_average() {
  if (settings_.average == 0) return;
  Tensor& average = state_.back().values;
  dispatch_float(average.dtype(), [&]<typename T>() {
    std::swap_ranges(average.data<T>(), average.data<T>() + average.size(), parameters_.values().data<T>());
  });
  parameters_.values().changed();
}

double clip_factor(double norm, double limit) { return limit > 0 ? std::min(1.0, limit / (norm + 1e-6)) : 1.0; }

}  // namespace rapt
