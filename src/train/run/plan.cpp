#include "train/run/plan.h"

#include <algorithm>
#include <chrono>

#include "tensor/error.h"
#include "tensor/matmul.h"
#include "tensor/storage.h"
#include "train/files/scratch_folder.h"
#include "train/run/run_start.h"
#include "train/settings/recipes.h"
#include "train/tasks/choose.h"
#include "train/tasks/machine.h"
#include "train/tasks/self_pretraining.h"

namespace rapt {
namespace {

// The settings and batches of a rank's share of each update, in batches of at most the usual size.
struct Share {
  TrainConfig config;
  TrainingData data;
};

Share share_of(const TrainConfig& config, const TrainingData& data, int ranks) {
  Share share{config, data};
  share.config.shards = std::max<std::int64_t>(1, config.shards / ranks);  // by default, one for each rank
  if (config.accumulate >= ranks) {
    share.config.accumulate = config.accumulate / ranks;
    return share;
  }
  const std::int64_t parts = ranks / config.accumulate;
  share.config.accumulate = 1;
  share.config.batch = std::max<std::int64_t>(1, config.batch / parts);
  if (data.fitting) {
    share.data.fitting = [fitting = data.fitting, parts](std::int64_t first) {
      return std::max<Dim>(1, fitting(first) / parts);
    };
  }
  return share;
}

// \param program  bytes that the program takes without tensors
RankPlan measure(const Beginning& run, int ranks, double program) {
  const Share share = share_of(run.config.values, run.job.data, ranks);
  const std::size_t before = memory_stats().live;  // the run's own network
  Initializer init(1);
  AnyNetwork network(run.job.network->config(), init);
  Trainer trainer(share.config, network.network(), share.data, 1000);
  trainer.update();  // fills the pool and the caches
  reset_peak_memory();
  Profile profile;
  trainer.set_profile(&profile);
  while (profile.updates() < 2 || profile.update_seconds() * static_cast<double>(profile.updates()) < 1)
    trainer.update();
  const double updates = static_cast<double>(profile.updates());
  const double optimizer = profile.update_parts().at("optimizer").seconds / updates;
  const auto elements = static_cast<double>(trainer.parameters().trained_size());
  const double others = (ranks - 1.0) / ranks;
  RankPlan plan{.ranks = ranks,
                .samples = static_cast<double>(trainer.state().samples) / static_cast<double>(trainer.state().step),
                .compute = profile.update_seconds() - optimizer,
                .optimizer = optimizer / ranks,
                .sent = ranks == 1 ? 0 : 2 * others * elements * sizeof(float)};
  double moments = 0;
  for (const Optimizer::State& state : trainer.optimizer().state()) {
    if (state.name != Optimizer::kAverage) moments += static_cast<double>(state.values.bytes());
  }
  plan.memory = program + static_cast<double>(memory_stats().peak - before) - others * moments;
  if (ranks > 1) {
    constexpr double kPasses = 3;  // two operands are read and one is written
    plan.overlap = share.config.recompute ? 0 : plan.compute * 2 / 3;
    plan.adding = kPasses * others * elements * sizeof(float) / measure_read_bandwidth();
  }
  return plan;
}

}  // namespace

double RankPlan::network(double rate) const {
  const double half = sent / 2 / rate;
  return std::max(0.0, half - overlap) + half + adding;
}

TeamPlan plan_team(const RunRequest& request, const std::vector<int>& ranks) {
  if (learns_words_first(request.config)) {
    throw UsageError("rapt plan plans one run, and a classifier from scratch is two; give --init MODEL, or --task mlm");
  }
  check_matmul_provider();
  const auto program = static_cast<double>(resident_memory());
  const ScratchFolder scratch;
  const Notice silent = [](const std::string&) {};
  const Beginning run = begin_run({}, scratch.folder(), request, request.config, silent);
  if (request.config.given("shards")) {
    for (const int count : ranks) {
      if (run.config.values.shards % count == 0) continue;
      throw UsageError("--ranks must divide --shards " + std::to_string(run.config.values.shards) + ", got " +
                       std::to_string(count));
    }
  }
  TeamPlan plan;
  for (const NamedParameter& p : parameters_of(run.job.network->module())) {
    plan.parameters += p.variable.requires_grad() ? p.variable.value().size() : 0;
  }
  plan.alone = measure(run, 1, program);
  for (const int count : ranks) plan.teams.push_back(count == 1 ? plan.alone : measure(run, count, program));
  return plan;
}

}  // namespace rapt
