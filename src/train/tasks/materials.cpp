#include "train/tasks/materials.h"

#include "tensor/error.h"
#include "tensor/matmul.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "train/files/checkpoint.h"
#include "train/models/family.h"
#include "train/models/model_size.h"
#include "train/models/networks.h"
#include "train/tasks/machine.h"

namespace rapt {
namespace {

// Requires a model of the kind that the task continues from.
void require_kind(const Pretrained& start, const TrainConfig& config) {
  if (config.objective() == Objective::kNextToken) static_cast<void>(start.language_model());  // or reports its kind
  if (config.masks_words() && !family_of(start.config).can_learn(Objective::kMaskedWords)) {
    throw UsageError("train: --init " + config.init + " is a " + start.config.model +
                     ", which does not predict masked words; give a " + first_model_for(Objective::kMaskedWords) +
                     ", or --task lm");
  }
}

// --reset-layers: the top blocks get the weights of a new network. Zhang, Wu, Katiyar, Weinberger, Artzi, "Revisiting
// Few-sample BERT Fine-tuning", 2020, arXiv 2006.05987, section 5.
void reset_top_layers(AnyNetwork& network, const TrainConfig& config) {
  if (config.reset_layers == 0) return;
  if (config.reset_layers > config.layers) {
    throw UsageError("--reset-layers must be at most the number of layers, which is " + std::to_string(config.layers) +
                     ", got " + std::to_string(config.reset_layers));
  }
  Initializer init(static_cast<std::uint64_t>(config.seed) + 1);
  AnyNetwork fresh(network.config(), init);
  std::vector<NamedParameter> to = parameters_of(network.module()), from = parameters_of(fresh.module());
  for (std::size_t i = 0; i < to.size(); ++i) {
    for (Dim layer = config.layers - config.reset_layers; layer < config.layers; ++layer) {
      if (to[i].name.find("blocks." + std::to_string(layer) + ".") == std::string::npos) continue;
      to[i].variable.value().copy_from(from[i].variable.value());
    }
  }
}

}  // namespace

Materials::Materials(RunFolder folder, const CheckpointFile* from, Notice notice, std::optional<DataFiles> known,
                     int processes)
    : folder_(std::move(folder)),
      from_(from),
      notice_(std::move(notice)),
      known_(std::move(known)),
      processes_(processes) {}

StartFacts Materials::start(const TrainConfig& config) {
  start_ = open_pretrained(config.init);
  require_kind(start_, config);
  StartFacts facts{.network = start_.network->config(), .config = start_.config};
  std::shared_ptr<const Tokenizer>& own = start_.tokenizers.target;
  facts.has_tokenizer = own != nullptr;
  const bool is_file = !config.learns_tokenizer() && config.tokenizer != "init";
  if (is_file) {
    std::shared_ptr<const Tokenizer> asked = load_tokenizer(config.tokenizer);
    facts.same_tokenizer = facts.has_tokenizer && asked->to_json() == own->to_json();
    if (!facts.has_tokenizer) own = std::move(asked);
  }
  return facts;
}

TaskData& Materials::opened(const TrainConfig& config) {
  if (data_ == nullptr) data_ = open_data(config, notice_, known_ ? &*known_ : nullptr);
  return *data_;
}

std::optional<CorpusInfo> Materials::text(const TrainConfig& config) { return opened(config).text(config); }

void Materials::read(const TrainConfig& config, Start start) {
  Tokenizers tokenizers = from_ != nullptr ? tokenizers_of(*from_) : start_.tokenizers;
  opened(config).read(
      {.config = config, .folder = folder_, .tokenizers = std::move(tokenizers), .start = start, .notice = notice_});
}

std::optional<MaskingOptions> Materials::masking(const TrainConfig& config) { return opened(config).masking(config); }

DataFacts Materials::data(const TrainConfig& config, Start start) {
  if (start_.network != nullptr && !opened(config).is_tokens()) require_tokenizer(start_);
  read(config, start);
  return data_->facts();
}

double Materials::peak() { return measure_sgemm_peak(); }

VocabularySizes Materials::vocabulary() const {
  if (start_.network == nullptr) return data_->vocabulary(0);
  const Backbone& start = start_.network->backbone();
  return data_->vocabulary({start.vocabulary(), start.source_vocabulary()});
}

BatchFacts Materials::batches(const TrainConfig& config) {
  const TrainingData batches = data_->batches(config);
  BatchFacts facts{.samples_per_epoch = batches.samples_per_epoch,
                   .tokens_per_sample = batches.tokens_per_sample,
                   .validation_tokens = data_->validation_tokens(config, batches),
                   .parameters = model_size(config, vocabulary()).parameters};
  if (config.most_epochs > 0) {
    TrainConfig enough = config;
    enough.epochs = config.most_epochs;
    facts.most_updates = total_updates(enough, batches);
  }
  return facts;
}

bool Materials::has_bf16() { return has_bf16_products(); }

Pace Materials::pace(const TrainConfig& config) {
  Pace pace = measure_pace(config, network_config(config, vocabulary()), data_->batches(config));
  pace.update /= processes_;
  pace.token /= processes_;
  return pace;
}

// As the settings describe it: with the weights of the start where it has them, and new ones elsewhere.
std::unique_ptr<AnyNetwork> Materials::first_network(const TrainConfig& config) {
  Initializer init(static_cast<std::uint64_t>(config.seed));
  NetworkConfig wanted = network_config(config, vocabulary());
  if (start_.network == nullptr) return std::make_unique<AnyNetwork>(wanted, init);
  take_initial_spread(wanted, start_.network->config());
  auto network = std::make_unique<AnyNetwork>(wanted, init);
  const bool same_head = start_.config.task == config.task && start_.config.labels == config.labels;
  copy_parameters(*start_.network, *network, !config.is_labelled() || same_head);
  reset_top_layers(*network, config);
  return network;
}

Job Materials::build(const TrainConfig& config) {
  if (from_ != nullptr) read(config, Start::kCheckpoint);  // a new run was read when it was settled
  Job job;
  job.network = from_ != nullptr ? network_of(*from_) : first_network(config);
  job.tokenizers = data_->tokenizers();
  job.files = data_->files();
  job.data = data_->batches(config);
  job.flop_per_token = model_size(config, vocabulary(), job.data.tokens_per_sample).flop_per_token;
  data_->judge(job, config);
  return job;
}

}  // namespace rapt
