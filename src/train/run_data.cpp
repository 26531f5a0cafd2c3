#include "train/run_data.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>

#include "tensor/error.h"
#include "text/tokenizer_files.h"
#include "train/train_tokenizer.h"

namespace rapt {
namespace {

constexpr Dim kValidationRows = 4096;  // tokens of a validation batch, about: enough to keep the products large

DocumentUnit document_unit(const std::string& name) {
  if (name == "line") return DocumentUnit::kLine;
  if (name == "paragraph") return DocumentUnit::kParagraph;
  return DocumentUnit::kFile;
}

bool is_kind(const std::string& tokenizer) {
  return tokenizer == "char" || tokenizer == "byte" || tokenizer == "byte-bpe" || tokenizer == "bpe";
}

std::shared_ptr<const Tokenizer> make_tokenizer(const TrainConfig& config, const Corpus& corpus, const Notice& notice) {
  if (!is_kind(config.tokenizer)) return load_tokenizer(config.tokenizer);
  TokenizerTrainerOptions options;
  options.type = tokenizer_type_named(config.tokenizer);
  options.vocabulary = config.vocabulary;
  options.special = default_special_tokens(options.type);
  std::shared_ptr<const Tokenizer> tokenizer = train_tokenizer(corpus, options);
  notice("tokenizer: " + tokenizer->kind() + ", " + std::to_string(tokenizer->vocabulary_size()) +
         " entries, learnt from the data");
  return tokenizer;
}

}  // namespace

bool is_given_store(const TrainConfig& config) {
  return config.data.size() == 1 && std::filesystem::is_regular_file(config.data[0]) && is_token_store(config.data[0]);
}

Corpus open_corpus(const TrainConfig& config, const Notice& notice) {
  return Corpus({.sources = config.data, .unit = document_unit(config.documents), .text_field = config.text_field},
                notice);
}

RunData prepare_data(const TrainConfig& config, const RunFolder& folder, std::shared_ptr<const Tokenizer> tokenizer,
                     const Notice& notice) {
  if (is_given_store(config)) {
    TokenStore store = TokenStore::open(config.data[0]);
    if (tokenizer == nullptr && !is_kind(config.tokenizer)) tokenizer = load_tokenizer(config.tokenizer);
    if (tokenizer != nullptr) {
      store.require_tokenizer(*tokenizer);
    } else {
      tokenizer = tokenizer_from_json(store.tokenizer_json(), store.path() + ": /tokenizer");
    }
    return {std::move(tokenizer), std::move(store)};
  }
  const Corpus corpus = open_corpus(config, notice);
  std::optional<Corpus> validation;
  if (!config.validation_data.empty()) {
    TrainConfig held_out = config;
    held_out.data = {config.validation_data};
    validation = open_corpus(held_out, notice);
  }
  if (tokenizer == nullptr) tokenizer = make_tokenizer(config, corpus, notice);
  const TokenStoreOptions options{.validation_fraction = config.validation_fraction,
                                  .end_of_text = document_end(corpus, *tokenizer)};
  TokenStore store =
      open_or_build_token_store(corpus, validation ? &*validation : nullptr, *tokenizer, folder.data(), options);
  return {std::move(tokenizer), std::move(store)};
}

LmOrder lm_order(const TrainConfig& config) {
  if (config.sampling_order == "documents") return LmOrder::kDocuments;
  return config.sampling_order == "epoch" ? LmOrder::kEpoch : LmOrder::kRandom;
}

std::optional<LmEvaluation> held_out(const TrainConfig& config, const TokenStore& store) {
  if (store.part(Part::kValidation).size() < 2) return std::nullopt;
  return LmEvaluation(store, Part::kValidation, config.context, lm_order(config));
}

TrainingData training_data(const TrainConfig& config, const TokenStore& store) {
  const auto batches = std::make_shared<LmBatches>(store, Part::kTrain, config.context, lm_order(config),
                                                   static_cast<std::uint64_t>(config.seed));
  TrainingData data;
  data.train = [batches](std::int64_t first, Dim count) {
    return batches->batch(static_cast<std::uint64_t>(first), count);
  };
  data.samples_per_epoch = static_cast<std::int64_t>(batches->samples_per_epoch());
  if (const std::optional<LmEvaluation> evaluation = held_out(config, store)) {
    const Dim count = std::max<Dim>(1, kValidationRows / config.context);
    data.validation = [e = *evaluation, count](Dim index) { return e.batch(index * count, count); };
    data.validation_batches = (evaluation->sequences() + count - 1) / count;
  }
  return data;
}

std::int64_t total_updates(const TrainConfig& config, const TokenStore& store) {
  std::int64_t updates = std::numeric_limits<std::int64_t>::max();
  const double sequences = static_cast<double>(config.batch * config.accumulate);
  const auto at_most = [&](double count) {
    updates = std::min(updates, std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(count))));
  };
  if (config.steps > 0) updates = config.steps;
  if (config.epochs > 0) {
    const LmBatches batches(store, Part::kTrain, config.context, lm_order(config), 0);
    at_most(config.epochs * static_cast<double>(batches.samples_per_epoch()) / sequences);
  }
  if (config.tokens > 0) {
    at_most(static_cast<double>(config.tokens) / (sequences * static_cast<double>(config.context)));
  }
  if (updates == std::numeric_limits<std::int64_t>::max()) {
    throw UsageError("train: the run needs an end; give --steps, --epochs, --tokens or --minutes");
  }
  return updates;
}

double bits_per_byte(double loss, std::int64_t targets, std::uint64_t text_bytes) {
  if (text_bytes == 0) return std::numeric_limits<double>::quiet_NaN();
  return loss * static_cast<double>(targets) / (std::numbers::ln2 * static_cast<double>(text_bytes));
}

}  // namespace rapt
