#include "train/tasks/mlm_evaluation.h"

#include <algorithm>
#include <cmath>

#include "train/metrics/classification.h"

namespace rapt {

InstanceOptions instance_options(const TrainConfig& config) {
  InstanceOptions options = default_instance_options(instance_task_named(config.task));
  options.context = std::min<Dim>(config.context, config.max_length > 0 ? config.max_length : 128);
  if (config.objective() == Objective::kMaskedWordsNextSentence) {
    options.passes = config.dupe_factor;
    options.short_probability = config.short_sequences;
    options.document_lines = config.document_lines;
  }
  options.seed = static_cast<std::uint64_t>(config.seed);
  return options;
}

namespace {

struct MaskedWordSums {
  AccuracyCount words, pairs;
  double word_loss = 0, pair_loss = 0;

  MaskedWordSums& operator+=(const MaskedWordSums& other) {
    words += other.words;
    pairs += other.pairs;
    word_loss += other.word_loss;
    pair_loss += other.pair_loss;
    return *this;
  }
};

MaskedWordSums sums_of(const BertPretraining& network, const Batch& sequences) {
  MaskedWordSums sums;
  const BertPretraining::Scores scores = network.scores(sequences);
  const auto targets = sequences.targets.ids.span<std::int32_t>();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    sums.word_loss -= static_cast<double>(scores.log_probabilities.data<float>()[i]);
    sums.words.add(scores.predicted.data<std::int32_t>()[i] == targets[i]);
  }
  const auto* const random_next = std::get_if<ClassLabels>(&sequences.labels);
  if (!scores.next_sentence.defined() || random_next == nullptr) return sums;
  for (Dim b = 0; b < random_next->values.size(); ++b) {
    const float* const z = scores.next_sentence.data<float>() + 2 * b;
    const int label = random_next->values.data<std::int32_t>()[b];
    const double other = static_cast<double>(z[1 - label]) - static_cast<double>(z[label]);
    sums.pair_loss += std::max(other, 0.0) + std::log1p(std::exp(-std::abs(other)));
    sums.pairs.add(other < 0);
  }
  return sums;
}

}  // namespace

Evaluation evaluate_masked_words(const BertPretraining& network, const MlmEvaluation& held_out, Dim batch,
                                 double tokens, std::int64_t most, Team& team) {
  Evaluation result;
  const PartToRead part(held_out.sequences(), batch, tokens, most);
  const auto [words, pairs, word_loss, pair_loss] = sum_over_batches(
      part, team, [&](std::int64_t first) { return sums_of(network, held_out.batch(first, part.batch)); });
  result.targets = words.all;
  const double mlm = words.all > 0 ? word_loss / static_cast<double>(words.all) : NAN;
  const double nsp = pairs.all > 0 ? pair_loss / static_cast<double>(pairs.all) : 0;
  result.loss = mlm + nsp;
  result.score = -result.loss;
  result.share = part.share;
  result.metrics = {{"mlm_loss", mlm}, {"mlm_accuracy", words.value()}};
  if (pairs.all > 0) result.metrics.insert(result.metrics.end(), {{"nsp_loss", nsp}, {"nsp_accuracy", pairs.value()}});
  return result;
}

MaskedWordsMajority majority_of(const MlmEvaluation& held_out, Dim vocabulary) {
  std::vector<std::int64_t> words(static_cast<std::size_t>(vocabulary)), pairs(2);
  std::int64_t all = 0, sequences = 0;
  for (Dim first = 0; first < held_out.sequences(); first += 256) {
    const Batch batch = held_out.batch(first, 256);
    for (const std::int32_t id : batch.targets.ids.span<std::int32_t>()) ++words[static_cast<std::size_t>(id)];
    all += batch.targets.count();
    const auto* const random_next = std::get_if<ClassLabels>(&batch.labels);
    if (random_next == nullptr) continue;
    for (const std::int32_t label : random_next->values.span<std::int32_t>()) ++pairs[static_cast<std::size_t>(label)];
    sequences += random_next->values.size();
  }
  const auto share_of_most = [](const std::vector<std::int64_t>& counts, std::int64_t total) {
    return share(static_cast<double>(*std::ranges::max_element(counts)), static_cast<double>(total));
  };
  return {.words = share_of_most(words, all), .pairs = sequences > 0 ? share_of_most(pairs, sequences) : -1};
}

}  // namespace rapt
