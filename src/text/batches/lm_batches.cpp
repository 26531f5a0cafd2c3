#include "text/batches/lm_batches.h"

#include <algorithm>
#include <string>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "text/batches/permutation.h"

namespace rapt {

static void require_part(const TokenStore& store, Part part, Dim context, LmOrder order) {
  if (context < 1) throw UsageError("batches: the context must be at least 1, got " + std::to_string(context));
  const bool by_documents = order == LmOrder::kDocuments;
  const Dim have = by_documents ? store.documents(part).size() : store.part(part).size();
  const Dim need = by_documents ? 1 : 2;
  if (have >= need) return;
  const std::string name = store.path().empty() ? "corpus" : escape_for_terminal(store.path());
  throw DataError(name + ": the " + (part == Part::kTrain ? "training" : "validation") + " part must have at least " +
                  std::to_string(need) + (by_documents ? " document" : " tokens") + ", got " + std::to_string(have) +
                  "; give more text");
}

// Number of tokens of a document that can be predicted.
static Dim targets_of(const TokenStore& store, TokenRange document) {
  return store.end_of_text() ? document.size() : document.size() - 1;
}

// Targets [skip, skip + length) of a document.
static LmSequence part_of_document(const TokenStore& store, TokenRange document, Dim skip, Dim length) {
  if (store.end_of_text()) return {.first = document.begin + skip - 1, .length = length, .led = skip == 0};
  if (document.size() == 1) return {.first = document.begin, .length = 1, .silent = true};
  return {.first = document.begin + skip, .length = length};
}

Batch make_lm_batch(const TokenStore& store, std::span<const LmSequence> sequences) {
  std::vector<Dim> lengths;
  Dim M = 0;
  for (const LmSequence& sequence : sequences) {
    lengths.push_back(sequence.length);
    M += sequence.silent ? 0 : sequence.length;
  }
  Batch batch;
  batch.input.layout = pack_lengths(lengths);
  batch.input.tokens = Tensor::empty({batch.input.layout.rows()}, DType::kI32);
  batch.input.positions = positions_of(batch.input.layout);
  batch.targets = {.rows = Tensor::empty({M}, DType::kI32), .ids = Tensor::empty({M}, DType::kI32)};
  std::int32_t* tokens = batch.input.tokens.data<std::int32_t>();
  std::int32_t* target_rows = batch.targets.rows.data<std::int32_t>();
  std::int32_t* targets = batch.targets.ids.data<std::int32_t>();
  const auto ids = [](std::int32_t* at, Dim count) { return std::span(at, static_cast<std::size_t>(count)); };
  std::int32_t row = 0;
  for (const LmSequence& sequence : sequences) {
    const Dim led = sequence.led ? 1 : 0;
    if (sequence.led) tokens[row] = *store.end_of_text();
    store.copy(sequence.first + led, ids(tokens + row + led, sequence.length - led));
    if (!sequence.silent) {
      store.copy(sequence.first + 1, ids(targets, sequence.length));
      targets += sequence.length;
    }
    for (Dim k = 0; k < sequence.length; ++k, ++row) {
      if (!sequence.silent) *target_rows++ = row;
    }
  }
  return batch;
}

// ------------------------------------------------------------------------------------------------------------ training

LmBatches::LmBatches(TokenStore store, Part part, Dim context, LmOrder order, std::uint64_t seed)
    : store_(std::move(store)),
      part_(store_.part(part)),
      documents_(store_.documents(part)),
      context_(context),
      order_(order),
      seed_(seed) {
  require_part(store_, part, context, order);
  if (order == LmOrder::kDocuments) {
    samples_per_epoch_ = static_cast<std::uint64_t>(documents_.size());
    return;
  }
  context_ = std::min(context, part_.size() - 1);
  // kEpoch leaves room for any phase below the context, so that an epoch has the same number of windows for each phase.
  const Dim windows = order == LmOrder::kRandom ? (part_.size() - 1) / context_ : part_.size() / context_ - 1;
  samples_per_epoch_ = static_cast<std::uint64_t>(std::max<Dim>(1, windows));
}

LmSequence LmBatches::sequence(std::uint64_t sample) const {
  if (order_ == LmOrder::kRandom) {
    Rng rng(order_key(seed_, OrderSite::kSamples, sample));
    const auto places = static_cast<std::uint64_t>(part_.size() - context_);
    return {.first = part_.begin + static_cast<Dim>(rng.below(places)), .length = context_};
  }
  const std::uint64_t epoch = sample / samples_per_epoch_;
  const IndexPermutation shuffle(samples_per_epoch_, order_key(seed_, OrderSite::kWindows, epoch));
  const auto index = static_cast<Dim>(shuffle(sample % samples_per_epoch_));
  if (order_ == LmOrder::kDocuments) {
    const TokenRange document = store_.document(documents_.begin + index);
    return part_of_document(store_, document, 0, std::min(context_, targets_of(store_, document)));
  }
  const Dim slack = part_.size() - 1 - static_cast<Dim>(samples_per_epoch_) * context_;
  Rng rng(order_key(seed_, OrderSite::kCut, epoch));
  const auto phase = static_cast<Dim>(rng.below(static_cast<std::uint64_t>(std::min(context_ - 1, slack)) + 1));
  return {.first = part_.begin + phase + index * context_, .length = context_};
}

Batch LmBatches::batch(std::uint64_t first, Dim count) const {
  std::vector<LmSequence> sequences;
  for (Dim i = 0; i < count; ++i) sequences.push_back(sequence(first + static_cast<std::uint64_t>(i)));
  return make_lm_batch(store_, sequences);
}

// ---------------------------------------------------------------------------------------------------------- evaluation

LmEvaluation::LmEvaluation(TokenStore store, Part part, Dim context, LmOrder order)
    : store_(std::move(store)),
      part_(store_.part(part)),
      documents_(store_.documents(part)),
      context_(context),
      by_documents_(order == LmOrder::kDocuments) {
  require_part(store_, part, context, order);
  if (!by_documents_) {
    targets_ = part_.size() - 1;
    sequences_ = (targets_ + context_ - 1) / context_;
    return;
  }
  for (Dim d = documents_.begin; d < documents_.end; ++d) {
    const Dim targets = targets_of(store_, store_.document(d));
    first_sequence_.push_back(sequences_);
    sequences_ += (targets + context_ - 1) / context_;  // a silent document is skipped
    targets_ += targets;
  }
}

LmSequence LmEvaluation::sequence(Dim index) const {
  if (!by_documents_) {
    const Dim first = index * context_;
    return {.first = part_.begin + first, .length = std::min(context_, targets_ - first)};
  }
  // The last document that starts at or before this sequence; silent ones start where the next one does.
  const auto after = std::upper_bound(first_sequence_.begin(), first_sequence_.end(), index);
  const Dim d = after - first_sequence_.begin() - 1;
  const TokenRange document = store_.document(documents_.begin + d);
  const Dim skip = (index - first_sequence_[static_cast<std::size_t>(d)]) * context_;
  return part_of_document(store_, document, skip, std::min(context_, targets_of(store_, document) - skip));
}

Batch LmEvaluation::batch(Dim first, Dim count) const {
  std::vector<LmSequence> sequences;
  for (Dim i = first; i < std::min(first + count, sequences_); ++i) sequences.push_back(sequence(i));
  return make_lm_batch(store_, sequences);
}

}  // namespace rapt
