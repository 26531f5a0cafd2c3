#include "train/run/follow.h"

#include "io/joined.h"
#include "io/json.h"
#include "tensor/error.h"
#include "train/files/checkpoint.h"
#include "train/run/run_inputs.h"
#include "train/run/run_start.h"
#include "train/settings/settings.h"
#include "train/tasks/materials.h"
#include "train/team/agreement.h"

namespace rapt {
namespace {

// A line for each thing on which the weights depend.
std::vector<std::string> fingerprint(const RunRequest& request) {
  std::vector<std::string> lines = computing_lines();
  lines.push_back("program: " + build_name());
  for (const Setting& setting : settings()) {
    if (setting.resuming == Resuming::kFree || setting.shorthand) continue;
    lines.push_back("--" + setting.name + ' ' + joined(setting.get(request.config.values), " "));
  }
  return lines;
}

RunAnnouncement announcement_of(const std::string& text) {
  const Json json = parse_json(text, "the leader's announcement");
  return {json.at("config").get<std::string>(), json.at("checkpoint").get<std::string>(), json.at("is_new").get<bool>(),
          json.at("inputs").get<std::string>()};
}

// Follows one run. Returns the order that ended it.
Order follow_run(const RunRequest& request, const StopSignals& signals, const RunAnnouncement& run) {
  Team& team = request.orders->team();
  const Notice silent = [](const std::string&) {};
  const CheckpointFile file(run.checkpoint);
  TrainConfig config = from_toml(run.config, "the leader's settings");
  config.threads = request.config.values.threads;
  prepare_computing(config, silent);
  const RunInputs mine = read_inputs(config);
  const RunInputs leaders = inputs_of(parse_json(run.inputs, "inputs"), "the leader's inputs");
  if (const auto difference = find_difference(leaders, mine)) {
    throw ConfigError("train: " + team.name(team.rank()) + " reads other " + difference->what + " (" +
                      difference->theirs + ") than " + team.name(0) + " (" + difference->ours +
                      "); copy the same files to all nodes");
  }
  const DataFiles known{.train = mine.data, .validation = mine.validation};
  const Job job = Materials(RunFolder{config.out}, &file, silent, known).build(config);
  Trainer trainer(config, job.network->network(), job.data, total_updates(config, job.data), team);
  if (!run.is_new) restore(trainer, file);
  team.gather(0);  // the leader may remove the file
  for (;;) {
    const Order order = request.orders->receive();
    switch (order.kind) {
      case Order::Kind::kUpdate:
        trainer.state().rate_factor = order.rate_factor;
        trainer.update();
        request.orders->agree_on_signal(signals.number());
        break;
      case Order::Kind::kCheck:
        trainer.require_same_weights();
        break;
      case Order::Kind::kEvaluate: {
        const Trainer::Averaged averaged(trainer);
        job.evaluate(order.tokens, team);
        break;
      }
      case Order::Kind::kSave:
        trainer.whole_state();
        break;
      default:
        return order;
    }
  }
}

}  // namespace

std::string to_text(const RunAnnouncement& run) {
  return Json{{"config", run.config}, {"checkpoint", run.checkpoint}, {"is_new", run.is_new}, {"inputs", run.inputs}}
      .dump();
}

void require_same_requests(const RunRequest& request) {
  require_agreement(request.orders->team(), fingerprint(request));
}

int follow(const RunRequest& request, const StopSignals& signals) {
  for (;;) {
    Order order = request.orders->receive();
    if (order.kind == Order::Kind::kBegin) {
      order = follow_run(request, signals, announcement_of(request.orders->team().broadcast(std::string())));
    }
    if (order.kind == Order::Kind::kEnd) return order.code;
  }
}

}  // namespace rapt
