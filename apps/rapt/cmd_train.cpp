// rapt train: from text to a trained model, and on from where it stopped.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "commands.h"
#include "io/escape.h"
#include "io/file.h"
#include "tensor/error.h"
#include "terminal.h"
#include "train/choose.h"
#include "train/run.h"
#include "train/run_folder.h"

namespace rapt::app {
namespace {

std::vector<FlagValue> flags_of(const Arguments& arguments) {
  std::vector<FlagValue> flags = arguments.settings();
  if (!arguments.positionals().empty()) flags.push_back({"data", arguments.positionals()});
  if (const std::string folder = arguments.text("resume"); !folder.empty()) flags.push_back({"out", {folder}});
  return flags;
}

// The last lines: what came out, and what to type next.
void tell_result(const RunResult& result) {
  const std::string folder = escape_for_terminal(result.folder);
  if (result.already) {
    say(fmt::format("{} is finished: {} updates; for more: rapt train --init {} ... --out ANOTHER", folder,
                    result.steps, folder));
    return;
  }
  if (!result.finished) {
    say(fmt::format("stopped by {} after update {}; go on with: rapt train --resume {}", result.reason, result.steps,
                    folder));
    return;
  }
  if (std::isfinite(result.best_loss)) {
    say(fmt::format("best validation loss {:.4f} nats a token, {:.4f} bits a byte", result.best_loss,
                    result.bits_per_byte));
  }
  say(fmt::format("trained {} updates in {}; now: rapt generate {} --prompt \"...\"", result.steps,
                  short_time(result.seconds), folder));
}

// Refuses what cannot be before text is read, as far as nothing is chosen later that would make it possible.
void check_early(const LayeredConfig& config) {
  const TrainConfig& c = config.values;
  const bool chosen_later = !has_end(c) && !config.given("preset");
  const bool structure_given = config.given("width") && config.given("heads");
  if (c.init.empty() && (!chosen_later || structure_given)) validate(c);
}

// Trains, and takes the folder away again if it was made for a run that could not begin.
RunResult train(const RunRequest& request) {
  namespace fs = std::filesystem;
  const TrainConfig& config = request.config.values;
  const RunFolder folder{config.out.empty() ? default_run_folder(config.data) : config.out};
  const std::string parent = fs::path(folder.path).parent_path().string();
  const bool is_new = !fs::exists(folder.path), parent_is_new = is_new && !parent.empty() && !fs::exists(parent);
  try {
    const StopSignals signals;
    return run_training(request, signals);
  } catch (...) {
    if (is_new) remove_if_unused(folder);
    std::error_code not_empty;
    if (parent_is_new) fs::remove(parent, not_empty);
    throw;
  }
}

int run(const Arguments& arguments) {
  const std::string file = arguments.text("config");
  RunRequest request;
  request.config = layer_config(file.empty() ? "" : read_file(file), file, flags_of(arguments));
  if (arguments.has("print-config")) {
    validate(request.config.values);
    out(describe(request.config));
    return 0;
  }
  request.resume = arguments.has("resume");
  if (!request.resume) check_early(request.config);
  const bool has_data = !request.config.values.data.empty();
  if (!has_data && !request.resume) {
    throw UsageError("rapt train needs text; give it a file, a folder or - for standard input: rapt train my.txt");
  }
  for (const FlagValue& flag : request.config.origin.empty() ? std::vector<FlagValue>() : flags_of(arguments)) {
    request.command_line += (request.command_line.empty() ? "" : " ") + ("--" + flag.name);
    for (const std::string& value : flag.values) request.command_line += " " + value;
  }
  const Terminal& t = terminal();
  request.progress = {.bar = t.bar, .colour = t.colour, .unicode = t.unicode, .quiet = t.quiet, .width = t.width};
  request.sink = [](std::string_view text) { tell(text); };
  const RunResult result = train(request);
  tell_result(result);
  return result.finished ? 0 : 75;
}

}  // namespace

Command train_command() {
  std::vector<Option> options = setting_options();
  options.push_back({.name = "resume", .value = "RUN", .help = "go on with this run folder"});
  options.push_back({.name = "config", .value = "FILE", .help = "settings from a TOML file", .aliases = {"c"}});
  options.push_back({.name = "print-config",
                     .kind = OptionKind::kSwitch,
                     .help = "show the settings and where each came from, and stop",
                     .aliases = {"dump-config"}});
  return {.name = "train",
          .summary = "train a model on text; without flags, everything is chosen from the data and the machine",
          .arguments = "[FILE|FOLDER|-]...",
          .most = 1 << 20,
          .examples = {"rapt train my.txt", "rapt train my.txt --minutes 2",
                       "rapt train --preset shakespeare-char-cpu --data F --out runs/s", "rapt train --resume runs/s"},
          .options = options,
          .run = run};
}

}  // namespace rapt::app
