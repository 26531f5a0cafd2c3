#include "decode/translate.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "tensor/parallel.h"

namespace rapt {
namespace {

// Indices of the sources, longest first, in batches.
std::vector<std::vector<std::size_t>> batches_of(const TokenLists& sources, const TranslateOptions& options) {
  std::vector<std::size_t> order(sources.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return sources[a].size() > sources[b].size(); });
  std::vector<std::vector<std::size_t>> batches;
  std::size_t tokens = 0;
  for (const std::size_t source : order) {
    tokens += sources[source].size();
    if (batches.empty() || batches.back().size() == options.batch_sources || tokens > options.batch_tokens) {
      batches.emplace_back();
      tokens = sources[source].size();
    }
    batches.back().push_back(source);
  }
  return batches;
}

std::vector<std::vector<Generated>> translate_batch(Decoder& decoder, const TokenLists& prompts,
                                                    const std::vector<LengthLimits>& limits,
                                                    const std::vector<std::size_t>& numbers,
                                                    const TranslateOptions& options) {
  if (options.beam) {
    BeamOptions beam = *options.beam;
    beam.limits = limits;
    beam.numbers = numbers;
    return beam_search(decoder, prompts, beam);
  }
  GenerateOptions sampling = options.sampling;
  sampling.limits = limits;
  sampling.numbers = numbers;
  std::vector<Generated> texts = generate(decoder, prompts, sampling);
  std::vector<std::vector<Generated>> results(prompts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) results[i / sampling.samples].push_back(std::move(texts[i]));
  return results;
}

}  // namespace

LengthLimits limits_for(const TranslateOptions& options, std::size_t source_tokens) {
  LengthLimits limits = options.limits;
  const auto length = static_cast<double>(source_tokens);
  const auto tokens = [](double x) { return static_cast<std::int64_t>(std::ceil(std::min(x, 1e9))); };
  if (options.most_ratio > 0)
    limits.most = std::min(limits.most, tokens(options.most_ratio * length) + options.allowance);
  limits.least = std::min(limits.most, std::max(limits.least, tokens(options.least_ratio * length)));
  return limits;
}

void translate(const TokenLists& sources, const DecoderMaker& make_decoder, const TranslateOptions& options,
               std::size_t first, const std::function<void(std::size_t source, std::vector<Generated> texts)>& done) {
  const std::vector<std::vector<std::size_t>> batches = batches_of(sources, options);
  std::mutex one_at_a_time;
  const auto run = [&](Dim index) {
    const std::vector<std::size_t>& batch = batches[static_cast<std::size_t>(index)];
    TokenLists own;
    std::vector<LengthLimits> limits;
    std::vector<std::size_t> numbers;
    for (const std::size_t source : batch) {
      own.push_back(sources[source]);
      limits.push_back(limits_for(options, sources[source].size()));
      numbers.push_back(first + source);
    }
    const auto decoder = make_decoder(continued_stream(own, std::vector<Dim>(own.size(), 0)));
    const TokenLists prompts(own.size(), options.prompt);
    std::vector<std::vector<Generated>> texts = translate_batch(*decoder, prompts, limits, numbers, options);
    const std::lock_guard lock(one_at_a_time);
    for (std::size_t i = 0; i < batch.size(); ++i) done(batch[i], std::move(texts[i]));
  };
  // With a batch for each thread, threads need not wait for each other in every layer of every step.
  const auto count = static_cast<Dim>(batches.size());
  if (count >= 2 * thread_count()) return parallel_for(count, run, Schedule::kDynamic);
  for (Dim index = 0; index < count; ++index) run(index);
}

}  // namespace rapt
