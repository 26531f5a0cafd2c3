#include "bench_updates.h"

#include <fmt/format.h>

#include <algorithm>

#include "tensor/parallel.h"
#include "tensor/precision.h"
#include "tensor/storage.h"
#include "terminal.h"
#include "train/tasks/machine.h"

#ifndef RAPT_VERSION
#define RAPT_VERSION "unknown"
#endif

namespace rapt::app {

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

UpdateTimes time_updates(Trainer& trainer, std::int64_t warmup, std::int64_t steps, Profile* profile) {
  UpdateTimes times;
  std::size_t before = 0;
  for (std::int64_t i = 0; i < warmup + steps; ++i) {
    if (i == std::max<std::int64_t>(1, warmup)) before = memory_stats().system_allocations;
    if (i == warmup) trainer.set_profile(profile);
    const Clock::time_point began = Clock::now();
    const UpdateResult update = trainer.update();
    const double seconds = seconds_since(began);
    times.loss = update.loss;
    if (i < warmup) continue;
    times.seconds.push_back(seconds);
    times.total += seconds;
    times.tokens += update.tokens;
  }
  times.allocations = memory_stats().system_allocations - before;
  return times;
}

std::vector<Option> update_options() {
  return {
      {.name = "warm", .value = "N", .help = "updates before timing starts", .aliases = {"warmup"}, .fallback = "2"},
      {.name = "profile", .kind = OptionKind::kSwitch, .help = "print where the time of the updates went, op by op"},
      {.name = "json", .kind = OptionKind::kSwitch, .help = "one JSON object"}};
}

Json report_updates(const std::string& what, const UpdateTimes& times, double flop_per_token, double peak) {
  const double seconds = median(times.seconds), tokens = static_cast<double>(times.tokens);
  const double work = flop_per_token * tokens / static_cast<double>(times.seconds.size());
  Json json;
  json["what"] = what;
  json["rapt"] = RAPT_VERSION;
  json["threads"] = thread_count();
  json["precision"] = product_precision() == Precision::kBf16 ? "bf16" : "f32";
  json["median_ms"] = seconds * 1e3;
  json["total_s"] = times.total;
  json["tokens_per_s"] = tokens / times.total;
  json["loss"] = times.loss;
  json["peak_mb"] = peak_resident_memory() >> 20;
  json["peak_gflops"] = peak * 1e-9;
  json["share_of_peak"] = work / seconds / peak;
  json["tensor_peak_mb"] = memory_stats().peak >> 20;
  json["system_allocations_after_first"] = times.allocations;
  return json;
}

static Json as_json(const Profile::Part& part, double updates) {
  return {{"calls", static_cast<double>(part.calls) / updates},
          {"ms", part.seconds / updates * 1e3},
          {"flop", part.work.flop / updates},
          {"bytes", part.work.bytes / updates}};
}

// Averages per update.
static Json as_json(const Profile& profile) {
  const double updates = static_cast<double>(profile.updates());
  Json json;
  json["update_ms"] = profile.update_seconds() * 1e3;
  for (const Profile::Op& op : profile.ops()) {
    json["ops"][op.name] = {{"forward", as_json(op.forward, updates)}, {"backward", as_json(op.backward, updates)}};
  }
  for (const auto& [name, part] : profile.update_parts()) json["between_ops"][name] = as_json(part, updates);
  return json;
}

void print_updates(Json report, const Profile* profile, bool json) {
  if (json) {
    if (profile != nullptr) report["profile"] = as_json(*profile);
    return out(report.dump() + "\n");
  }
  out(fmt::format("{}: {:.2f} ms per update, {:.0f} tokens/s, {:.0f} % of the sgemm peak of {:.0f} GFLOP/s, {} MB\n",
                  report["what"].get<std::string>(), report["median_ms"].get<double>(),
                  report["tokens_per_s"].get<double>(), 100 * report["share_of_peak"].get<double>(),
                  report["peak_gflops"].get<double>(), report["peak_mb"].get<std::uint64_t>()));
  if (profile != nullptr) out(profile->table());
}

}  // namespace rapt::app
