// Any of the networks, for code that opens a file without knowing which network it contains: a network's description as
// data, and a network made from it.
#pragma once

#include <memory>
#include <variant>

#include "nn/models/bert_pretraining.h"
#include "nn/models/task_network.h"

namespace rapt {

/// The head of a network.
enum class HeadKind {
  kNone,           ///< none: a BERT that computes states and embeddings
  kLanguageModel,  ///< the next token: a GPT
  kPretraining,    ///< masked words and, if the BERT has a pooler, the next sentence
  kTask,           ///< a head for one task
};

/// Everything needed to build a network.
struct NetworkConfig {
  std::variant<GptConfig, BertConfig> backbone;
  HeadKind head = HeadKind::kLanguageModel;
  TaskConfig task = {};  ///< for kTask

  bool is_gpt() const { return std::holds_alternative<GptConfig>(backbone); }
};

/// The configuration of a network with this backbone and a new head for a task, as in task_config. A BERT gets a pooler
/// if the task scores whole sequences, and none otherwise.
NetworkConfig with_task_head(NetworkConfig config, Task task, Dim outputs);

/// A network of any kind.
class AnyNetwork final {
 public:
  /// \throws UsageError  as the network's constructor does; for a head that the backbone does not support
  AnyNetwork(const NetworkConfig& config, Initializer& init);

  const NetworkConfig& config() const { return config_; }
  Module& module() { return *module_; }
  /// Merges low-rank adapters into their matrices; config() is then that of a network without adapters.
  ///
  /// \return  the number of adapters
  int merge_adapters();
  const Backbone& backbone() const;

  /// The network as a T (Network, Gpt, Bert, BertPretraining, TaskNetwork), or null if it is not one.
  template <typename T>
  T* as() {
    return dynamic_cast<T*>(module_.get());
  }
  template <typename T>
  const T* as() const {
    return dynamic_cast<const T*>(module_.get());
  }

 private:
  NetworkConfig config_;
  std::unique_ptr<Module> module_;
};

/// Prefix of the names of a network's backbone parameters: "backbone.", or "" if the network is its own backbone.
const char* backbone_prefix(const NetworkConfig& config);

}  // namespace rapt
