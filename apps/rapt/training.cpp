#include "training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "in_team.h"
#include "io/escape.h"
#include "io/file.h"
#include "io/json.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/corpus/line_reader.h"
#include "train/files/run_folder.h"
#include "train/models/networks.h"
#include "train/optimise/finite_check.h"
#include "train/run/follow.h"
#include "train/tasks/choose.h"
#include "train/tasks/settle.h"
#include "train/team/launch.h"

namespace rapt::app {

namespace fs = std::filesystem;

namespace {

std::vector<FlagValue> flags_of(const Arguments& arguments) {
  std::vector<FlagValue> flags = arguments.settings();
  std::vector<std::string> data = arguments.positionals();
  const std::string folder = arguments.text("resume");
  // `--minutes 10 more`: accepted, because users write it.
  if (!folder.empty() && data == std::vector<std::string>{"more"} && !fs::exists("more")) data.clear();
  if (!data.empty()) flags.push_back({"data", data});
  if (!folder.empty()) flags.push_back({"out", {folder}});
  return flags;
}

// The next command to type, for a model of this task.
std::string next_command(const std::string& task, const std::string& folder) {
  const Objective objective = find_task_word(task).objective;
  if (objective == Objective::kNextToken) return fmt::format("rapt generate {} --prompt \"...\"", folder);
  if (objective == Objective::kTargetText) return fmt::format("rapt {} {} < FILE", task, folder);
  if (masks_words(objective)) return fmt::format("rapt fill-mask {} \"... [MASK] ...\"", folder);
  return fmt::format("rapt eval {} --data FILE, rapt predict {} --data FILE", folder, folder);
}

std::string in_words(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

void tell_best(const RunResult& result) {
  if (!std::isfinite(result.best_loss)) return;
  if (find_task_word(result.task).objective == Objective::kNextToken) {
    return say(fmt::format("best validation loss {:.4f} nats per token, {:.4f} bits per byte", result.best_loss,
                           result.bits_per_byte));
  }
  const std::vector<std::pair<std::string, double>> metrics = best_validation(result.folder);
  std::string line = fmt::format("best validation loss {:.4f}", result.best_loss);
  for (const auto& [name, value] : metrics) {
    const bool accuracy = name == "accuracy" || name.ends_with("_accuracy");
    const bool deciding = result.metric == "loss" ? accuracy : name == result.metric;
    const bool baseline = result.metric == "accuracy" && name == "majority_accuracy";
    if (deciding && name != "majority_accuracy") line += fmt::format(", {} {:.4f}", in_words(name), value);
    if (baseline) line += fmt::format(" (majority baseline: {:.4f})", value);
  }
  say(line);
}

// The last lines: the result, and the next command.
void tell_result(const RunResult& result, const std::string& verb) {
  const std::string folder = escape_for_terminal(result.folder);
  if (result.already) {
    return say(fmt::format("{} is finished: {} updates; to train it further: rapt {} --resume {} --steps {}", folder,
                           result.steps, verb, folder, 2 * result.steps));
  }
  if (result.labels_to_come) {
    return say(fmt::format("stopped by {} during stage 1 (masked words); run the same command again to resume",
                           result.reason));
  }
  if (!result.finished) {
    return say(fmt::format("stopped by {} after update {}; resume with: rapt {} --resume {}", result.reason,
                           result.steps, verb, folder));
  }
  tell_best(result);
  say(fmt::format("trained {} updates in {}; now: {}", result.steps, short_time(result.seconds),
                  next_command(result.task, folder)));
}

// Rejects impossible settings before text is read, if no later choice could make them possible.
void check_early(const LayeredConfig& config) {
  const TrainConfig& c = config.values;
  const bool chosen_later = !has_end(c) && !config.given("preset");
  const bool structure_given = config.given("width") && config.given("heads");
  if (!c.init.empty() || (chosen_later && !structure_given)) return;
  LayeredConfig of_task = config;
  fit_warmup(of_task, [](const std::string&) {});
  choose_task(of_task);
  validate(of_task.values);
  check_structure(of_task.values);
}

// The exit code of a run, after its last lines.
int lead(const RunRequest& request, const StopSignals& signals, const std::string& verb) {
  const RunResult result = train_one(request, signals);
  tell_result(result, verb);
  return result.finished ? 0 : 75;
}

// The leader's part in a run of several processes. An error while the others wait for an order ends the run for all.
int lead_team(const RunRequest& request, const StopSignals& signals, const std::string& verb) {
  Orders& orders = *request.orders;
  int code = 0;
  try {
    code = lead(request, signals, verb);
  } catch (const Error& error) {
    if (orders.acting()) throw;
    tell("error: " + std::string(error.what()) + '\n');
    code = error.code();
  }
  orders.give({.kind = Order::Kind::kEnd, .code = code});
  return code;
}

// The part of this process in a run of several.
int train_in_team(RunRequest request, Team& team, const std::string& verb) {
  request.orders = std::make_shared<Orders>(team);
  // What all processes have found together, one of them reports.
  const auto agreed = [&](const Error& error) {
    if (team.leads()) tell("error: " + std::string(error.what()) + '\n');
    return error.code();
  };
  return in_team(team, [&] {
    try {
      require_same_requests(request);
    } catch (const ConfigError& error) {
      return agreed(error);
    }
    if (TrainConfig& config = request.config.values; config.threads == 0) config.threads = threads_in_team(team);
    const StopSignals signals;
    try {
      return team.leads() ? lead_team(request, signals, verb) : follow(request, signals);
    } catch (const UpdateError& error) {
      return agreed(error);
    }
  });
}

}  // namespace

std::vector<Option> training_options() {
  return {{.name = "resume", .value = "RUN", .help = "resume the run in this folder"},
          {.name = "seeds",
           .value = "N",
           .help = "train N times, with --seed and the N - 1 after it; reports mean and standard deviation"},
          {.name = "config", .value = "FILE", .help = "settings from a TOML file", .aliases = {"c"}},
          {.name = "print-config",
           .kind = OptionKind::kSwitch,
           .help = "show the settings that the run would have and where each came from, and stop",
           .aliases = {"dump-config"}},
          {.name = "profile",
           .kind = OptionKind::kSwitch,
           .help = "print at the end where the time of the updates went, op by op"},
          {.name = "json", .kind = OptionKind::kSwitch, .help = "with --seeds: one JSON object instead of a table"}};
}

LayeredConfig config_of(const Arguments& arguments) {
  const std::string file = arguments.text("config");
  return layer_config(file.empty() ? "" : read_file(file), file, flags_of(arguments));
}

std::vector<std::pair<std::string, double>> best_validation(const std::string& folder) {
  const RunFolder files{folder};
  std::vector<std::pair<std::string, double>> metrics;
  if (!fs::exists(files.metrics())) return metrics;
  LineReader lines(Input::from_file(files.metrics()));
  for (std::string line; lines.next(line);) {
    const Json event = parse_json_line(line, lines.where());
    if (!event.is_object() || event.value("event", "") != "validation" || !event.value("best", false)) continue;
    metrics.clear();
    for (const auto& [name, value] : event.items()) {
      if (name == "step" || name == "epoch" || name == "tokens" || name == "best") continue;
      if (value.is_number() || value.is_null()) metrics.emplace_back(name, value.is_null() ? NAN : value.get<double>());
    }
  }
  return metrics;
}

RunResult train_one(const RunRequest& request, const StopSignals& signals) {
  const TrainConfig& config = request.config.values;
  const RunFolder folder{config.out.empty() ? default_run_folder(config) : config.out};
  const std::string parent = fs::path(folder.path).parent_path().string();
  const bool is_new = !fs::exists(folder.path), parent_is_new = is_new && !parent.empty() && !fs::exists(parent);
  try {
    return run_training(request, signals);
  } catch (...) {
    if (is_new) remove_if_unused(folder);
    std::error_code not_empty;
    if (parent_is_new) fs::remove(parent, not_empty);
    throw;
  }
}

int run_training_command(const Arguments& arguments, const LayeredConfig& config, const std::string& verb) {
  RunRequest request;
  request.config = config;
  request.resume = arguments.has("resume");
  request.command = arguments.words();
  request.profile = arguments.has("profile");
  require_known_names(config.values);
  if (!request.resume) check_early(config);
  const TrainConfig& c = config.values;
  if (c.data.empty() && c.source.empty() && c.target.empty() && !request.resume) {
    throw UsageError(verb == "train"
                         ? "rapt train needs text; give it a file, a folder or - for standard input: rapt train my.txt"
                         : "rapt " + verb + " needs training data; give it with --train FILE");
  }
  const std::optional<Launch> launch = find_launch();
  if (arguments.has("print-config")) {
    if (!launch || launch->rank == 0) out(describe(settle_run(request)));
    return 0;
  }
  const Terminal& t = terminal();
  request.progress = {.bar = t.bar, .colour = t.colour, .unicode = t.unicode, .quiet = t.quiet, .width = t.width};
  request.sink = [](std::string_view text) { tell(text); };
  if (launch && (arguments.has("seeds") || std::ranges::count(c.training_files(), "-") > 0)) {
    throw UsageError("--seeds and data from standard input need a process alone, and " + std::string(launch->by) +
                     " started " + std::to_string(launch->size));
  }
  if (arguments.has("seeds")) return run_seeds(arguments, request, verb);
  if (arguments.has("json")) throw UsageError("--json requires --seeds");
  Team team = Team::launched(c.peer_timeout);
  if (team.size() > 1) return train_in_team(request, team, verb);
  return lead(request, StopSignals(), verb);
}

}  // namespace rapt::app
