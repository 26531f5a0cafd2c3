// rapt plan: memory and speed of a run before it starts, alone or on several processes.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>

#include "commands.h"
#include "io/escape.h"
#include "io/json.h"
#include "terminal.h"
#include "train/run/plan.h"
#include "train/tasks/machine.h"
#include "training.h"

namespace rapt::app {
namespace {

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    parts.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

struct NetworkRate {
  std::string name;
  double bytes = 0;  // a second, in each direction
};

// "10Gb" and "100Mb" are bits a second, as networks are sold; "3GB" are bytes.
NetworkRate network_rate(const std::string& text) {
  constexpr struct {
    const char* unit;
    double bytes;
  } kUnits[] = {{"Gb", 1e9 / 8}, {"Mb", 1e6 / 8}, {"GB", 1e9}, {"MB", 1e6}};
  for (const auto& [unit, bytes] : kUnits) {
    if (!text.ends_with(unit)) continue;
    try {
      return {text, bytes * parse_number(text.substr(0, text.size() - 2), {0, 1e6, false, true})};
    } catch (const std::invalid_argument&) {
      break;
    }
  }
  throw UsageError("--network must be a rate such as 10Gb (bits a second) or 3GB (bytes), got " + in_quotes(text));
}

int rank_count(const std::string& text) {
  std::int64_t ranks = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ranks);
  if (error != std::errc() || end != text.data() + text.size() || ranks < 1 || ranks > 1 << 16 ||
      !std::has_single_bit(static_cast<std::uint64_t>(ranks))) {
    throw UsageError("--ranks must be a power of two, got " + in_quotes(text));
  }
  return static_cast<int>(ranks);
}

std::string milliseconds(double seconds) { return fmt::format("{:.1f} ms", 1e3 * seconds); }

std::string memory_text(double bytes) { return readable_bytes(static_cast<std::uint64_t>(bytes)); }

// The parts of one update, alone and on one number of ranks.
std::string as_columns(const RankPlan& alone, const RankPlan& team, const NetworkRate& rate) {
  const bool several = team.ranks > 1;
  const auto row = [&](const char* name, const std::string& one, const std::string& each) {
    return several ? fmt::format("{:<22}{:>14}{:>14}\n", name, one, each) : fmt::format("{:<22}{:>14}\n", name, one);
  };
  const double one = alone.update(rate.bytes), each = team.update(rate.bytes);
  std::string text = row("a process", "alone", fmt::format("each of {}", team.ranks));
  text += row("sequences an update", fmt::format("{:.0f}", alone.samples), fmt::format("{:.0f}", team.samples));
  text += row("memory", memory_text(alone.memory), memory_text(team.memory));
  text += row("an update", milliseconds(one), milliseconds(each));
  text += row("  passes", milliseconds(alone.compute), milliseconds(team.compute));
  text += row("  optimiser", milliseconds(alone.optimizer), milliseconds(team.optimizer));
  if (several) text += row("  network", "-", milliseconds(team.network(rate.bytes)));
  text += row("updates a second", fmt::format("{:.3g}", 1 / one), fmt::format("{:.3g}", 1 / each));
  if (!several) return text;
  return text +
         fmt::format("\n{} processes are {:.2f}x as fast as one, {:.0f} % of {}x; each sends {} an update at {}\n",
                     team.ranks, one / each, 100 * one / each / team.ranks, team.ranks, memory_text(team.sent),
                     rate.name);
}

// A row for each number of ranks, a column for each network: how much faster than alone.
std::string as_grid(const TeamPlan& plan, const std::vector<NetworkRate>& rates) {
  const double one = plan.alone.update(1);
  std::string text = fmt::format("alone: {} an update, {}\n\n{:>6}{:>12}{:>11}{:>12}", milliseconds(one),
                                 memory_text(plan.alone.memory), "ranks", "sequences", "memory", "computing");
  for (const NetworkRate& rate : rates) text += fmt::format("{:>14}", rate.name);
  text += '\n';
  for (const RankPlan& team : plan.teams) {
    text += fmt::format("{:>6}{:>12.0f}{:>11}{:>12}", team.ranks, team.samples, memory_text(team.memory),
                        milliseconds(team.compute + team.optimizer));
    for (const NetworkRate& rate : rates) {
      const double speedup = one / team.update(rate.bytes);
      text += fmt::format("{:>14}", fmt::format("{:.1f}x {:>3.0f} %", speedup, 100 * speedup / team.ranks));
    }
    text += '\n';
  }
  return text + "\nUnder each network: how many times as fast as one process, and the share of the ideal.\n";
}

std::string as_text(const TeamPlan& plan, const std::vector<NetworkRate>& rates) {
  std::string text = fmt::format("{} parameters to train\n\n", fmt::group_digits(plan.parameters));
  const bool single = plan.teams.size() == 1 && rates.size() == 1;
  text += single ? as_columns(plan.alone, plan.teams.front(), rates.front()) : as_grid(plan, rates);
  const auto free = static_cast<double>(available_memory());
  if (plan.alone.memory > free) {
    text += fmt::format(
        "\nThis machine has {} free: a process alone does not fit. Lower --batch, or give --recompute on "
        "or --optimizer-precision bf16.\n",
        memory_text(free));
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
  json["sent_bytes"] = plan.sent;
  return json;
}

Json as_json(const TeamPlan& plan, const std::vector<NetworkRate>& rates) {
  Json json;
  json["parameters"] = plan.parameters;
  json["alone"] = as_json(plan.alone);
  const double one = plan.alone.update(1);
  json["alone"]["update_seconds"] = one;
  for (const RankPlan& team : plan.teams) {
    Json& entry = json["teams"].emplace_back(as_json(team));
    for (const NetworkRate& rate : rates) {
      const double update = team.update(rate.bytes);
      entry["networks"].push_back({{"network", rate.name},
                                   {"network_seconds", team.network(rate.bytes)},
                                   {"update_seconds", update},
                                   {"speedup", one / update},
                                   {"efficiency", one / update / team.ranks}});
    }
  }
  return json;
}

int run_plan(const Arguments& arguments) {
  RunRequest request;
  request.config = config_of(arguments);
  std::vector<int> ranks;
  for (const std::string& count : parts_of(arguments.text("ranks", "1"))) ranks.push_back(rank_count(count));
  std::vector<NetworkRate> rates;
  for (const std::string& rate : parts_of(arguments.text("network", "10Gb"))) rates.push_back(network_rate(rate));
  const TeamPlan plan = plan_team(request, ranks);
  out(arguments.has("json") ? as_json(plan, rates).dump() + "\n" : as_text(plan, rates));
  return 0;
}

}  // namespace

Command plan_command() {
  std::vector<Option> options = setting_options();
  for (Option& option : options) option.common = false;
  options.push_back({.name = "ranks",
                     .value = "N,...",
                     .help = "number of processes, a power of two; several make a table",
                     .fallback = "1"});
  options.push_back({.name = "network",
                     .value = "RATE,...",
                     .help = "rate of the network between them: 10Gb (bits a second), 3GB (bytes); several: a table",
                     .fallback = "10Gb"});
  options.push_back({.name = "config", .value = "FILE", .help = "settings from a TOML file", .aliases = {"c"}});
  options.push_back({.name = "json", .kind = OptionKind::kSwitch, .help = "one JSON object"});
  return {.name = "plan",
          .summary = "measure what a run would need and how fast it would be, alone and on several processes",
          .arguments = "[FILE|FOLDER]...",
          .most = 1 << 20,
          .examples = {"rapt plan my.txt", "rapt plan my.txt --preset gpt2 --ranks 16 --network 10Gb",
                       "rapt plan my.txt --preset gpt2 --ranks 2,4,8,16 --network 1Gb,10Gb,100Gb"},
          .options = options,
          .more =
              "Takes every option of rapt train. Measures at least three updates on this machine for each number of "
              "processes, and leaves no files (docs/several-machines.md).\n",
          .run = run_plan};
}

}  // namespace rapt::app
