// The text of a run as tokens: its tokenizer, opened or trained, and its token store, built once in the run folder.
#pragma once

#include <memory>
#include <optional>

#include "text/batches/lm_batches.h"
#include "text/batches/token_store.h"
#include "text/corpus/corpus.h"
#include "text/tokenizer/tokenizer.h"
#include "train/files/run_folder.h"
#include "train/optimise/trainer.h"

namespace rapt {

/// The corpus in a configuration, found but not read; nothing if its only data is a token store. Open it once: standard
/// input cannot be read again.
///
/// \throws MissingInputError
std::optional<Corpus> open_corpus(const TrainConfig& config, const Notice& notice);

/// Whether the only data is a token store that `rapt data build` made.
bool is_given_store(const TrainConfig& config);

struct RunData {
  std::shared_ptr<const Tokenizer> tokenizer;
  TokenStore store;
};

/// Tokenises the corpus into the run folder, or opens what was tokenised before; without a corpus, opens the token
/// store that is the configuration's only data.
///
/// \param tokenizer  of the checkpoint or model that the run continues; nullptr: the file in the configuration, or one
///                   of the kind in the configuration, trained on the corpus
/// \param instances  how to make sequences for masked words; not set: a language model's data
RunData prepare_data(const TrainConfig& config, const std::optional<Corpus>& corpus, const RunFolder& folder,
                     std::shared_ptr<const Tokenizer> tokenizer, const Notice& notice,
                     const std::optional<InstanceOptions>& instances = std::nullopt);

/// The order of the configuration's samples.
LmOrder lm_order(const TrainConfig& config);

/// The held-out part of a store; nullopt if nothing is held out.
std::optional<LmEvaluation> held_out(const TrainConfig& config, const TokenStore& store);

/// Batches from a token store, sampled as the configuration says.
TrainingData training_data(const TrainConfig& config, const TokenStore& store);

/// Converts a mean loss in nats per token to bits per byte of the text.
double bits_per_byte(double loss, std::int64_t targets, double text_bytes);

}  // namespace rapt
