// --task mlm and mlm-nsp: a BERT that predicts masked words and, with mlm-nsp, whether two segments belong together.
// Devlin et al. 2018, arXiv 1810.04805, section 3.1.
#include <fmt/format.h>

#include <algorithm>

#include "tensor/error.h"
#include "text/batches/mlm_batches.h"
#include "train/tasks/mlm_evaluation.h"
#include "train/tasks/task_data.h"
#include "train/tasks/text_summary.h"

namespace rapt {
namespace {

MaskingOptions masking_options(const TrainConfig& config) {
  return {.probability = config.mlm_probability,
          .most = config.max_predictions,
          .whole_words = config.whole_word,
          .dynamic = config.masking == "dynamic"};
}

// A store that was built before must fit the run's task.
void require_instances(const TokenStore& store, const TrainConfig& config) {
  const auto& built = store.instance_options();
  if (!built) {
    throw DataError("train: " + store.path() + " holds no sequences for masked words; build it with rapt data " +
                    "build --task " + config.task);
  }
  if (name_of(built->task) != config.task) {
    throw ConfigError("train: " + store.path() + " was built for --task " + name_of(built->task) +
                      ", the run is for --task " + config.task);
  }
}

// The accuracy of always predicting the most frequent masked word, or the more frequent answer.
std::string majority_text(const MaskedWordsMajority& majority) {
  const std::string words = fmt::format("baseline (most frequent word): {:.1f} %", 100 * majority.words);
  if (majority.pairs < 0) return words;
  return words + fmt::format("; baseline (more frequent next-sentence answer): {:.1f} %", 100 * majority.pairs);
}

class MaskedWordsData final : public TaskData {
 public:
  MaskedWordsData(const TrainConfig& config, const Notice& notice, const DataFiles* known)
      : text_(config, notice, known) {}

  std::optional<CorpusInfo> text(const TrainConfig& config) override {
    return is_tokens() ? std::nullopt : std::optional(text_.read(config));
  }
  bool is_tokens() const override { return text_.is_given_store(); }

  std::optional<MaskingOptions> masking(const TrainConfig& config) const override {
    return is_tokens() ? std::optional(TokenStore::open(config.data.front()).masking()) : std::nullopt;
  }

  void read(const ReadingRequest& request) override {
    const TrainConfig& config = request.config;
    const auto instances = is_tokens() ? std::nullopt : std::optional(instance_options(config));
    data_ = text_.tokenise(config, request.folder, request.tokenizers.target, instances);
    if (is_tokens()) require_instances(store(), config);
    if (sequence() > config.context) {
      throw ConfigError("train: " + store().path() + " has sequences of " + std::to_string(sequence()) +
                        " tokens, --context is " + std::to_string(config.context) + "; give --context " +
                        std::to_string(sequence()));
    }
    if (request.start != Start::kCheckpoint) tell_text(config, store(), false, request.notice);
    if (const auto held = held_out(config)) {
      request.notice("train: " + majority_text(majority_of(*held, store().vocabulary_size())));
    }
  }

  Tokenizers tokenizers() const override { return {.target = data_->tokenizer}; }
  std::optional<DataFiles> files() const override { return data_->files; }
  VocabularySizes vocabulary(VocabularySizes known) const override {
    return shared_vocabulary(store().vocabulary_size(), known.target);
  }

  DataFacts facts() const override { return {}; }

  TrainingData batches(const TrainConfig& config) const override {
    const auto batches = std::make_shared<MlmBatches>(store(), *data_->tokenizer, masking_options(config),
                                                      static_cast<std::uint64_t>(config.seed));
    TrainingData data;
    data.train = [batches](std::int64_t first, Dim count) {
      return batches->batch(static_cast<std::uint64_t>(first), count);
    };
    if (config.batch_tokens > 0) {
      data.fitting = fitting_by_tokens(config.batch_tokens, [batches](std::int64_t sample) {
        return batches->tokens_of(static_cast<std::uint64_t>(sample));
      });
    }
    data.samples_per_epoch = static_cast<std::int64_t>(batches->samples_per_epoch());
    const Dim probe = std::min<Dim>(256, data.samples_per_epoch);
    data.tokens_per_sample =
        static_cast<double>(batches->batch(0, probe).input.layout.rows()) / static_cast<double>(probe);
    return data;
  }

  double validation_tokens(const TrainConfig& config, const TrainingData& batches) const override {
    const auto held = held_out(config);
    return held ? static_cast<double>(held->sequences()) * batches.tokens_per_sample : 0;
  }

  void judge(Job& job, const TrainConfig& config) const override {
    const auto held = held_out(config);
    if (!held) return;
    job.held_out_tokens = validation_tokens(config, job.data);
    job.evaluate = [&network = *job.network->as<BertPretraining>(), held = *held, tokens = job.held_out_tokens,
                    batch = std::max<Dim>(1, kEvaluationRows / sequence())](std::int64_t most, Team& team) {
      return evaluate_masked_words(network, held, batch, tokens, most, team);
    };
  }

 private:
  const TokenStore& store() const { return data_->store; }
  Dim sequence() const { return store().instance_options()->context; }

  std::optional<MlmEvaluation> held_out(const TrainConfig& config) const {
    if (store().instances(Part::kValidation).size() == 0) return std::nullopt;
    return MlmEvaluation(store(), *data_->tokenizer, Part::kValidation, masking_options(config));
  }

  RunText text_;
  std::optional<RunData> data_;
};

}  // namespace

std::unique_ptr<TaskData> open_masked_words_data(const TrainConfig& config, const Notice& notice,
                                                 const DataFiles* known) {
  return std::make_unique<MaskedWordsData>(config, notice, known);
}

}  // namespace rapt
