#include "text_scores.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "io/escape.h"
#include "io/joined.h"
#include "io/json.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/corpus/line_reader.h"
#include "train/metrics/text_metric.h"

namespace rapt::app {
namespace {

using Metrics = std::vector<std::unique_ptr<TextMetric>>;
using References = std::vector<std::vector<std::string>>;
using NamedIntervals = std::vector<std::pair<std::string, Interval>>;
using Differences = std::vector<std::pair<std::string, PairedDifference>>;

TextMetricOptions metric_options(const Arguments& arguments) {
  TextMetricOptions options;
  options.lowercase = arguments.has("lowercase");
  options.tokenize = arguments.text("tokenize", options.tokenize);
  options.smooth = arguments.text("smooth", options.smooth);
  options.smooth_value = arguments.number("smooth-value", options.smooth_value, {0, 1e9});
  options.effective_order = arguments.has("per-line");
  options.ter_case_sensitive = arguments.has("ter-case-sensitive");
  options.ter_normalize = arguments.has("ter-normalize");
  options.ter_punctuation = arguments.on("ter-punctuation", options.ter_punctuation);
  options.ter_asian = arguments.has("ter-asian");
  options.stem = arguments.has("stem");
  return options;
}

// What is printed about one system.
struct Report {
  const TextSystem* system = nullptr;
  MetricValues values;
  std::vector<std::string> details;
  NamedIntervals intervals;  // empty with --resamples 0
  Differences differences;   // from the first system; empty for itself
};

std::vector<Report> reports_of(const Metrics& metrics, const std::vector<TextSystem>& systems,
                               const References& references, const BootstrapOptions* bootstrap) {
  std::vector<Report> reports;
  std::optional<TextScores> first;
  for (const TextSystem& system : systems) {
    const TextScores scores(metrics, system.texts, references);
    const auto values = [](const TextScores& of) {
      return [&of](std::span<const std::uint32_t> times) { return of.values(times); };
    };
    Report& report = reports.emplace_back();
    report.system = &system;
    report.values = scores.values();
    for (std::size_t m = 0; m < metrics.size(); ++m) report.details.push_back(metrics[m]->details(scores.sums(m)));
    if (bootstrap != nullptr) report.intervals = bootstrap_intervals(scores.segments(), values(scores), *bootstrap);
    if (bootstrap != nullptr && first) {
      report.differences = paired_bootstrap(scores.segments(), values(*first), values(scores), *bootstrap);
    }
    if (!first) first = scores;
  }
  return reports;
}

Json as_json(const Report& report) {
  const auto pair = [](const Interval& interval) { return Json::array({interval.low, interval.high}); };
  Json json;
  for (std::size_t m = 0; m < report.values.size(); ++m) {
    const auto& [name, value] = report.values[m];
    json[name] = value;
    if (!report.details[m].empty()) json["details"][name] = report.details[m];
    if (!report.intervals.empty()) json["intervals"][name] = pair(report.intervals[m].second);
    if (report.differences.empty()) continue;
    const PairedDifference& difference = report.differences[m].second;
    json["differences"][name] = difference.difference;
    json["difference_intervals"][name] = pair(difference.interval);
    json["p_values"][name] = difference.p;
  }
  for (const auto& [name, value] : report.system->facts) json[name] = value;
  json["hypotheses"] = report.system->name;
  return json;
}

std::string as_text(const Report& report) {
  std::string text = escape_for_terminal(report.system->name) + "\n";
  for (std::size_t m = 0; m < report.values.size(); ++m) {
    text += fmt::format("  {:<12}{:>7.2f}", report.values[m].first, report.values[m].second);
    if (!report.intervals.empty()) {
      const Interval& interval = report.intervals[m].second;
      text += fmt::format("   {:>6.2f} to {:>6.2f}", interval.low, interval.high);
    }
    if (!report.details[m].empty()) text += "   " + report.details[m];
    text += "\n";
    if (report.differences.empty()) continue;
    const PairedDifference& d = report.differences[m].second;
    text += fmt::format("  {:<12}{:>+7.2f}   {:>+6.2f} to {:>+6.2f}   p = {:.4f}\n", "  difference", d.difference,
                        d.interval.low, d.interval.high, d.p);
  }
  for (const auto& [name, value] : report.system->facts) text += fmt::format("  {:<12}{:>7.4f}\n", name, value);
  return text;
}

void print_lines(const Metrics& metrics, const TextSystem& system, const References& references) {
  const TextScores scores(metrics, system.texts, references);
  out(joined(metrics, "\t", [](const auto& metric) { return metric->name(); }) + "\n");
  for (std::size_t i = 0; i < scores.segments(); ++i) {
    out(joined(scores.segment(i), "\t", [](const auto& value) { return fmt::format("{:.4f}", value.second); }) + "\n");
  }
}

std::vector<std::string> read_texts(const std::string& file) {
  std::vector<std::string> lines = read_lines(file);
  if (lines.empty()) throw DataError("eval: " + escape_for_terminal(file) + " must have at least one line, got none");
  return lines;
}

std::vector<std::string> read_aligned(const std::string& file, const TextSystem& first) {
  std::vector<std::string> lines = read_texts(file);
  if (lines.size() != first.texts.size()) {
    throw DataError(
        fmt::format("eval: {} must have as many lines as {}, {}, got {}; line N of each must belong together",
                    escape_for_terminal(file), escape_for_terminal(first.name), first.texts.size(), lines.size()));
  }
  return lines;
}

}  // namespace

std::vector<std::string> read_lines(const std::string& file) {
  LineReader reader(file == "-" ? Input::from_standard_input() : Input::from_file(file));
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  return lines;
}

std::vector<Option> text_score_options() {
  std::vector<Option> options = {
      {.name = "metrics",
       .value = "LIST",
       .help = "any of " + joined(text_metric_names()),
       .fallback = "bleu,chrf,chrf++,ter for files"},
      {.name = "lowercase",
       .kind = OptionKind::kSwitch,
       .help = "bleu, chrf: compare in lower case",
       .aliases = {"lc"}},
      {.name = "tokenize", .value = "T", .help = "bleu: 13a, intl, char or none, as in sacreBLEU", .fallback = "13a"},
      {.name = "stem", .kind = OptionKind::kSwitch, .help = "rouge: compare stems of English words"},
      {.name = "resamples",
       .value = "N",
       .help = "bootstrap resamples for intervals and paired tests; 0: none",
       .fallback = "1000"},
      {.name = "per-line", .kind = OptionKind::kSwitch, .help = "scores of each line, separated by tabs"},
      {.name = "smooth", .value = "S", .help = "bleu: exp, floor, add-k or none", .fallback = "exp", .common = false},
      {.name = "smooth-value",
       .value = "X",
       .help = "bleu: the value of floor and add-k",
       .fallback = "0.1 and 1",
       .common = false},
      {.name = "ter-case-sensitive", .kind = OptionKind::kSwitch, .help = "ter: distinguish case", .common = false},
      {.name = "ter-normalize",
       .kind = OptionKind::kSwitch,
       .help = "ter: separate punctuation from words",
       .common = false},
      {.name = "ter-punctuation",
       .kind = OptionKind::kOnOff,
       .help = "ter: compare punctuation",
       .fallback = "on",
       .common = false},
      {.name = "ter-asian",
       .kind = OptionKind::kSwitch,
       .help = "ter: the two above also for Chinese and Japanese",
       .common = false}};
  for (Option& option : options) option.group = "scores of texts";
  return options;
}

int print_text_scores(const Arguments& arguments, const std::vector<TextSystem>& systems, const References& references,
                      const std::string& metrics) {
  const Metrics chosen = make_text_metrics(arguments.text("metrics", metrics), metric_options(arguments));
  BootstrapOptions bootstrap;
  bootstrap.resamples = static_cast<int>(arguments.whole("resamples", bootstrap.resamples, 0, 1'000'000));
  if (arguments.has("per-line")) {
    if (systems.size() > 1) throw UsageError("--per-line: there must be one file of hypotheses, got several");
    print_lines(chosen, systems[0], references);
    return 0;
  }
  const BootstrapOptions* const resampling = bootstrap.resamples > 0 ? &bootstrap : nullptr;
  const std::vector<Report> reports = reports_of(chosen, systems, references, resampling);
  const auto signature_of = [&](const TextMetric& metric) {
    return signature(metric, references[0].size(), resampling);
  };
  if (arguments.has("json")) {
    Json json = as_json(reports[0]);
    for (std::size_t r = 1; r < reports.size(); ++r) json["compared"].push_back(as_json(reports[r]));
    for (const auto& metric : chosen) json["signatures"][std::string(metric->name())] = signature_of(*metric);
    json["segments"] = references.size();
    json["references"] = references[0].size();
    out(json.dump() + "\n");
    return 0;
  }
  for (const Report& report : reports) out(as_text(report));
  out(fmt::format("{} lines", fmt::group_digits(references.size())));
  if (resampling != nullptr) out("; to the right of scores: 95 % bootstrap intervals");
  if (reports.size() > 1 && resampling != nullptr) out("; differences from the first, paired bootstrap test");
  out("\n");
  for (const auto& metric : chosen) out(fmt::format("{}|{}\n", metric->name(), signature_of(*metric)));
  return 0;
}

int eval_texts(const Arguments& arguments) {
  arguments.required("hypotheses");
  arguments.required("target");
  std::vector<TextSystem> systems;
  for (const std::string& file : arguments.list("hypotheses")) {
    systems.push_back({file, systems.empty() ? read_texts(file) : read_aligned(file, systems[0])});
  }
  References references(systems[0].texts.size());
  for (const std::string& file : arguments.list("target")) {
    std::vector<std::string> lines = read_aligned(file, systems[0]);
    for (std::size_t i = 0; i < lines.size(); ++i) references[i].push_back(std::move(lines[i]));
  }
  return print_text_scores(arguments, systems, references, "bleu,chrf,chrf++,ter");
}

}  // namespace rapt::app
