#include "train/run/training_loop.h"

#include <fmt/format.h>

#include <filesystem>

#include "io/escape.h"
#include "io/json.h"
#include "tensor/error.h"
#include "tensor/instruction_set.h"
#include "tensor/matmul.h"
#include "tensor/parallel.h"
#include "train/files/checkpoint.h"
#include "train/files/weight_average.h"
#include "train/run/follow.h"
#include "train/run/resume.h"
#include "train/settings/numbers.h"
#include "train/tasks/machine.h"

namespace rapt {

namespace fs = std::filesystem;

using Clock = std::chrono::steady_clock;

static double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

static std::optional<std::int64_t> step_of(const CheckpointFile* from) {
  return from == nullptr ? std::nullopt : std::optional(from->state_integer("step"));
}

TrainingLoop::TrainingLoop(const RunRequest& request, const StopSignals& signals, RunFolder folder, Beginning beginning)
    : request_(request),
      signals_(signals),
      folder_(std::move(folder)),
      config_(std::move(beginning.config.values)),
      inputs_(std::move(beginning.inputs)),
      job_(std::move(beginning.job)),
      total_steps_(total_updates(config_, job_.data)),
      trainer_(config_, job_.network->network(), job_.data, total_steps_, request.orders->team()),
      metrics_(folder_.metrics(), step_of(beginning.from.get())),
      progress_(request.progress, request.sink, &metrics_) {
  if (beginning.from == nullptr) return;
  const CheckpointFile& from = *beginning.from;
  restore(trainer_, from);
  TrainState& state = trainer_.state();
  if (was_extended(config_, {.step = state.step})) {
    state.finished = false;
    state.stalled = 0;
  }
  earlier_seconds_ = seconds_before(from);
  from_ = from.path();
  parent_ = fs::path(from.path()).filename().string();
  last_saved_ = state.step;
}

RunClock TrainingLoop::clock() const {
  const TrainState& s = trainer_.state();
  return {.updates = s.step, .epochs = trainer_.epochs(), .tokens = s.tokens, .seconds = seconds()};
}

double TrainingLoop::seconds() const { return earlier_seconds_ + seconds_since(start_); }

bool TrainingLoop::due(const Period& period, const RunClock& before, const RunClock& now) const {
  return is_due(period, before, now, total_steps_);
}

void TrainingLoop::spent_on(const char* part) {
  if (profile_) profile_->outside(part);
}

std::string TrainingLoop::end_reason() const {
  const TrainState& s = trainer_.state();
  if (config_.early_stop > 0 && s.stalled >= config_.early_stop) return "early-stop";
  if (s.step >= total_steps_) {
    if (config_.steps == total_steps_ || (config_.epochs <= 0 && config_.tokens <= 0)) return "steps";
    return config_.epochs > 0 ? "epochs" : "tokens";
  }
  if (config_.minutes > 0 && seconds() >= 60 * config_.minutes) return "minutes";
  return "";
}

UpdateReport TrainingLoop::report(const UpdateResult& update) const {
  const TrainState& s = trainer_.state();
  UpdateReport r;
  r.step = s.step;
  r.total_steps = total_steps_;
  r.epoch = trainer_.epochs();
  r.tokens = s.tokens;
  r.loss = update.loss;
  r.learning_rate = update.learning_rate;
  r.grad_norm = update.grad_norm;
  r.seconds = seconds();
  r.tokens_per_second = sitting_seconds_ > 0 ? sitting_tokens_ / sitting_seconds_ : 0;
  const double tokens_per_update = static_cast<double>(s.tokens) / static_cast<double>(s.step);
  r.remaining_seconds = r.tokens_per_second > 0
                            ? static_cast<double>(total_steps_ - s.step) * tokens_per_update / r.tokens_per_second
                            : -1;
  if (peak_ > 0) r.share_of_peak = r.tokens_per_second * job_.flop_per_token / peak_;
  r.memory_bytes = resident_memory();
  return r;
}

// Of the weights of all processes, together with them.
Evaluation TrainingLoop::evaluate(std::int64_t tokens) {
  Orders& orders = *request_.orders;
  orders.give({.kind = Order::Kind::kEvaluate, .tokens = tokens});
  Evaluation evaluation = job_.evaluate(tokens, orders.team());
  orders.done();
  return evaluation;
}

// True if it is the best so far. Every validation of a run reads the same part of the held-out data, and the best is
// selected on that part; the last one also reads the rest, and reports on all of it.
bool TrainingLoop::validate(bool last) {
  const Trainer::Averaged averaged(trainer_);
  Evaluation evaluation = evaluate(config_.eval_tokens);
  TrainState& s = trainer_.state();
  const bool best = evaluation.score > s.best_score;
  s.stalled = best ? 0 : s.stalled + 1;
  const bool on_plateau = s.stalled > 0 && s.stalled % config_.plateau_patience == 0;
  if (on_plateau && config_.schedule == "plateau") s.rate_factor *= config_.plateau_factor;
  if (best) s.best_score = evaluation.score;
  if (last && config_.eval_tokens > 0) evaluation = evaluate(config_.last_eval_tokens);
  if (best) {
    s.best_loss = evaluation.loss;
    s.best_step = s.step;
  }
  progress_.validation({.step = s.step,
                        .epoch = trainer_.epochs(),
                        .evaluation = evaluation,
                        .metric = job_.metric,
                        .best = best,
                        .seconds = seconds()});
  return best;
}

// At the end of the run: validates the average of the last checkpoints, the newest of which are the weights as they are
// now. If it is the best, it is saved, and best.h5 names it. Everything happens before the run is marked as finished,
// so a run that is killed meanwhile does it again.
bool TrainingLoop::try_average() {
  const std::int64_t step = trainer_.state().step;
  std::vector<std::int64_t> steps = folder_.steps();
  std::erase_if(steps, [&](std::int64_t saved) { return saved >= step; });
  const std::size_t others = std::min(steps.size(), static_cast<std::size_t>(config_.average_last) - 1);
  if (others == 0) return false;
  WeightAverage average;
  for (auto saved = steps.end() - static_cast<std::ptrdiff_t>(others); saved != steps.end(); ++saved) {
    const std::string path = folder_.checkpoint(*saved);
    average.add(network_of(CheckpointFile(path))->module(), path);
  }
  {
    const Trainer::Averaged averaged(trainer_);
    average.add(trainer_.network(), folder_.checkpoint(step));
  }
  Tensor& weights = trainer_.parameters().values();
  const Tensor kept = weights.clone();
  average.give(trainer_.network());
  const Evaluation evaluation = job_.evaluate(config_.eval_tokens, Team::alone());  // these weights are here only
  TrainState& s = trainer_.state();
  const bool best = evaluation.score > s.best_score;
  if (best) {
    s.best_score = evaluation.score;
    s.best_loss = evaluation.loss;
    s.best_step = step;
    save_model(folder_.averaged(), trainer_.network(), texts());
    name_checkpoint(folder_, folder_.averaged(), folder_.best());
  }
  weights.copy_from(kept);
  progress_.validation({.step = step,
                        .epoch = trainer_.epochs(),
                        .evaluation = evaluation,
                        .metric = job_.metric,
                        .best = best,
                        .averaged = static_cast<std::int64_t>(others) + 1,
                        .seconds = seconds()});
  return best;
}

// How to continue after a bad update.
std::string TrainingLoop::advice(UpdateError::Cause cause) const {
  const std::string resume = "rapt train --resume " + for_shell(folder_.path);
  if (cause == UpdateError::Cause::kMachine) {
    return "test its memory" +
           (last_saved_ < 0 ? "" : ", then resume from update " + std::to_string(last_saved_) + ": " + resume);
  }
  if (cause == UpdateError::Cause::kWeights && sitting_seconds_ == 0) {
    return "use another checkpoint of the run, or the files that the model was converted from";
  }
  const std::string rate = " --learning-rate " + print_number(config_.learning_rate / 4);
  if (last_saved_ < 0) return "start again with a lower learning rate, such as" + rate + ", or a lower --clip";
  return "resume from update " + std::to_string(last_saved_) + " with a lower learning rate or --clip: " + resume +
         rate;
}

UpdateResult TrainingLoop::update() {
  Orders& orders = *request_.orders;
  orders.give({.kind = Order::Kind::kUpdate, .rate_factor = trainer_.state().rate_factor});
  try {
    const UpdateResult result = trainer_.update();
    signal_ = orders.agree_on_signal(signals_.number());
    orders.done();
    if (!orders.alone() && config_.check_every > 0 && trainer_.state().step % config_.check_every == 0) {
      orders.give({.kind = Order::Kind::kCheck});
      trainer_.require_same_weights();
      orders.done();
    }
    return result;
  } catch (const UpdateError& error) {
    throw UpdateError(error.cause, std::string(error.what()) + "; " + advice(error.cause));
  }
}

void TrainingLoop::sample() {
  const Trainer::Averaged averaged(trainer_);
  const auto [prompt, text] = job_.sample();
  progress_.sample(trainer_.state().step, prompt, text);
}

CheckpointTexts TrainingLoop::texts() const {
  Json manifest;
  manifest["format"] = "rapt checkpoint";
  manifest["step"] = trainer_.state().step;
  manifest["parent"] = parent_;
  write_inputs(inputs_, manifest);
  manifest["command"] = command_line(request_.command);
  manifest["build"] = build_name();
  manifest["instruction_set"] = simd_target();
  manifest["matmul"] = matmul_provider();
  manifest["threads"] = thread_count();
  manifest["seconds"] = seconds();
  return {.config = to_toml(config_), .tokenizers = job_.tokenizers, .manifest = dump_pretty(manifest)};
}

void TrainingLoop::save(bool best) {
  const std::int64_t step = trainer_.state().step;
  if (last_saved_ != step || trainer_.state().finished) {
    metrics_.sync();
    request_.orders->give({.kind = Order::Kind::kSave});
    const std::vector<Optimizer::State> states = trainer_.whole_state();
    request_.orders->done();
    save_checkpoint(folder_.checkpoint(step), trainer_, states, texts());
    last_saved_ = step;
    parent_ = fs::path(folder_.checkpoint(step)).filename().string();
    name_checkpoint(folder_, folder_.checkpoint(step), folder_.last());
  }
  if (best) name_checkpoint(folder_, folder_.checkpoint(step), folder_.best());
  retire_checkpoints(folder_, std::max(config_.keep_last, config_.average_last));
}

RunResult TrainingLoop::result(std::string reason, bool finished) const {
  RunResult r;
  r.finished = finished;
  r.folder = folder_.path;
  r.task = config_.task;
  r.reason = std::move(reason);
  r.steps = trainer_.state().step;
  r.best_loss = trainer_.state().best_loss;
  r.best_score = trainer_.state().best_score;
  r.metric = job_.metric;
  if (job_.bytes_per_target > 0) r.bits_per_byte = bits_per_byte(r.best_loss, 1, job_.bytes_per_target);
  r.seconds = seconds();
  return r;
}

// Tells the other processes of the run what it is, and waits until they have read it.
void TrainingLoop::announce() {
  Orders& orders = *request_.orders;
  if (orders.alone()) return;
  const bool is_new = from_.empty();
  const std::string start = folder_.path + "/start.h5";  // of a new run: there is no checkpoint yet
  if (is_new) save_model(start, trainer_.network(), texts());
  Json inputs;
  write_inputs(inputs_, inputs);
  orders.give({.kind = Order::Kind::kBegin});
  orders.team().broadcast(to_text(
      {.config = to_toml(config_), .checkpoint = is_new ? start : from_, .is_new = is_new, .inputs = inputs.dump()}));
  orders.team().gather(0);
  orders.done();
  fs::remove(start);
}

RunResult TrainingLoop::run() {
  if (!request_.progress.quiet || request_.profile) peak_ = measure_sgemm_peak();
  start_ = Clock::now();
  announce();
  if (request_.profile) trainer_.set_profile(&profile_.emplace());
  RunResult result = updates();
  request_.orders->give({.kind = Order::Kind::kRunEnds});
  request_.orders->done();
  if (profile_) {
    progress_.leave_bar();
    request_.sink(profile_->table(peak_));
    const Team& team = request_.orders->team();
    if (team.size() > 1 && profile_->updates() > 0) {
      const auto updates = static_cast<double>(profile_->updates());
      request_.sink(fmt::format("team: {:.1f} MB sent an update; {:.1f} ms an update waiting for others ({:.0f}%)\n",
                                team.bytes_sent() / updates / 1e6, 1e3 * team.seconds_waited() / updates,
                                100 * team.seconds_waited() / updates / profile_->update_seconds()));
    }
  }
  return result;
}

RunResult TrainingLoop::updates() {
  std::string reason = end_reason();
  RunClock before = clock();  // when due events were last checked: none is lost during a validation
  while (reason.empty()) {
    const Clock::time_point began = Clock::now();
    const UpdateResult update = this->update();
    sitting_seconds_ += seconds_since(began);
    sitting_tokens_ += static_cast<double>(update.tokens);

    const RunClock now = clock();
    const bool over = trainer_.state().step >= total_steps_;
    if (due(config_.log_every, before, now) || over) {
      progress_.update(report(update));
    } else {
      progress_.tick(report(update));
    }
    bool best = false;
    if (job_.evaluate && (due(config_.eval_every, before, now) || over)) {
      spent_on("other");
      best = validate(over);
      spent_on("validation");
    }
    if (job_.sample && due(config_.sample_every, before, now)) {
      sample();
      spent_on("samples");
    }
    reason = end_reason();
    // One that has come since, during a validation, reaches the leader first.
    const int signal = signal_ != 0 ? signal_ : signals_.number();
    if (signal != 0 && reason.empty()) {
      save(best);
      return result(StopSignals::name_of(signal), false);
    }
    if (!reason.empty() && config_.average_last > 1 && job_.evaluate) {
      if (try_average()) best = false;
      spent_on("validation");
    }
    if (!reason.empty()) {
      trainer_.state().finished = true;
      progress_.end(trainer_.state().step, reason, seconds());
    }
    if (best || !reason.empty() || due(config_.save_every, before, now)) {
      save(best);
      spent_on("checkpoints");
    }
    before = now;
  }
  return result(reason, true);
}

}  // namespace rapt
