#include "text/batches/mlm_batches.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/batches/permutation.h"

namespace rapt {

// The stream that masks an instance in an epoch: in two steps, because a key takes one number of 64 bits.
static RandomKey masking_stream(std::uint64_t seed, std::uint64_t epoch, Dim instance) {
  const RandomKey of_epoch = random_key(seed, Purpose::kMasking, epoch);
  return random_key(std::uint64_t{of_epoch.high} << 32 | of_epoch.low, Purpose::kMasking,
                    static_cast<std::uint64_t>(instance));
}

static void require_instances(const TokenStore& store, const Tokenizer& tokenizer) {
  if (!store.instance_options()) {
    const std::string name = store.path().empty() ? "corpus" : escape_for_terminal(store.path());
    throw DataError(name +
                    ": must be built for masked language models, got a corpus without instances; build it "
                    "again with: rapt data build --task mlm-nsp");
  }
  store.require_tokenizer(tokenizer);
}

static std::shared_ptr<const Masker> masker_for(const TokenStore& store, const Tokenizer& tokenizer,
                                                const MaskingOptions& masking) {
  require_instances(store, tokenizer);
  return std::make_shared<Masker>(tokenizer, masking, store.instance_options()->context);
}

static Dim length_of(const Instance& instance, InstanceTask task) {
  return instance.first.size() + instance.second.size() + frame_tokens(task);
}

Batch make_mlm_batch(const TokenStore& store, const Masker& masker, std::span<const MlmSequence> sequences) {
  if (store.vocabulary_size() > masker.vocabulary_size()) {
    throw DataError(escape_for_terminal(store.path()) + ": must have the vocabulary of the tokenizer, " +
                    std::to_string(masker.vocabulary_size()) + " tokens, got " +
                    std::to_string(store.vocabulary_size()) + "; the file is damaged");
  }
  const InstanceTask task = store.instance_options()->task;
  std::vector<Instance> instances;
  std::vector<Dim> lengths;
  for (const MlmSequence& sequence : sequences) {
    lengths.push_back(length_of(instances.emplace_back(store.instance(sequence.instance)), task));
  }
  const auto N = static_cast<std::size_t>(std::accumulate(lengths.begin(), lengths.end(), Dim{0}));
  std::vector<std::int32_t> tokens(N), segments, target_rows, targets, labels;
  std::vector<Dim> rows, begins;
  std::size_t at = 0;
  for (std::size_t b = 0; b < instances.size(); ++b) {
    const Instance& instance = instances[b];
    const std::span<std::int32_t> sequence = std::span(tokens).subspan(at, static_cast<std::size_t>(lengths[b]));
    begins.clear();
    std::size_t row = 0;
    sequence[row++] = masker.class_token();
    for (const TokenRange stretch : {instance.first, instance.second}) {
      if (stretch.size() == 0) continue;
      const auto length = static_cast<std::size_t>(stretch.size());
      store.copy(stretch.begin, sequence.subspan(row, length));
      if (masker.options().whole_words) {
        const std::size_t known = begins.size();
        store.sentences_within(stretch, begins);
        for (std::size_t i = known; i < begins.size(); ++i) begins[i] += static_cast<Dim>(row) - stretch.begin;
      }
      row += length;
      sequence[row++] = masker.separator_token();
    }
    for (std::size_t t = 0; t < sequence.size(); ++t) {
      segments.push_back(static_cast<Dim>(t) < instance.first.size() + 2 ? 0 : 1);
    }
    rows.clear();
    masker.mask(sequence, begins, sequences[b].masking, rows, targets);
    for (const Dim masked : rows)
      target_rows.push_back(static_cast<std::int32_t>(at) + static_cast<std::int32_t>(masked));
    labels.push_back(instance.random_next ? 1 : 0);
    at += sequence.size();
  }
  Batch batch{.input = make_stream(lengths, tokens, segments), .targets = make_targets(target_rows, targets)};
  if (task == InstanceTask::kMlmNsp) batch.labels = ClassLabels{Tensor::from(labels, {batch.input.layout.sequences()})};
  return batch;
}

// ------------------------------------------------------------------------------------------------------------ training

MlmBatches::MlmBatches(TokenStore store, const Tokenizer& tokenizer, const MaskingOptions& masking, std::uint64_t seed)
    : store_(std::move(store)), masker_(masker_for(store_, tokenizer, masking)), seed_(seed) {}

std::uint64_t MlmBatches::samples_per_epoch() const {
  const Dim passes = store_.instance_options()->passes;
  const Dim total = store_.instances(Part::kTrain, passes - 1).end;
  return static_cast<std::uint64_t>(std::max<Dim>(1, (total + passes / 2) / passes));
}

MlmSequence MlmBatches::sequence(std::uint64_t sample) const {
  const Dim passes = store_.instance_options()->passes;
  const auto total = static_cast<std::uint64_t>(store_.instances(Part::kTrain, passes - 1).end);
  const auto place = static_cast<Dim>(sample % total);
  // The pass of the sample: the last one that starts at or before it.
  Dim low = 0, high = passes;
  while (high - low > 1) {
    const Dim middle = (low + high) / 2;
    (store_.instances(Part::kTrain, middle).begin <= place ? low : high) = middle;
  }
  const TokenRange pass = store_.instances(Part::kTrain, low);
  const std::uint64_t epoch = sample / total * static_cast<std::uint64_t>(passes) + static_cast<std::uint64_t>(low);
  const IndexPermutation shuffle(static_cast<std::uint64_t>(pass.size()),
                                 order_key(seed_, OrderSite::kMaskings, epoch));
  const Dim instance = pass.begin + static_cast<Dim>(shuffle(static_cast<std::uint64_t>(place - pass.begin)));
  return {instance, masking_stream(seed_, masker_->options().dynamic ? epoch : 0, instance)};
}

Dim MlmBatches::tokens_of(std::uint64_t sample) const {
  return length_of(store_.instance(sequence(sample).instance), store_.instance_options()->task);
}

Batch MlmBatches::batch(std::uint64_t first, Dim count) const {
  std::vector<MlmSequence> sequences;
  for (Dim i = 0; i < count; ++i) sequences.push_back(sequence(first + static_cast<std::uint64_t>(i)));
  return make_mlm_batch(store_, *masker_, sequences);
}

// ---------------------------------------------------------------------------------------------------------- evaluation

MlmEvaluation::MlmEvaluation(TokenStore store, const Tokenizer& tokenizer, Part part, const MaskingOptions& masking)
    : store_(std::move(store)), masker_(masker_for(store_, tokenizer, masking)), instances_(store_.instances(part)) {
  if (instances_.size() > 0) return;
  throw DataError(escape_for_terminal(store_.path()) + ": the " + (part == Part::kTrain ? "training" : "validation") +
                  " part must have at least 1 sequence, got 0; give more text");
}

Batch MlmEvaluation::batch(Dim first, Dim count) const {
  std::vector<MlmSequence> sequences;
  for (Dim i = instances_.begin + first; i < std::min(instances_.begin + first + count, instances_.end); ++i) {
    sequences.push_back({i, masking_stream(store_.instance_options()->seed, 0, i)});
  }
  return make_mlm_batch(store_, *masker_, sequences);
}

}  // namespace rapt
