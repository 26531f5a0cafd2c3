// A network of any family with any head: what it is, as data, and one made of that.
#pragma once

#include <memory>

#include "nn/models/backbone_config.h"

namespace rapt {

/// Everything needed to build a network.
struct NetworkConfig {
  BackboneConfig backbone;
  Objective objective = Objective::kNextToken;  ///< decides which head stands on the backbone
  TaskConfig task = {};                         ///< the head for kLabels
};

/// The configuration of a network with this backbone and a new head for a task (BackboneConfig::task_head).
NetworkConfig with_task_head(NetworkConfig config, Task task, Dim outputs);

/// A backbone alone, or a network that has one.
class AnyNetwork final {
 public:
  /// The backbone gets what the objective needs of it (BackboneConfig::fit).
  /// \throws UsageError  as the network's constructor; for an objective that the family does not have
  AnyNetwork(NetworkConfig config, Initializer& init);

  const NetworkConfig& config() const { return config_; }
  Module& module();
  const Backbone& backbone() const;

  /// The network with its head, to train or to judge.
  /// \throws UsageError  if it is a backbone alone
  Network& network();
  const Network& network() const { return const_cast<AnyNetwork*>(this)->network(); }
  /// The same where its head must be of one kind (LanguageModel, BertPretraining, TaskNetwork); null if it is another.
  template <typename T>
  T* as() {
    return dynamic_cast<T*>(network_.get());
  }
  template <typename T>
  const T* as() const {
    return dynamic_cast<const T*>(network_.get());
  }

  /// Adds low-rank adapters to their matrices; config() is that of a network without. \return  how many there were
  int merge_adapters();

 private:
  NetworkConfig config_;
  std::unique_ptr<Backbone> bare_;    // for Objective::kNone
  std::unique_ptr<Network> network_;  // for all others
};

/// Prefix of the names of a network's backbone parameters: "backbone.", or "" if the network has no others.
const char* backbone_prefix(const NetworkConfig& config);

}  // namespace rapt
