#include "train/labelled/logits.h"

#include <algorithm>
#include <cmath>

namespace rapt {

// log(sum(exp(x)))
static double log_sum(std::span<const float> x) {
  const double most = static_cast<double>(*std::ranges::max_element(x));
  double sum = 0;
  for (const float v : x) sum += std::exp(static_cast<double>(v) - most);
  return most + std::log(sum);
}

std::size_t largest(std::span<const float> logits) {
  return static_cast<std::size_t>(std::ranges::max_element(logits) - logits.begin());
}

double cross_entropy(std::span<const float> logits, std::int32_t target) {
  return log_sum(logits) - static_cast<double>(logits[static_cast<std::size_t>(target)]);
}

std::vector<float> softmax(std::span<const float> logits) {
  const double all = log_sum(logits);
  std::vector<float> p;
  for (const float v : logits) p.push_back(static_cast<float>(std::exp(static_cast<double>(v) - all)));
  return p;
}

}  // namespace rapt
