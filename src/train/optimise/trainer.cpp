#include "train/optimise/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "autograd/finished_gradients.h"
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

Trainer::Trainer(const TrainConfig& config, Network& network, TrainingData data, std::int64_t total_steps, Team& team)
    : config_(config),
      network_(network),
      data_(std::move(data)),
      team_(team),
      parameters_(network, parameter_rules(config, network)),
      shares_(parameters_, team.rank(), team.size()),
      optimizer_(parameters_, optimizer_settings(config), shares_.begin(shares_.owned()), shares_.end(shares_.owned())),
      schedule_(schedule_of(config, total_steps)) {}

double Trainer::epochs() const {
  return data_.samples_per_epoch == 0
             ? 0
             : static_cast<double>(state_.samples) / static_cast<double>(data_.samples_per_epoch);
}

Dim Trainer::batch_at(std::int64_t first) const { return data_.fitting ? data_.fitting(first) : config_.batch; }

std::vector<Trainer::Shard> Trainer::next_shards(const std::vector<std::int64_t>& starts, BatchCounts& update) {
  const std::int64_t count = std::max<std::int64_t>(1, config_.shards), each = count / team_.size();
  const std::int64_t first = starts.front(), end = starts.back();
  const auto start_of = [&](std::int64_t shard) { return first + (end - first) * shard / count; };
  const auto samples_at = [&](std::int64_t at, std::size_t batch) {
    return count == 1 ? starts[batch + 1] - at : batch_at(at);
  };
  std::vector<Shard> shards(static_cast<std::size_t>(each));
  std::vector<BatchCounts> counts(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < each; ++i) {
    const std::int64_t shard = team_.rank() * each + i;
    BatchCounts own;
    std::vector<Batch>& batches = shards[static_cast<std::size_t>(i)].batches;
    for (std::int64_t at = start_of(shard), last = start_of(shard + 1); at < last;) {
      const Dim samples = std::min<Dim>(last - at, samples_at(at, batches.size()));
      batches.push_back(data_.train(at, samples));
      own += counts_of(batches.back());
      at += samples;
    }
    const std::vector<BatchCounts> all = team_.gather(own);
    for (std::int64_t rank = 0; rank < team_.size(); ++rank) {
      counts[static_cast<std::size_t>(rank * each + i)] = all[static_cast<std::size_t>(rank)];
    }
  }
  for (std::int64_t shard = 0; shard < count; ++shard) {
    const std::int64_t own = shard - team_.rank() * each;
    if (own >= 0 && own < each) shards[static_cast<std::size_t>(own)].before = update;
    update += counts[static_cast<std::size_t>(shard)];
  }
  return shards;
}

// The counts of the whole update are known before the first forward pass, so each loss is scaled by them immediately: 1
// x 32 sequences and 4 x 8 accumulated ones give the same gradient.
void Trainer::accumulate_shard(Shard& shard, const BatchCounts& update,
                               const std::function<void(const Gradient&)>& done) {
  const LossShare share{.targets = static_cast<double>(std::max<Dim>(1, update.targets)),
                        .sequences = static_cast<double>(std::max<Dim>(1, update.labels)),
                        .label_smoothing = config_.label_smoothing,
                        .language_model = config_.language_model_weight};
  Context ctx;
  ctx.training = true;
  ctx.recompute = config_.recompute;
  ctx.seed = static_cast<std::uint64_t>(config_.seed);
  ctx.update = static_cast<std::uint64_t>(state_.step);
  ctx.before = shard.before;
  shard.loss = 0;
  for (const Batch& batch : shard.batches) {
    ctx.site = 0;
    const Variable part = network_.loss(batch, share, ctx);
    shard.loss += part.value().item();
    if (done && &batch == &shard.batches.back()) {
      backward_with(part, done);
    } else {
      backward(part);
    }
    ctx.before += counts_of(batch);
  }
}

