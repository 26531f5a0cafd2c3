#include "decode/ensemble.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "decode/sampler.h"
#include "tensor/error.h"
#include "tensor/kernels/log_softmax.h"
#include "tensor/kernels/softmax.h"
#include "tensor/parallel.h"

namespace rapt {

EnsembleDecoder::EnsembleDecoder(std::vector<std::unique_ptr<Decoder>> members, EnsembleMean mean)
    : members_(std::move(members)), mean_(mean) {
  for (const auto& member : members_) {
    if (member->vocabulary() == vocabulary()) continue;
    throw UsageError("ensemble: all models must have the same vocabulary, got " + std::to_string(vocabulary()) +
                     " and " + std::to_string(member->vocabulary()) + " entries");
  }
}

std::optional<Dim> EnsembleDecoder::longest() const {
  std::optional<Dim> least;
  for (const auto& member : members_) {
    if (const auto own = member->longest()) least = std::min(least.value_or(*own), *own);
  }
  return least;
}

static void to_log_probabilities(std::span<float> row, std::size_t sequence) {
  const float top = require_scores(
      row, "generate", [&] { return "a model of the ensemble, text " + std::to_string(sequence + 1) + " of a batch"; });
  const auto V = static_cast<Dim>(row.size());
  kernels::subtract(row.data(), kernels::log_sum_exp(row.data(), V, top), V);
}

Tensor EnsembleDecoder::advance(const TokenLists& tokens) {
  std::vector<Tensor> scores;  // [B, V] each
  for (const auto& member : members_) scores.push_back(member->advance(tokens));
  if (scores.size() == 1) return scores[0];
  const auto V = static_cast<std::size_t>(vocabulary());
  const auto row_of = [V](Tensor& x, std::size_t b) { return x.span<float>().subspan(b * V, V); };
  const auto share = 1 / static_cast<float>(scores.size());
  const bool logarithms = mean_ == EnsembleMean::kLogarithms;
  parallel_for(scores[0].shape()[0], [&](Dim index) {
    const auto b = static_cast<std::size_t>(index);
    const std::span<float> to = row_of(scores[0], b);
    for (std::size_t m = 0; m < scores.size(); ++m) {
      const std::span<float> from = row_of(scores[m], b);
      to_log_probabilities(from, b);
      if (!logarithms) kernels::softmax_forward(from.data(), from.data(), 1, static_cast<Dim>(V));
      for (std::size_t v = 0; v < V; ++v) to[v] = m == 0 ? share * from[v] : to[v] + share * from[v];
    }
    if (logarithms) return to_log_probabilities(to, b);
    for (float& x : to) x = std::log(x);
  });
  return scores[0];
}

void EnsembleDecoder::reorder(std::span<const Dim> from) {
  for (const auto& member : members_) member->reorder(from);
}

bool EnsembleDecoder::keep_attention() {
  attentive_.clear();
  for (const auto& member : members_) {
    if (member->keep_attention()) attentive_.push_back(member.get());
  }
  return !attentive_.empty();
}

SourceWeights EnsembleDecoder::attention() const {
  SourceWeights mean = attentive_.front()->attention();
  for (std::size_t m = 1; m < attentive_.size(); ++m) {
    const SourceWeights more = attentive_[m]->attention();
    for (std::size_t i = 0; i < mean.weights.size(); ++i) mean.weights[i] += more.weights[i];
  }
  for (float& w : mean.weights) w /= static_cast<float>(attentive_.size());
  return mean;
}

}  // namespace rapt
