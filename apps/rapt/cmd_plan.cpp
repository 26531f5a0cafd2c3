// rapt plan: memory and speed of a run before it starts, alone or on several processes.
#include <fmt/format.h>

#include <bit>

#include "commands.h"
#include "io/escape.h"
#include "io/json.h"
#include "terminal.h"
#include "train/run/plan.h"
#include "train/tasks/machine.h"
#include "training.h"

namespace rapt::app {
namespace {

// "10Gb" and "100Mb" are bits a second, as networks are sold; "3GB" are bytes. Returns bytes a second.
double network_rate(const std::string& text) {
  constexpr struct {
    const char* unit;
    double bytes;
  } kUnits[] = {{"Gb", 1e9 / 8}, {"Mb", 1e6 / 8}, {"GB", 1e9}, {"MB", 1e6}};
  for (const auto& [unit, bytes] : kUnits) {
    if (!text.ends_with(unit)) continue;
    try {
      return bytes * parse_number(text.substr(0, text.size() - 2), {0, 1e6, false, true});
    } catch (const std::invalid_argument&) {
      break;
    }
  }
  throw UsageError("--network must be a rate such as 10Gb (bits a second) or 3GB (bytes), got " + in_quotes(text));
}

std::string milliseconds(double seconds) { return fmt::format("{:.1f} ms", 1e3 * seconds); }

std::string as_table(const TeamPlan& plan, const std::string& network) {
  const RankPlan &one = plan.one, &team = plan.team;
  const bool several = team.ranks > 1;
  const auto row = [&](const char* name, const std::string& alone, const std::string& each) {
    return several ? fmt::format("{:<22}{:>14}{:>14}\n", name, alone, each)
                   : fmt::format("{:<22}{:>14}\n", name, alone);
  };
  const auto bytes = [](double n) { return readable_bytes(static_cast<std::uint64_t>(n)); };
  std::string text = fmt::format("{} parameters to train\n\n", fmt::group_digits(plan.parameters));
  text += row("a process", "alone", fmt::format("each of {}", team.ranks));
  text += row("sequences an update", fmt::format("{:.0f}", one.samples), fmt::format("{:.0f}", team.samples));
  text += row("memory", bytes(one.memory), bytes(team.memory));
  text += row("an update", milliseconds(one.update()), milliseconds(team.update()));
  text += row("  passes", milliseconds(one.compute), milliseconds(team.compute));
  text += row("  optimiser", milliseconds(one.optimizer), milliseconds(team.optimizer));
  if (several) text += row("  network", "-", milliseconds(team.network));
  text += row("updates a second", fmt::format("{:.3g}", 1 / one.update()), fmt::format("{:.3g}", 1 / team.update()));
  if (several) {
    text += fmt::format("\n{} processes are {:.2f}x as fast as one, {:.0f} % of {}x; each sends {} an update at {}\n",
                        team.ranks, plan.speedup(), 100 * plan.speedup() / team.ranks, team.ranks, bytes(team.sent),
                        network);
  }
  const auto free = static_cast<double>(available_memory());
  if (one.memory > free) {
    text += fmt::format(
        "\nThis machine has {} free: a process alone does not fit. Lower --batch, or give --recompute on "
        "or --optimizer-precision bf16.\n",
        bytes(free));
  }
  return text;
}

Json as_json(const RankPlan& plan) {
  Json json;
  json["ranks"] = plan.ranks;
  json["samples"] = plan.samples;
  json["memory_bytes"] = plan.memory;
  json["compute_seconds"] = plan.compute;
  json["optimizer_seconds"] = plan.optimizer;
  json["network_seconds"] = plan.network;
  json["update_seconds"] = plan.update();
  json["sent_bytes"] = plan.sent;
  return json;
}

int run(const Arguments& arguments) {
  RunRequest request;
  request.config = config_of(arguments);
  const std::int64_t ranks = arguments.whole("ranks", 1, 1, 1 << 16);
  if (!std::has_single_bit(static_cast<std::uint64_t>(ranks))) {
    throw UsageError("--ranks must be a power of two, got " + std::to_string(ranks));
  }
  const std::string network = arguments.text("network", "10Gb");
  const TeamPlan plan = plan_team(request, static_cast<int>(ranks), network_rate(network));
  if (!arguments.has("json")) {
    out(as_table(plan, network));
    return 0;
  }
  Json json;
  json["parameters"] = plan.parameters;
  json["alone"] = as_json(plan.one);
  if (ranks > 1) {
    json["team"] = as_json(plan.team);
    json["speedup"] = plan.speedup();
    json["efficiency"] = plan.speedup() / static_cast<double>(ranks);
  }
  out(json.dump() + "\n");
  return 0;
}

}  // namespace

Command plan_command() {
  std::vector<Option> options = setting_options();
  for (Option& option : options) option.common = false;
  options.push_back({.name = "ranks", .value = "N", .help = "number of processes, a power of two", .fallback = "1"});
  options.push_back({.name = "network",
                     .value = "RATE",
                     .help = "rate of the network between them: 10Gb (bits a second), 3GB (bytes)",
                     .fallback = "10Gb"});
  options.push_back({.name = "config", .value = "FILE", .help = "settings from a TOML file", .aliases = {"c"}});
  options.push_back({.name = "json", .kind = OptionKind::kSwitch, .help = "one JSON object"});
  return {.name = "plan",
          .summary = "measure what a run would need and how fast it would be, alone and on several processes",
          .arguments = "[FILE|FOLDER]...",
          .most = 1 << 20,
          .examples = {"rapt plan my.txt", "rapt plan my.txt --preset gpt2 --ranks 16 --network 10Gb"},
          .options = options,
          .more =
              "Takes every option of rapt train. Measures updates on this machine for a second or two, and leaves no "
              "files (docs/several-machines.md).\n",
          .run = run};
}

}  // namespace rapt::app
