#include "nn/models/any_network.h"

#include "nn/lora.h"
#include "nn/models/task_network.h"
#include "tensor/error.h"

namespace rapt {

NetworkConfig with_task_head(NetworkConfig config, Task task, Dim outputs) {
  config.objective = Objective::kLabels;
  config.task = config.backbone.task_head(task, outputs);
  config.backbone.fit(config.objective, config.task);
  return config;
}

AnyNetwork::AnyNetwork(NetworkConfig config, Initializer& init) : config_(std::move(config)) {
  config_.backbone.fit(config_.objective, config_.task);
  if (config_.objective == Objective::kNone) {
    bare_ = config_.backbone.make(init);
  } else if (config_.objective == Objective::kLabels) {
    network_ = std::make_unique<TaskNetwork>(config_.backbone.make(init), config_.task, init);
  } else {
    network_ = config_.backbone.make_with_head(config_.objective, init);
  }
}

Module& AnyNetwork::module() {
  if (network_ != nullptr) return *network_;
  return *bare_;
}

const Backbone& AnyNetwork::backbone() const { return network_ != nullptr ? network_->backbone() : *bare_; }

Network& AnyNetwork::network() {
  if (network_ != nullptr) return *network_;
  throw UsageError("network: a backbone alone has nothing to learn; give it a head, for one of the tasks of --task");
}

int AnyNetwork::merge_adapters() {
  config_.backbone.drop_adapters();
  return rapt::merge_adapters(module());
}

const char* backbone_prefix(const NetworkConfig& config) {
  return config.objective == Objective::kLabels || masks_words(config.objective) ? "backbone." : "";
}

}  // namespace rapt
