#include "nn/models/any_network.h"

#include "tensor/error.h"

namespace rapt {
namespace {

std::unique_ptr<Module> make_gpt(const NetworkConfig& config, const GptConfig& gpt, Initializer& init) {
  switch (config.head) {
    case HeadKind::kLanguageModel:
      return std::make_unique<Gpt>(gpt, init);
    case HeadKind::kTask:
      return std::make_unique<TaskNetwork>(std::make_unique<Gpt>(gpt, init), config.task, init);
    case HeadKind::kNone:
    case HeadKind::kPretraining:
      break;
  }
  throw UsageError("network: a GPT needs a language-model head or a task head");
}

std::unique_ptr<Module> make_bert(const NetworkConfig& config, const BertConfig& bert, Initializer& init) {
  switch (config.head) {
    case HeadKind::kNone:
      return std::make_unique<Bert>(bert, init);
    case HeadKind::kPretraining:
      return std::make_unique<BertPretraining>(bert, init);
    case HeadKind::kTask:
      return std::make_unique<TaskNetwork>(std::make_unique<Bert>(bert, init), config.task, init);
    case HeadKind::kLanguageModel:
      break;
  }
  throw UsageError("network: a BERT needs a masked-word head, a task head or none; it does not predict the next token");
}

std::unique_ptr<Module> make(const NetworkConfig& config, Initializer& init) {
  if (const auto* gpt = std::get_if<GptConfig>(&config.backbone)) return make_gpt(config, *gpt, init);
  return make_bert(config, std::get<BertConfig>(config.backbone), init);
}

}  // namespace

NetworkConfig with_task_head(NetworkConfig config, Task task, Dim outputs) {
  config.head = HeadKind::kTask;
  config.task = std::visit([&](const auto& backbone) { return task_config(task, outputs, backbone); }, config.backbone);
  if (auto* bert = std::get_if<BertConfig>(&config.backbone)) bert->pooler = config.task.judges_sequences();
  return config;
}

AnyNetwork::AnyNetwork(const NetworkConfig& config, Initializer& init) : config_(config), module_(make(config, init)) {}

int AnyNetwork::merge_adapters() {
  std::visit([](auto& backbone) { backbone.lora = {}; }, config_.backbone);
  return rapt::merge_adapters(*module_);
}

const Backbone& AnyNetwork::backbone() const {
  if (const auto* task = as<TaskNetwork>()) return task->backbone();
  if (const auto* pretraining = as<BertPretraining>()) return pretraining->backbone();
  return *as<Backbone>();
}

const char* backbone_prefix(const NetworkConfig& config) {
  return config.head == HeadKind::kTask || config.head == HeadKind::kPretraining ? "backbone." : "";
}

}  // namespace rapt
