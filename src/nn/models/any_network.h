// A network of any family with any head: its description as data, and a network made from it.
#pragma once

#include <memory>

#include "nn/models/backbone_config.h"

namespace rapt {

/// Everything needed to build a network.
struct NetworkConfig {
  BackboneConfig backbone;
  Objective objective = Objective::kNextToken;  ///< determines the head
  TaskConfig task = {};                         ///< the head for kLabels
};

/// The configuration of a network with this backbone and a new head for a task (BackboneConfig::task_head).
NetworkConfig with_task_head(NetworkConfig config, Task task, Dim outputs);

/// A backbone alone, or a network that has one.
class AnyNetwork final {
 public:
  /// The backbone is first fitted to the objective (BackboneConfig::fit).
  /// \throws UsageError  as the network's constructor does; for an objective that the family does not support
  AnyNetwork(NetworkConfig config, Initializer& init);

  const NetworkConfig& config() const { return config_; }
  Module& module();
  const Backbone& backbone() const;

  /// The network with its head, for training and evaluation.
  /// \throws UsageError  if it is a backbone alone
  Network& network();
  const Network& network() const { return const_cast<AnyNetwork*>(this)->network(); }
  /// The network as a T (LanguageModel, BertPretraining, TaskNetwork), or null if it has another head.
  template <typename T>
  T* as() {
    return dynamic_cast<T*>(network_.get());
  }
  template <typename T>
  const T* as() const {
    return dynamic_cast<const T*>(network_.get());
  }

  /// Merges low-rank adapters into their matrices; config() is then that of a network without adapters. \return  the
  /// number of adapters
  int merge_adapters();

 private:
  NetworkConfig config_;
  std::unique_ptr<Backbone> bare_;    // for Objective::kNone
  std::unique_ptr<Network> network_;  // for all other objectives
};

/// Prefix of the names of a network's backbone parameters: "backbone.", or "" if the network has no other parameters.
const char* backbone_prefix(const NetworkConfig& config);

}  // namespace rapt
