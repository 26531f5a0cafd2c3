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

Optimizer::Optimizer(FlatParameters& parameters, const OptimizerSettings& settings, Dim begin, Dim end)
    : parameters_(parameters), begin_(begin), end_(end), settings_(settings) {
  std::vector<std::string> names = {"m", "v"};
  if (settings.kind == OptimizerKind::kSgd)
    names = settings.momentum > 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{};
  for (std::string& name : names) {
    const bool narrow = settings.narrow_moments && parameters.dtype() == DType::kF32;
    state_.push_back(
        {std::move(name), Tensor::zeros({end - begin}, narrow ? DType::kBF16 : parameters.dtype()), begin});
  }
  if (settings.average == 0) return;
  state_.push_back({kAverage, parameters.values().slice(0, parameters.trained_size()).clone()});
}

Optimizer::Part Optimizer::part_of(const FlatParameters::Entry& entry) const {
  if (entry.frozen) return {};
  const Dim begin = std::max<Dim>(0, begin_ - entry.begin);
  const Dim end = std::min(entry.variable.value().size(), end_ - entry.begin);
  return {begin, std::max<Dim>(0, end - begin)};
}

// Which parameters have moments, from the moments: a run that is resumed goes on as it was.
void Optimizer::find_moments() {
  Dim groups = 0;
  for (const FlatParameters::Entry& entry : parameters_.entries())
    groups += kernels::moment_groups(part_of(entry).size);
  moved_.resize(static_cast<std::size_t>(groups));
  std::uint8_t* moved = moved_.data();
  for (const FlatParameters::Entry& entry : parameters_.entries()) {
    const Part part = part_of(entry);
    if (part.size == 0) continue;
    const auto find = [&]<typename T>() {
      const auto moment = [&](std::size_t i) { return state_[i].values.data<T>() + entry.begin + part.begin - begin_; };
      kernels::find_moments<T>(moved, moment(0), moment(1), part.size);
    };
    if (state_[0].values.dtype() == DType::kBF16) {
      find.operator()<Bf16>();
    } else {
      dispatch_float(state_[0].values.dtype(), find);
    }
    moved += kernels::moment_groups(part.size);
  }
}

void Optimizer::update(double learning_rate, double gradient_factor) {
  if (moved_.empty() && settings_.kind != OptimizerKind::kSgd) find_moments();
  std::uint8_t* next_moved = moved_.data();
  ++updates_;
  // Adam keeps the weights' copy in bf16 up to date, if there is one.
  Tensor narrow = settings_.kind == OptimizerKind::kSgd ? Tensor() : parameters_.values().narrow_copy();
  for (const FlatParameters::Entry& entry : parameters_.entries()) {
    const Part part = part_of(entry);
    if (part.size == 0) continue;
    std::uint8_t* const moved = next_moved;
    if (moved != nullptr) next_moved += kernels::moment_groups(part.size);
    const double decay = entry.decayed || settings_.decay_everything ? settings_.weight_decay : 0.0;
    const Tensor gradient = FlatParameters::gradient(entry);
    const Dim n = part.size, first = entry.begin + part.begin;  // in the flat buffers
    dispatch_float(parameters_.dtype(), [&]<typename T>() {
      T* const p = parameters_.values().data<T>() + first;
      const T* const g = gradient.data<T>() + part.begin;
      const auto state = [&](std::size_t i) { return state_[i].values.data<T>() + first - begin_; };
      if (settings_.kind == OptimizerKind::kSgd) {
        kernels::sgd_update<T>(p, g, settings_.momentum > 0 ? state(0) : nullptr, n,
                               {.learning_rate = learning_rate * entry.rate,
                                .momentum = settings_.momentum,
                                .nesterov = settings_.nesterov,
                                .weight_decay = decay,
                                .gradient_scale = gradient_factor});
      } else {
        Bf16* const to_narrow = narrow.defined() ? narrow.data<Bf16>() + first : nullptr;
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
            const auto moment = [&](std::size_t i) { return state_[i].values.data<Bf16>() + first - begin_; };
            const RandomKey key = random_key(settings_.seed, Purpose::kRounding, static_cast<std::uint64_t>(updates_));
            return kernels::adam_update(p, g, moment(0), moment(1), n, rule,
                                        {key, static_cast<std::uint64_t>(entry.begin), part.begin}, moved, to_narrow);
          }
        }
        kernels::adam_update<T>(p, g, state(0), state(1), n, rule, moved, to_narrow);
      }
    });
  }
  if (!narrow.defined()) parameters_.values().changed();
  parameters_.drop_gradients();
  if (begin_ == 0 && end_ == parameters_.trained_size()) average();
}

void Optimizer::average() {
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
