// --task lm: a network that predicts the next token of a text.
#include "decode/generate.h"
#include "decode/text_start.h"
#include "nn/models/language_model.h"
#include "text/batches/lm_batches.h"
#include "text/tokenizer/stream_decoder.h"
#include "train/models/family.h"
#include "train/tasks/lm_evaluation.h"
#include "train/tasks/task_data.h"
#include "train/tasks/text_summary.h"

namespace rapt {
namespace {

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

std::pair<std::string, std::string> sample(const AnyNetwork& network, const Tokenizer& tokenizer,
                                           const TokenStore& store, const TrainConfig& config) {
  TextStart start{tokenizer.encode(config.sample_prompt), config.sample_prompt};
  if (start.ids.empty()) {
    const TokenRange text = store.part(Part::kTrain);
    start = text_start(tokenizer, store.end_of_text(), [&](std::size_t i) -> std::optional<std::int32_t> {
      std::vector<std::int32_t> id(1);
      if (static_cast<Dim>(i) >= text.size()) return std::nullopt;
      store.copy(text.begin + static_cast<Dim>(i), id);
      return id[0];
    });
  }
  GenerateOptions options;
  options.max_tokens = config.sample_tokens;
  options.sampling.temperature = 0.8;
  options.seed = static_cast<std::uint64_t>(config.seed);
  if (const auto end = store.end_of_text()) options.stop_ids = {*end};
  const auto decoder = make_decoder(network, 1);
  const Generated text = generate(*decoder, {start.ids}, options).front();
  return {start.shown, decode_after(tokenizer, start.ids, text.tokens)};
}

class LanguageModelData final : public TaskData {
 public:
  LanguageModelData(const TrainConfig& config, const Notice& notice, const DataFiles* known)
      : text_(config, notice, known) {}

  std::optional<CorpusInfo> text(const TrainConfig& config) override {
    return is_tokens() ? std::nullopt : std::optional(text_.read(config));
  }
  bool is_tokens() const override { return !text_.is_text(); }

  void read(const ReadingRequest& request) override {
    data_ = text_.tokenise(request.config, request.folder, request.tokenizers.target);
    if (request.start == Start::kCheckpoint) return;
    tell_text(request.config, store(), text_.documents_are_files(), request.notice);
  }

  Tokenizers tokenizers() const override { return {.target = data_->tokenizer}; }
  std::optional<DataFiles> files() const override { return data_->files; }
  DataFacts facts() const override { return {.validation_tokens = store().part(Part::kValidation).size()}; }
  VocabularySizes vocabulary(VocabularySizes known) const override {
    return shared_vocabulary(store().vocabulary_size(), known.target);
  }
  TrainingData batches(const TrainConfig& config) const override { return training_data(config, store()); }

  double validation_tokens(const TrainConfig&, const TrainingData&) const override {
    return static_cast<double>(store().part(Part::kValidation).size());
  }

  void judge(Job& job, const TrainConfig& config) const override {
    const auto& model = *job.network->as<LanguageModel>();
    if (const auto held = held_out(config, store())) {
      job.held_out_tokens = static_cast<double>(held->targets());
      job.bytes_per_target = static_cast<double>(store().text_bytes(Part::kValidation)) / job.held_out_tokens;
      job.evaluate = [&model, held = *held, context = config.longest_sequence(), bytes = job.bytes_per_target](
                         std::int64_t most, Team& team) {
        return evaluate_language_model(model, held, context, bytes, most, team);
      };
    }
    job.sample = [&network = *job.network, tokenizer = job.tokenizers.target, store = store(), config] {
      return sample(network, *tokenizer, store, config);
    };
  }

 private:
  const TokenStore& store() const { return data_->store; }

  RunText text_;
  std::optional<RunData> data_;
};

}  // namespace

std::unique_ptr<TaskData> open_language_model_data(const TrainConfig& config, const Notice& notice,
                                                   const DataFiles* known) {
  return std::make_unique<LanguageModelData>(config, notice, known);
}

}  // namespace rapt
