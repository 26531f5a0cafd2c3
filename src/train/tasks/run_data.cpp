#include "train/tasks/run_data.h"

namespace rapt {

LmOrder lm_order(const TrainConfig& config) {
  if (config.sampling_order == "documents") return LmOrder::kDocuments;
  return config.sampling_order == "epoch" ? LmOrder::kEpoch : LmOrder::kRandom;
}

std::optional<LmEvaluation> held_out(const TrainConfig& config, const TokenStore& store) {
  if (store.part(Part::kValidation).size() < 2) return std::nullopt;
  return LmEvaluation(store, Part::kValidation, config.longest_sequence(), lm_order(config));
}

TrainingData training_data(const TrainConfig& config, const TokenStore& store) {
  const auto batches = std::make_shared<LmBatches>(store, Part::kTrain, config.longest_sequence(), lm_order(config),
                                                   static_cast<std::uint64_t>(config.seed));
  TrainingData data;
  data.train = [batches](std::int64_t first, Dim count) {
    return batches->batch(static_cast<std::uint64_t>(first), count);
  };
  data.samples_per_epoch = static_cast<std::int64_t>(batches->samples_per_epoch());
  data.tokens_per_sample = static_cast<double>(config.longest_sequence());
  if (config.batch_tokens > 0) {
    data.fitting = fitting_by_tokens(config.batch_tokens, [batches](std::int64_t sample) {
      return batches->sequence(static_cast<std::uint64_t>(sample)).length;
    });
  }
  return data;
}

}  // namespace rapt
