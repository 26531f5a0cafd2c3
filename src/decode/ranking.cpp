#include "decode/ranking.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"

namespace rapt {

LengthPenalty length_penalty_named(const std::string& name) {
  if (name == "length") return LengthPenalty::kLength;
  if (name == "gnmt") return LengthPenalty::kGnmt;
  throw UsageError("--length-penalty-kind must be one of length|gnmt, got \"" + name + "\"");
}

double Ranking::score(double log_probability, std::size_t length, std::span<const float> coverage) const {
  const auto n = static_cast<double>(length);
  double score = log_probability / std::pow(kind == LengthPenalty::kGnmt ? (5 + n) / 6 : n, alpha);
  constexpr double kLeast = 1e-10;  // of a token that received nothing: the logarithm stays finite
  for (const float a : coverage) score += beta * std::log(std::clamp(static_cast<double>(a), kLeast, 1.0));
  return score;
}

}  // namespace rapt
