// --task mlm and mlm-nsp: a BERT that fills in masked words and, with mlm-nsp, tells whether two segments belong
// together. Devlin et al. 2018, arXiv 1810.04805, section 3.1.
#include <algorithm>

#include "tensor/error.h"
#include "text/batches/mlm_batches.h"
#include "train/files/pretrained.h"
#include "train/models/model_size.h"
#include "train/models/networks.h"
#include "train/settings/presets.h"
#include "train/settings/settings.h"
#include "train/tasks/choose.h"
#include "train/tasks/job.h"
#include "train/tasks/mlm_evaluation.h"
#include "train/tasks/run_data.h"
#include "train/tasks/text_summary.h"

namespace rapt {
namespace {

// What nobody said about a BERT, and nothing chose before: the smallest one, with positions for no more than it reads
// at once. Its recipe stands as if its preset had been asked for, so that no choice that comes later changes it.
void choose_bert(LayeredConfig& config) {
  if (config.origin_of("context") == Origin::kDefault) choose(config, "context", "128");
  const auto decided = config.origin;
  for (const auto& [name, value] : find_preset("bert-tiny").settings) {  // the last of two values for a name holds
    if (decided.contains(name)) continue;
    find_setting(name)->set(config.values, {value});
    config.origin[name] = Origin::kPreset;
  }
}

// The flags win over what a store that was built before proposes.
MaskingOptions masking_options(const LayeredConfig& layered, const TokenStore& store) {
  const TrainConfig& config = layered.values;
  MaskingOptions masking = store.masking();
  if (layered.given("mlm-probability") || masking.probability <= 0) masking.probability = config.mlm_probability;
  if (layered.given("max-predictions")) masking.most = config.max_predictions;
  if (layered.given("whole-word")) masking.whole_words = config.whole_word;
  if (layered.given("masking")) masking.dynamic = config.masking == "dynamic";
  return masking;
}

struct Source {
  std::shared_ptr<const Tokenizer> tokenizer;
  TokenStore store;
};

// A store given as the only data, or one built in the run folder from text.
Source open_source(const JobRequest& request, std::shared_ptr<const Tokenizer> tokenizer) {
  LayeredConfig& layered = request.config;
  const TrainConfig& config = layered.values;
  const std::optional<Corpus> corpus = open_corpus(config, request.notice);
  if (!corpus) {
    RunData data = prepare_data(config, corpus, request.folder, std::move(tokenizer), request.notice);
    const auto& built = data.store.instance_options();
    if (!built) {
      throw DataError("train: " + data.store.path() + " holds no sequences for masked words; build it with rapt data " +
                      "build --task " + config.task);
    }
    if (name_of(built->task) != config.task) {
      throw ConfigError("train: " + data.store.path() + " was built for --task " + name_of(built->task) +
                        ", the run is for --task " + config.task);
    }
    return {std::move(data.tokenizer), std::move(data.store)};
  }
  if (request.from == nullptr && tokenizer == nullptr) {
    choose_tokenizer(layered, "wordpiece", corpus->scan());
  }
  RunData data =
      prepare_data(config, corpus, request.folder, std::move(tokenizer), request.notice, instance_options(config));
  return {std::move(data.tokenizer), std::move(data.store)};
}

// What always the most frequent masked word, and always the more frequent answer, would reach.
std::string majority_text(const MaskedWordsMajority& majority) {
  char text[160];
  std::snprintf(text, sizeof text, "baseline (most frequent word): %.1f %%", 100 * majority.words);
  std::string line = text;
  if (majority.pairs < 0) return line;
  std::snprintf(text, sizeof text, "; baseline (more frequent next-sentence answer): %.1f %%", 100 * majority.pairs);
  return line + text;
}

}  // namespace

Job prepare_masked_words(const JobRequest& request) {
  LayeredConfig& layered = request.config;
  const TrainConfig& config = layered.values;
  const Pretrained start = start_of(request);
  if (start.network != nullptr && start.config.model != "bert") {
    throw UsageError("train: --init " + config.init + " is a " + start.config.model + ", which has no masked words; " +
                     "give a bert, or --task lm");
  }
  if (request.from == nullptr) {
    if (start.network != nullptr) {
      choose(layered, "documents", "paragraph");
      choose_fine_tuning(layered);
    } else {
      choose_bert(layered);
    }
    fit_max_length(layered);
  }
  Source source = open_source(request, start.tokenizer);
  const TokenStore& store = source.store;
  if (request.from == nullptr) tell_text(config, store, false, request.notice);
  const Dim sequence = store.instance_options()->context;
  if (sequence > config.context) {
    throw ConfigError("train: " + store.path() + " has sequences of " + std::to_string(sequence) +
                      " tokens, --context is " + std::to_string(config.context) + "; give --context " +
                      std::to_string(sequence));
  }

  const MaskingOptions masking = masking_options(layered, store);
  Job job;
  const auto batches =
      std::make_shared<MlmBatches>(store, *source.tokenizer, masking, static_cast<std::uint64_t>(config.seed));
  job.data.train = [batches](std::int64_t first, Dim count) {
    return batches->batch(static_cast<std::uint64_t>(first), count);
  };
  if (config.batch_tokens > 0) {
    job.data.fitting = fitting_by_tokens(config.batch_tokens, [batches](std::int64_t sample) {
      return batches->tokens_of(static_cast<std::uint64_t>(sample));
    });
  }
  job.data.samples_per_epoch = static_cast<std::int64_t>(batches->samples_per_epoch());
  const Dim probe = std::min<Dim>(256, job.data.samples_per_epoch);
  job.data.tokens_per_sample = static_cast<double>(batches->batch(0, probe).tokens.size()) / static_cast<double>(probe);

  const Dim vocabulary = start.network != nullptr ? start.network->backbone().vocabulary() : store.vocabulary_size();
  std::optional<MlmEvaluation> held_out;
  if (store.instances(Part::kValidation).size() > 0) {
    held_out.emplace(store, *source.tokenizer, Part::kValidation, masking);
    request.notice("train: " + majority_text(majority_of(*held_out, vocabulary)));
  }
  if (held_out) job.held_out_tokens = static_cast<double>(held_out->sequences()) * job.data.tokens_per_sample;
  if (request.from == nullptr) {
    choose_length(layered, network_config(config, vocabulary), job.data, job.held_out_tokens, request.notice);
    validate(config);
  }

  job.network = first_network(request, start, vocabulary, true);
  job.tokenizer = source.tokenizer;
  job.flop_per_token = model_size(config, vocabulary, job.data.tokens_per_sample).flop_per_token;
  if (held_out) {
    job.evaluate = [&network = *job.network->as<BertPretraining>(), held = *held_out, tokens = job.held_out_tokens,
                    batch = std::max<Dim>(1, kEvaluationRows / sequence)](std::int64_t most) {
      return evaluate_masked_words(network, held, batch, tokens, most);
    };
  }
  return job;
}

}  // namespace rapt
