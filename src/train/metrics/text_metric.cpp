#include "train/metrics/text_metric.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "io/names.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "train/metrics/bleu.h"
#include "train/metrics/chrf.h"
#include "train/metrics/rouge.h"
#include "train/metrics/ter.h"

#ifndef RAPT_VERSION
#define RAPT_VERSION "unknown"
#endif

namespace rapt {

namespace {

using Made = std::unique_ptr<TextMetric>;

template <std::size_t kWords>
Made make_chrf(const TextMetricOptions& options) {
  return std::make_unique<Chrf>(ChrfOptions{.words = kWords, .lowercase = options.lowercase});
}

template <RougeKind kKind>
Made make_rouge(const TextMetricOptions& options) {
  return std::make_unique<Rouge>(kKind, options.stem);
}

struct Entry {
  std::string_view name;
  Made (*make)(const TextMetricOptions&);
};

constexpr auto kTable = std::to_array<Entry>({
    {"bleu", [](const TextMetricOptions& options) -> Made { return std::make_unique<Bleu>(BleuOptions::of(options)); }},
    {"chrf", make_chrf<0>},
    {"chrf++", make_chrf<2>},
    {"ter",
     [](const TextMetricOptions& options) -> Made {
       return std::make_unique<Ter>(TerTokenization{options.ter_normalize, options.ter_punctuation, options.ter_asian},
                                    options.ter_case_sensitive);
     }},
    {"rouge-1", make_rouge<RougeKind::k1>},
    {"rouge-2", make_rouge<RougeKind::k2>},
    {"rouge-l", make_rouge<RougeKind::kL>},
    {"rouge-lsum", make_rouge<RougeKind::kLsum>},
});

}  // namespace

std::vector<std::string> text_metric_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kTable) names.emplace_back(entry.name);
  return names;
}

std::unique_ptr<TextMetric> make_text_metric(std::string_view name, const TextMetricOptions& options,
                                             std::string_view option) {
  return find_named(name, kTable, &Entry::name, option).make(options);
}

std::vector<std::unique_ptr<TextMetric>> make_text_metrics(std::span<const std::string> names,
                                                           const TextMetricOptions& options, std::string_view option) {
  std::vector<std::unique_ptr<TextMetric>> metrics;
  for (const std::string& name : names) {
    const auto same = [&name](const auto& metric) { return metric->name() == name; };
    if (std::any_of(metrics.begin(), metrics.end(), same)) {
      throw UsageError(fmt::format("{}: each name must occur once, got {} twice", option, name));
    }
    metrics.push_back(make_text_metric(name, options, option));
  }
  return metrics;
}

std::vector<std::unique_ptr<TextMetric>> make_text_metrics(std::string_view list, const TextMetricOptions& options) {
  std::vector<std::string> names(1);
  for (const char c : list) c == ',' ? static_cast<void>(names.emplace_back()) : names.back().push_back(c);
  return make_text_metrics(names, options, "--metrics");
}

std::string signature(const TextMetric& metric, std::size_t references, const BootstrapOptions* bootstrap) {
  std::string text = fmt::format("nrefs:{}|", references);
  if (bootstrap != nullptr) text += fmt::format("bs:{}|seed:{}|", bootstrap->resamples, bootstrap->seed);
  return text + metric.settings() + "|version:rapt-" RAPT_VERSION;
}

TextScores::TextScores(std::span<const std::unique_ptr<TextMetric>> metrics, std::span<const std::string> hypotheses,
                       std::span<const std::vector<std::string>> references)
    : metrics_(metrics), segments_(hypotheses.size()) {
  if (references.size() != segments_) {
    throw std::invalid_argument(fmt::format("text metrics: there must be references for each of {} texts, got {}",
                                            segments_, references.size()));
  }
  for (const auto& metric : metrics_) statistics_.emplace_back(segments_ * metric->size());
  parallel_for(
      static_cast<Dim>(segments_),
      [&](Dim index) {
        const auto i = static_cast<std::size_t>(index);
        for (std::size_t m = 0; m < metrics_.size(); ++m) {
          const std::vector<double> found = metrics_[m]->compare(hypotheses[i], references[i]);
          std::copy(found.begin(), found.end(),
                    statistics_[m].begin() + static_cast<std::ptrdiff_t>(i * metrics_[m]->size()));
        }
      },
      Schedule::kDynamic);
}

std::vector<double> TextScores::sums(std::size_t metric, std::span<const std::uint32_t> times) const {
  const std::size_t size = metrics_[metric]->size();
  const double* row = statistics_[metric].data();
  std::vector<double> sums(size);
  for (std::size_t i = 0; i < segments_; ++i, row += size) {
    const double weight = times.empty() ? 1 : times[i];
    for (std::size_t k = 0; k < size; ++k) sums[k] += weight * row[k];
  }
  return sums;
}

MetricValues TextScores::values(std::span<const std::uint32_t> times) const {
  MetricValues values;
  for (std::size_t m = 0; m < metrics_.size(); ++m) {
    values.emplace_back(metrics_[m]->name(), metrics_[m]->score(sums(m, times)));
  }
  return values;
}

MetricValues TextScores::segment(std::size_t index) const {
  MetricValues values;
  for (std::size_t m = 0; m < metrics_.size(); ++m) {
    const std::size_t size = metrics_[m]->size();
    values.emplace_back(metrics_[m]->name(), metrics_[m]->score(std::span(statistics_[m]).subspan(index * size, size)));
  }
  return values;
}

}  // namespace rapt
