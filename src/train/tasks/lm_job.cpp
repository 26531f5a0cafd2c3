// --task lm: a GPT that predicts the next token of a text.
#include <cmath>

#include "decode/generate.h"
#include "decode/text_start.h"
#include "tensor/error.h"
#include "text/tokenizer/stream_decoder.h"
#include "train/files/pretrained.h"
#include "train/models/model_size.h"
#include "train/models/networks.h"
#include "train/tasks/choose.h"
#include "train/tasks/job.h"
#include "train/tasks/run_data.h"
#include "train/tasks/text_summary.h"

namespace rapt {
namespace {

Dim vocabulary_of(const Pretrained& start, const TokenStore& store) {
  const Dim in_data = store.vocabulary_size();
  if (start.network == nullptr) return in_data;
  const Dim known = start.network->backbone().vocabulary();
  if (known < in_data) {
    throw DataError("train: the data has token ids up to " + std::to_string(in_data - 1) +
                    ", the model of --init knows " + std::to_string(known));
  }
  return known;
}

Evaluation evaluate(const Gpt& model, const LmEvaluation& held_out, Dim batch, double bytes_per_target,
                    std::int64_t most) {
  Evaluation result;
  double sum = 0;
  const PartToRead part(held_out.sequences(), batch, static_cast<double>(held_out.targets()), most);
  for (const Dim first : part.firsts) {
    const Tensor log_probabilities = model.log_probabilities(held_out.batch(first, part.batch));
    for (const float p : log_probabilities.span<float>()) sum -= static_cast<double>(p);
    result.targets += log_probabilities.size();
  }
  result.loss = result.targets > 0 ? sum / static_cast<double>(result.targets) : NAN;
  result.score = -result.loss;
  result.share = part.share;
  result.metrics.emplace_back("perplexity", std::exp(result.loss));
  if (bytes_per_target > 0) {
    const double bytes = bytes_per_target * static_cast<double>(result.targets);
    result.metrics.emplace_back("bits_per_byte", bits_per_byte(result.loss, result.targets, bytes));
  }
  return result;
}

std::pair<std::string, std::string> sample(const Gpt& model, const Tokenizer& tokenizer, const TokenStore& store,
                                           const TrainConfig& config) {
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
  const Generated text = generate(model, {start.ids}, options).front();
  return {start.shown, decode_after(tokenizer, start.ids, text.tokens)};
}

}  // namespace

Job prepare_language_model(const JobRequest& request) {
  LayeredConfig& layered = request.config;
  const TrainConfig& config = layered.values;
  const Pretrained start = start_of(request);
  const std::optional<Corpus> corpus = open_corpus(config, request.notice);
  if (start.network != nullptr) {
    static_cast<void>(start.gpt());  // or it says what it is
    if (corpus && !corpus->holds_tokens()) require_tokenizer(start);
    choose_adaptation(layered);
  }
  if (request.from == nullptr && start.network == nullptr && corpus && !corpus->holds_tokens()) {
    choose_tokenizer(layered, "byte-bpe", corpus->scan());
  }
  RunData data = prepare_data(config, corpus, request.folder, start.tokenizer, request.notice);
  const TokenStore store = data.store;
  if (request.from == nullptr) tell_text(config, store, corpus && corpus->documents_are_files(), request.notice);
  const Dim vocabulary = vocabulary_of(start, store);
  if (request.from == nullptr) {
    choose_network(layered, store, request.notice);
    choose_length(layered, network_config(config, vocabulary), training_data(config, store),
                  static_cast<double>(store.part(Part::kValidation).size()), request.notice);
    validate(config);
  }

  Job job;
  job.network = first_network(request, start, vocabulary, true);
  const Gpt& model = *job.network->as<Gpt>();
  job.tokenizer = std::move(data.tokenizer);
  job.data = training_data(config, store);
  job.flop_per_token = model_size(config, vocabulary).flop_per_token;
  if (const auto held = held_out(config, store)) {
    job.held_out_tokens = static_cast<double>(held->targets());
    job.bytes_per_target = static_cast<double>(store.text_bytes(Part::kValidation)) / job.held_out_tokens;
    job.evaluate = [&model, held = *held, batch = std::max<Dim>(1, kEvaluationRows / config.longest_sequence()),
                    bytes = job.bytes_per_target](std::int64_t most) {
      return evaluate(model, held, batch, bytes, most);
    };
  }
  job.sample = [&model, tokenizer = job.tokenizer, store, config] { return sample(model, *tokenizer, store, config); };
  return job;
}

}  // namespace rapt
