// --task translate, summarize: a network that predicts a target text from its source text.
#include "tensor/error.h"
#include "text/pairs/pair_batches.h"
#include "train/tasks/held_out_pairs.h"
#include "train/tasks/labelled_task.h"
#include "train/tasks/pair_evaluation.h"
#include "train/tasks/run_pairs.h"
#include "train/tasks/task_data.h"

namespace rapt {
namespace {

PairFrame frame_of(const TrainConfig& config, const Tokenizers& tokenizers) {
  const Tokenizer& source = tokenizers.source != nullptr ? *tokenizers.source : *tokenizers.target;
  return pair_frame(source, static_cast<std::int32_t>(config.start_token), static_cast<std::int32_t>(config.end_token));
}

TrainingData training_data(const TrainConfig& config, const PairStore& store, const Tokenizers& tokenizers) {
  if (config.copy_epochs > 0 && tokenizers.source != nullptr) {
    throw UsageError("--copy-epochs needs one vocabulary, because passages of the sources become targets, and " +
                     (config.tokenizer == "init" ? config.init : config.tokenizer) + " has two; leave it out");
  }
  const auto& source = tokenizers.source != nullptr ? tokenizers.source : tokenizers.target;
  const auto batches =
      std::make_shared<PairBatches>(store, frame_of(config, tokenizers), static_cast<std::uint64_t>(config.seed),
                                    PairDropout{config.bpe_dropout, source, tokenizers.target}, config.copy_epochs);
  TrainingData data;
  data.train = [batches](std::int64_t first, Dim count) {
    return batches->batch(static_cast<std::uint64_t>(first), count);
  };
  data.samples_per_epoch = static_cast<std::int64_t>(batches->samples_per_epoch());
  data.tokens_per_sample = batches->tokens_per_sample();
  if (config.batch_tokens > 0) {
    data.fitting = fitting_by_tokens(config.batch_tokens, [batches](std::int64_t sample) {
      return batches->tokens_of(static_cast<std::uint64_t>(sample));
    });
  }
  return data;
}

class PairData final : public TaskData {
 public:
  PairData(const TrainConfig& config, const DataFiles* known) : pairs_(config, known) {}

  std::optional<CorpusInfo> text(const TrainConfig& config) override { return pairs_.read(config); }
  bool is_tokens() const override { return false; }

  void read(const ReadingRequest& request) override {
    pairs_.tokenise(request.config, request.folder, request.tokenizers, request.notice);
    if (request.start != Start::kCheckpoint) pairs_.tell(request.config, request.notice);
  }

  Tokenizers tokenizers() const override { return pairs_.tokenizers(); }
  std::optional<DataFiles> files() const override { return pairs_.files(); }
  DataFacts facts() const override {
    return {.validation_tokens = store().tokens(Part::kValidation, PairSide::kTarget),
            .examples = store().pairs(Part::kTrain),
            .frame = frame_tokens(pairs_.tokenizers())};
  }

  VocabularySizes vocabulary(VocabularySizes known) const override {
    const bool separate = pairs_.tokenizers().source != nullptr;
    const Dim target = shared_vocabulary(store().vocabulary_size(PairSide::kTarget), known.target);
    if (known.target > 0) {  // the model decides whether it has one table
      shared_vocabulary(store().vocabulary_size(PairSide::kSource), known.source);
      return {target, known.source == known.target ? 0 : known.source};
    }
    return {target, separate ? store().vocabulary_size(PairSide::kSource) : 0};
  }

  TrainingData batches(const TrainConfig& config) const override {
    return training_data(config, store(), pairs_.tokenizers());
  }

  double validation_tokens(const TrainConfig&, const TrainingData&) const override {
    return tokens_with_frame(store(), Part::kValidation);
  }

  void judge(Job& job, const TrainConfig& config) const override {
    if (store().pairs(Part::kValidation) == 0) return;
    job.metric = deciding_metric(config);
    job.held_out_tokens = tokens_with_frame(store(), Part::kValidation);
    const HeldOutPairs held_out(*job.network, pairs_.tokenizers(), store(), frame_of(config, pairs_.tokenizers()),
                                config);
    job.evaluate = [held_out](std::int64_t most, Team& team) { return held_out.evaluate(most, team); };
    job.sample = [held_out] { return std::pair(std::string(), held_out.sample()); };
  }

 private:
  const PairStore& store() const { return pairs_.store(); }

  RunPairs pairs_;
};

}  // namespace

std::unique_ptr<TaskData> open_pair_data(const TrainConfig& config, const DataFiles* known) {
  return std::make_unique<PairData>(config, known);
}

}  // namespace rapt
