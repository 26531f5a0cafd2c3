#include "train/metrics/bleu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "io/names.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "train/metrics/ngrams.h"

namespace rapt {

static constexpr std::pair<BleuTokenization, const char*> kTokenizations[] = {{BleuTokenization::k13a, "13a"},
                                                                              {BleuTokenization::kIntl, "intl"},
                                                                              {BleuTokenization::kChar, "char"},
                                                                              {BleuTokenization::kNone, "none"}};
static constexpr std::pair<BleuSmoothing, const char*> kSmoothings[] = {{BleuSmoothing::kExp, "exp"},
                                                                        {BleuSmoothing::kFloor, "floor"},
                                                                        {BleuSmoothing::kAddK, "add-k"},
                                                                        {BleuSmoothing::kNone, "none"}};

BleuOptions BleuOptions::of(const TextMetricOptions& options) {
  return {.lowercase = options.lowercase,
          .tokenization = value_named(options.tokenize, kTokenizations, "--tokenize"),
          .smoothing = value_named(options.smooth, kSmoothings, "--smooth"),
          .smooth_value = options.smooth_value,
          .effective_order = options.effective_order};
}

double Bleu::smooth_value() const {
  if (options_.smooth_value >= 0) return options_.smooth_value;
  return options_.smoothing == BleuSmoothing::kFloor ? 0.1 : 1;
}

std::string Bleu::settings() const {
  std::string smooth = name_in(kSmoothings, options_.smoothing);
  if (options_.smoothing == BleuSmoothing::kFloor || options_.smoothing == BleuSmoothing::kAddK) {
    smooth += fmt::format("[{:.2f}]", smooth_value());
  }
  return fmt::format("case:{}|eff:{}|tok:{}|smooth:{}", options_.lowercase ? "lc" : "mixed",
                     options_.effective_order ? "yes" : "no", name_in(kTokenizations, options_.tokenization), smooth);
}

// Of two references that are equally close, the shorter one.
static std::size_t closest_length(std::size_t length, std::span<const std::u32string> references) {
  const auto distance = [length](std::size_t other) { return other > length ? other - length : length - other; };
  std::size_t closest = references[0].size();
  for (const std::u32string& reference : references) {
    const std::size_t other = reference.size();
    if (std::pair(distance(other), other) < std::pair(distance(closest), closest)) closest = other;
  }
  return closest;
}

std::vector<double> Bleu::compare(std::string_view hypothesis, std::span<const std::string> references) const {
  WordNumbers numbers;
  const auto words = [&](std::string_view text) {
    const std::u32string characters = characters_of(options_.lowercase ? full_lower_case(text) : std::string(text));
    return numbers.of(bleu_words(characters, options_.tokenization));
  };
  const std::u32string said = words(hypothesis);
  std::vector<std::u32string> wanted;
  for (const std::string& reference : references) wanted.push_back(words(reference));

  std::vector<double> statistics(size());
  statistics[0] = static_cast<double>(said.size());
  statistics[1] = static_cast<double>(closest_length(said.size(), wanted));
  for (std::size_t n = 1; n <= options_.order; ++n) {
    NgramCounts most(wanted[0], n);
    for (std::size_t r = 1; r < wanted.size(); ++r) most.raise_to(NgramCounts(wanted[r], n));
    const NgramCounts found(said, n);
    statistics[1 + n] = static_cast<double>(found.matches(most));
    statistics[1 + options_.order + n] = static_cast<double>(found.total());
  }
  return statistics;
}

Bleu::Parts Bleu::parts(std::span<const double> sums) const {
  Parts parts;
  const double said = sums[0], wanted = sums[1];
  if (said < wanted) parts.brevity = said > 0 ? std::exp(1 - wanted / said) : 0;
  parts.precisions.resize(options_.order);
  const std::span<const double> right = sums.subspan(2, options_.order);
  if (std::all_of(right.begin(), right.end(), [](double n) { return n == 0; })) return parts;

  double halves = 1;
  std::size_t orders = options_.order;
  for (std::size_t n = 0; n < options_.order; ++n) {
    const double added = options_.smoothing == BleuSmoothing::kAddK && n > 0 ? smooth_value() : 0;
    const double matches = right[n] + added, all = sums[2 + options_.order + n] + added;
    if (all == 0) break;
    if (options_.effective_order) orders = n + 1;
    double& precision = parts.precisions[n];
    if (matches > 0) {
      precision = 100 * matches / all;
    } else if (options_.smoothing == BleuSmoothing::kExp) {
      precision = 100 / ((halves *= 2) * all);
    } else if (options_.smoothing == BleuSmoothing::kFloor) {
      precision = 100 * smooth_value() / all;
    }
  }
  double logarithms = 0;
  for (std::size_t n = 0; n < orders; ++n) {
    if (parts.precisions[n] == 0) return parts;
    logarithms += std::log(parts.precisions[n]);
  }
  parts.score = parts.brevity * std::exp(logarithms / static_cast<double>(orders));
  return parts;
}

double Bleu::score(std::span<const double> sums) const { return parts(sums).score; }

std::string Bleu::details(std::span<const double> sums) const {
  const Parts found = parts(sums);
  std::string precisions;
  for (const double precision : found.precisions) {
    precisions += fmt::format("{}{:.1f}", precisions.empty() ? "" : "/", precision);
  }
  return fmt::format("{} (BP = {:.3f} ratio = {:.3f} hyp_len = {:.0f} ref_len = {:.0f})", precisions, found.brevity,
                     share(sums[0], sums[1]), sums[0], sums[1]);
}

}  // namespace rapt
