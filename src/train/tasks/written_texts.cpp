#include "train/tasks/written_texts.h"

#include "decode/translate.h"
#include "train/models/family.h"

namespace rapt {

TokenLists write_texts(const AnyNetwork& network, const TokenLists& sources, const TrainConfig& config) {
  TranslateOptions options;
  options.prompt = {static_cast<std::int32_t>(config.start_token)};
  if (config.forced_first_token >= 0) options.prompt.push_back(static_cast<std::int32_t>(config.forced_first_token));
  options.sampling.sampling.greedy = true;
  options.sampling.stop_ids = {static_cast<std::int32_t>(config.end_token)};
  options.limits.most = network.backbone().context();
  options.most_ratio = 3;
  TokenLists texts(sources.size());
  const DecoderMaker decoder = [&](const Stream& chosen) {
    return make_decoder(network, static_cast<std::size_t>(chosen.layout.sequences()), &chosen);
  };
  translate(sources, decoder, options, 0, [&](std::size_t source, std::vector<Generated> written) {
    texts[source] = std::move(written.front().tokens);
  });
  return texts;
}

std::vector<std::unique_ptr<TextMetric>> validation_metrics(const TrainConfig& config) {
  std::vector<std::unique_ptr<TextMetric>> metrics;
  for (const std::string& name : config.valid_metrics) {
    if (name != "loss") metrics.push_back(make_text_metric(name));
  }
  return metrics;
}

}  // namespace rapt