double Trainer::accumulate_gradients(std::vector<Shard>& shards, const BatchCounts& update) {
  if (config_.shards <= 1) {
    accumulate_shard(shards.front(), update);
    return shards.front().loss;
  }
  ShardTree tree(parameters_);
  for (Shard& shard : std::span(shards).first(shards.size() - 1)) {
    accumulate_shard(shard, update);
    tree.add_shard();
  }
  std::vector<bool> complete(parameters_.entries().size());
  std::optional<TeamSum> sum;
  if (team_.size() > 1) sum.emplace(parameters_, shares_, team_);
  const auto finish = [&](std::size_t entry) {
    if (complete[entry] || parameters_.entries()[entry].frozen) return;
    complete[entry] = true;
    tree.complete(entry);
    if (sum) sum->begin(entry);
  };
  // While the last shard's backward pass goes on, gradients that are complete are added and sent. Recomputed blocks add
  // to theirs at times that the tape does not know of.
  std::function<void(const Gradient&)> done;
  std::unordered_map<const Gradient*, std::size_t> entries;
  if (!config_.recompute) {
    for (std::size_t i = 0; i < complete.size(); ++i) entries[parameters_.entries()[i].variable.gradient().get()] = i;
    done = [&](const Gradient& gradient) {
      if (const auto found = entries.find(&gradient); found != entries.end()) finish(found->second);
    };
  }
  accumulate_shard(shards.back(), update, done);
  for (std::size_t i = 0; i < complete.size(); ++i) finish(i);
  if (profile_ != nullptr) profile_->in_update("shards");
  if (sum) sum->finish();
  if (profile_ != nullptr && sum) profile_->in_update("team");
  std::vector<double> losses;
  for (const Shard& shard : shards) losses.push_back(shard.loss);
  return tree_sum(team_.gather(tree_sum(losses)));
}

static std::string text_of(double value) {
  return std::isfinite(value) ? fmt::format("{:.4f}", value) : name_of_not_finite(value);
}

// Names the first number that was not finite. An update is a function of the weights and of its number, so a replay
// computes the same numbers.
void Trainer::refuse(std::vector<Shard>& shards, const BatchCounts& update, double loss, double norm) {
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
      for (Shard& shard : shards) accumulate_shard(shard, update);
    }
    parameters_.drop_gradients();
    std::string first;
    for (const std::string& found : team_.gather(check.found())) {
      if (first.empty()) first = found;
    }
    cause = first.empty() ? UpdateError::Cause::kMachine : UpdateError::Cause::kArithmetic;
    message += first.empty() ? "a replay of the update was finite, so this machine does not compute reliably"
                             : "first: " + first;
  }
  throw UpdateError(cause, message + "; nothing was changed");
}

UpdateResult Trainer::update() {
  UpdateResult result;
  if (profile_ != nullptr) profile_->outside("other");
  std::vector<std::int64_t> starts = {state_.samples};  // of the update's batches, and its end
  for (std::int64_t i = 0; i < config_.accumulate; ++i) starts.push_back(starts.back() + batch_at(starts.back()));
  BatchCounts counts;
  std::vector<Shard> shards = next_shards(starts, counts);
  if (profile_ != nullptr) profile_->in_update("data");
  {
    const Observed observed(profile_);
    result.loss = accumulate_gradients(shards, counts);
  }
  if (profile_ != nullptr) profile_->in_update("other");
  result.grad_norm = gradient_norm(parameters_, shares_, team_);
  if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm)) {
    refuse(shards, counts, result.loss, result.grad_norm);
  }
  result.learning_rate = std::max(schedule_.minimum, schedule_.rate(state_.step) * state_.rate_factor);
  optimizer_.update(result.learning_rate, clip_factor(result.grad_norm, config_.clip));
  if (profile_ != nullptr) profile_->in_update("optimizer");
  if (team_.size() > 1) {
    collect_from_team(parameters_.values(), shares_, team_);
    parameters_.values().changed();
    optimizer_.average();
    if (profile_ != nullptr) profile_->in_update("team");
  }
  result.tokens = counts.tokens();
  ++state_.step;
  state_.samples = starts.back();
  state_.tokens += result.tokens;
  if (profile_ != nullptr) profile_->end_update();
  return result;
}

void Trainer::require_same_weights() {
  const std::vector<std::uint64_t> mine = hash_parts(parameters_.values(), shares_);
  std::vector<std::vector<std::uint64_t>> hashes(static_cast<std::size_t>(team_.size()));
  for (const std::uint64_t hash : mine) {
    const std::vector<std::uint64_t> all = team_.gather(hash);
    for (std::size_t rank = 0; rank < all.size(); ++rank) hashes[rank].push_back(all[rank]);
  }
  if (const auto found = find_disagreement(hashes)) {
    throw UpdateError(UpdateError::Cause::kMachine,
                      fmt::format("train: after update {}, the weights that {} has are not those that {} computed, so "
                                  "one of these machines is not reliable",
                                  state_.step, team_.name(found->rank), team_.name(found->owner)));
  }
}

std::vector<Optimizer::State> Trainer::whole_state() {
  std::vector<Optimizer::State> whole = optimizer_.state();
  if (team_.size() == 1) return whole;
  for (Optimizer::State& state : whole) {
    if (state.values.size() == parameters_.trained_size()) continue;  // the moving average
    Tensor all = whole_for_leader(state.values, shares_, team_);
    if (team_.leads()) state = {state.name, std::move(all), 0};
  }
  return whole;
}

}  // namespace rapt
