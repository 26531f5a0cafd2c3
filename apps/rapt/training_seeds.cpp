// --seeds N: the same run with several seeds, because results of fine-tuning on little data vary with the seed. Dodge,
// Ilharco, Schwartz, Farhadi, Hajishirzi, Smith, "Fine-Tuning Pretrained Language Models", 2020, arXiv 2002.06305.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "io/durable_file.h"
#include "io/escape.h"
#include "io/json.h"
#include "tensor/error.h"
#include "terminal.h"
#include "train/files/run_folder.h"
#include "train/metrics/metric.h"
#include "training.h"

namespace rapt::app {

namespace fs = std::filesystem;

namespace {

struct SeedResult {
  std::int64_t seed = 0;
  std::string folder;  // within the folder of all seeds
  double score = 0, loss = 0;
  std::vector<std::pair<std::string, double>> metrics;
};

struct Spread {
  double mean = 0, deviation = 0;  // deviation with n - 1; NaN for a single value
};

Spread spread_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  Spread s;
  for (const double v : values) s.mean += v / n;
  double squares = 0;
  for (const double v : values) squares += (v - s.mean) * (v - s.mean);
  s.deviation = values.size() > 1 ? std::sqrt(squares / (n - 1)) : NAN;
  return s;
}

bool is_seed_folder(const std::string& name) {
  return name.starts_with("seed-") && name.size() > 5 && name.find_first_not_of("0123456789", 5) == std::string::npos;
}

// The folder of all seeds may contain nothing else, because a run in it would be hidden.
void require_folder_for_seeds(const std::string& folder) {
  if (!fs::exists(folder)) return;
  if (!fs::is_directory(folder)) throw CannotCreateError(folder + " is a file; give --out a folder");
  std::set<std::string> names;  // sorted, so that the message is always the same
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  for (const std::string& name : names) {
    if (name == "seeds.json" || is_seed_folder(name)) continue;
    throw CannotCreateError(folder + " holds " + escape_for_terminal(name) +
                            ", which is not the run of a seed; use another --out for --seeds");
  }
}

double value_of(const SeedResult& result, const std::string& metric) {
  for (const auto& [name, value] : result.metrics) {
    if (name == metric) return value;
  }
  return NAN;
}

std::vector<double> column(const std::vector<SeedResult>& results, double SeedResult::*field) {
  std::vector<double> values;
  for (const SeedResult& r : results) values.push_back(r.*field);
  return values;
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json as_json(const std::vector<SeedResult>& results, const std::string& metric) {
  Json json;
  json["metric"] = metric;
  json["runs"] = Json::array();
  for (const SeedResult& r : results) {
    Json run;
    run["seed"] = r.seed;
    run["folder"] = r.folder;
    for (const auto& [name, value] : r.metrics) run[name] = number_or_null(value);
    json["runs"].push_back(std::move(run));
  }
  for (const auto& [name, field] : {std::pair{metric.c_str(), &SeedResult::score}, {"loss", &SeedResult::loss}}) {
    const Spread s = spread_of(column(results, field));
    json["mean"][name] = number_or_null(s.mean);
    json["deviation"][name] = number_or_null(s.deviation);
  }
  return json;
}

std::string as_table(const std::vector<SeedResult>& results, const std::string& metric) {
  const bool has_score = metric != "loss";
  const auto line = [&](const std::string& name, double score, double loss) {
    std::string text = fmt::format("{:<12}", name);
    if (has_score) text += std::isnan(score) ? fmt::format("{:>14}", "-") : fmt::format("{:>14.4f}", score);
    return text + (std::isnan(loss) ? fmt::format("{:>12}\n", "-") : fmt::format("{:>12.4f}\n", loss));
  };
  std::string table = fmt::format("{:<12}", "seed");
  if (has_score) table += fmt::format("{:>14}", metric);
  table += fmt::format("{:>12}\n", "loss");
  for (const SeedResult& r : results) table += line(std::to_string(r.seed), r.score, r.loss);
  const Spread score = spread_of(column(results, &SeedResult::score));
  const Spread loss = spread_of(column(results, &SeedResult::loss));
  table += line("mean", score.mean, loss.mean) + line("deviation", score.deviation, loss.deviation);
  if (metric == "accuracy") {
    const double majority = value_of(results.front(), "majority_accuracy");
    if (!std::isnan(majority)) table += line("majority", majority, NAN);
  }
  return table;
}

}  // namespace

int run_seeds(const Arguments& arguments, const RunRequest& request, const std::string& verb) {
  const std::int64_t count = arguments.whole("seeds", 1, 1, 1000);
  const TrainConfig& config = request.config.values;
  if (request.resume) {
    throw UsageError("--seeds resumes by itself; run the same command again without --resume");
  }
  for (const std::string& file : config.data) {
    if (file == "-") throw UsageError("--seeds reads the data once for each seed, got standard input; give a file");
  }
  const std::string folder = config.out.empty() ? default_run_folder(config) : config.out;
  require_folder_for_seeds(folder);
  const StopSignals signals;
  std::vector<SeedResult> results;
  std::string metric = "loss";
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t seed = config.seed + i;
    RunRequest one = request;
    one.config.values.seed = seed;
    one.config.origin["seed"] = Origin::kFlag;
    const std::string name = fmt::format("seed-{}", seed);
    one.config.values.out = folder + "/" + name;
    one.config.origin["out"] = Origin::kFlag;
    say(fmt::format("seed {}, {} of {}", seed, i + 1, count));
    const RunResult result = train_one(one, signals);
    if (!result.finished) {
      say(fmt::format(
          "stopped by {} in the run of seed {}; run the same command again to resume: rapt {} ... --seeds {} --out {}",
          result.reason, seed, verb, count, escape_for_terminal(folder)));
      return 75;
    }
    if (result.already) say(fmt::format("{} is finished", escape_for_terminal(result.folder)));
    metric = result.metric;
    const bool validated = std::isfinite(result.best_loss);
    SeedResult one_seed{.seed = seed, .folder = name, .metrics = best_validation(result.folder)};
    one_seed.score = value_of(one_seed, metric);
    one_seed.loss = validated ? result.best_loss : NAN;
    results.push_back(std::move(one_seed));
  }
  const Json json = as_json(results, metric);
  write_file_durably(folder + "/seeds.json", dump_pretty(json) + "\n");
  out(arguments.has("json") ? dump_compact(json) + "\n" : as_table(results, metric));
  return 0;
}

}  // namespace rapt::app
