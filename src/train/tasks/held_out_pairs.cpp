#include "train/tasks/held_out_pairs.h"

#include "decode/translate.h"
#include "nn/models/language_model.h"
#include "train/metrics/text_metric.h"
#include "train/models/family.h"
#include "train/tasks/pair_evaluation.h"

namespace rapt {

void complete(Constraints& constraints, const AnyNetwork& network, const TrainConfig& config) {
  const bool pads = config.pad_token != config.end_token && config.pad_token < network.backbone().vocabulary();
  if (pads) constraints.never.push_back(static_cast<std::int32_t>(config.pad_token));
  if (config.forced_first_token >= 0) constraints.first_token = static_cast<std::int32_t>(config.forced_first_token);
}

TokenLists write_texts(const AnyNetwork& network, const TokenLists& sources, const TrainConfig& config) {
  TranslateOptions options;
  options.prompt = {static_cast<std::int32_t>(config.start_token)};
  options.sampling.sampling.greedy = true;
  options.sampling.stop_ids = {static_cast<std::int32_t>(config.end_token)};
  complete(options.sampling.constraints, network, config);
  options.limits.most = network.backbone().context();
  if (config.task == "translate") options.most_ratio = 3;
  TokenLists texts(sources.size());
  const DecoderMaker decoder = [&](const Stream& chosen) {
    return make_decoder(network, static_cast<std::size_t>(chosen.layout.sequences()), &chosen);
  };
  translate(sources, decoder, options, 0, [&](std::size_t source, std::vector<Generated> written) {
    texts[source] = std::move(written.front().tokens);
  });
  return texts;
}

HeldOutPairs::HeldOutPairs(const AnyNetwork& network, Tokenizers tokenizers, PairStore store, const PairFrame& frame,
                           TrainConfig config)
    : network_(network),
      tokenizers_(std::move(tokenizers)),
      store_(std::move(store)),
      frame_(frame),
      config_(std::move(config)) {
  if (tokenizers_.source == nullptr) tokenizers_.source = tokenizers_.target;
}

TokenLists HeldOutPairs::sources_of(std::span<const Dim> pairs) const {
  const Stream source = *make_pair_batch(store_, pairs, frame_).source;
  const auto offsets = source.layout.offsets.span<std::int32_t>();
  const std::int32_t* const tokens = source.tokens.data<std::int32_t>();
  TokenLists sources;
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    sources.emplace_back(tokens + offsets[b], tokens + offsets[b + 1]);
  }
  return sources;
}

std::string HeldOutPairs::text_of(Dim pair, PairSide side) const {
  if (store_.keeps_texts()) return std::string(store_.text(pair, side));
  const TokenRange range = store_.range(pair, side);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(range.size()));
  store_.copy(range, side, ids);
  return (side == PairSide::kSource ? tokenizers_.source : tokenizers_.target)->decode(ids);
}

Evaluation HeldOutPairs::evaluate(std::int64_t most, Team& team) const {
  Evaluation evaluation = evaluate_pairs(*network_.as<LanguageModel>(), store_, Part::kValidation, frame_, most, team);
  if (!config_.text_metrics().empty()) score_texts(evaluation, most, team);
  return evaluation;
}

void HeldOutPairs::score_texts(Evaluation& evaluation, std::int64_t most, Team& team) const {
  const std::vector<Dim> pairs = evaluated_pairs(store_, Part::kValidation, most);
  const auto first = static_cast<std::size_t>(team.rank()), step = static_cast<std::size_t>(team.size());
  std::vector<Dim> own;
  for (std::size_t i = first; i < pairs.size(); i += step) own.push_back(pairs[i]);
  std::vector<std::string> written;
  for (const auto& ids : write_texts(network_, sources_of(own), config_)) {
    written.push_back(tokenizers_.target->decode(ids, true));
  }
  const std::vector<std::string> hypotheses = team.gather_in_turn(written);
  std::vector<std::vector<std::string>> references;
  for (const Dim pair : pairs) references.push_back({text_of(pair, PairSide::kTarget)});
  std::vector<std::unique_ptr<TextMetric>> metrics;
  for (const std::string& name : config_.text_metrics()) metrics.push_back(make_text_metric(name));
  for (const auto& [name, value] : TextScores(metrics, hypotheses, references).values()) {
    evaluation.metrics.emplace_back(name, value);
    if (name == config_.valid_metrics.front()) evaluation.score = metric_info(name).larger_is_better ? value : -value;
  }
}

std::string HeldOutPairs::sample() const {
  constexpr Dim kShown = 3;
  const Dim held_out = store_.pairs(Part::kValidation), first = store_.pairs(Part::kTrain);
  std::vector<Dim> pairs;
  for (const Dim i : evenly_spaced(held_out, kShown)) pairs.push_back(first + i);
  const TokenLists written = write_texts(network_, sources_of(pairs), config_);
  std::string text;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i > 0) text += "\n";
    text += "source:    " + text_of(pairs[i], PairSide::kSource) + "\n";
    text += "written:   " + tokenizers_.target->decode(written[i], true) + "\n";
    text += "reference: " + text_of(pairs[i], PairSide::kTarget);
  }
  return text;
}

}  // namespace rapt
