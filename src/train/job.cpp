#include "train/job.h"

#include "train/checkpoint.h"
#include "train/choose.h"
#include "train/networks.h"

namespace rapt {

Job prepare_job(const JobRequest& request) {
  const TrainConfig& config = request.config.values;
  if (request.from == nullptr && config.model == "bert") choose(request.config, "task", "mlm-nsp");
  if (config.task == "lm") return prepare_language_model(request);
  return config.is_labelled() ? prepare_labelled(request) : prepare_masked_words(request);
}

Pretrained start_of(const JobRequest& request) {
  TrainConfig& config = request.config.values;
  Pretrained start;
  if (request.from != nullptr) {
    start.tokenizer = tokenizer_of(*request.from);
  } else if (!config.init.empty()) {
    start = open_pretrained(config.init);
    take_network_settings(config, start.network->config());
  }
  return start;
}

std::unique_ptr<AnyNetwork> first_network(const JobRequest& request, const Pretrained& start, Dim vocabulary,
                                          bool heads) {
  if (request.from != nullptr) return network_of(*request.from);
  const TrainConfig& config = request.config.values;
  Initializer init(static_cast<std::uint64_t>(config.seed));
  auto network = std::make_unique<AnyNetwork>(network_config(config, vocabulary), init);
  if (start.network != nullptr) copy_parameters(*start.network, *network, heads);
  return network;
}

}  // namespace rapt
