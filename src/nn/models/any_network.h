// Any of the networks, for who opens a file without knowing what is in it: what a network is, as data, and one made of
// that.
#pragma once

#include <memory>
#include <variant>

#include "nn/models/bert_pretraining.h"
#include "nn/models/task_network.h"

namespace rapt {

/// What stands on a backbone.
enum class HeadKind {
  kNone,           ///< nothing: a BERT that makes states and embeddings
  kLanguageModel,  ///< the next token: a GPT
  kPretraining,    ///< masked words and, if the BERT has a pooler, the next sentence
  kTask,           ///< a head for one task
};

/// All it takes to build a network.
struct NetworkConfig {
  std::variant<GptConfig, BertConfig> backbone;
  HeadKind head = HeadKind::kLanguageModel;
  TaskConfig task = {};  ///< for kTask

  bool is_gpt() const { return std::holds_alternative<GptConfig>(backbone); }
};

/// The configuration of a network with this backbone and a new head for a task, as task_config has it. A BERT gets a
/// pooler where the task judges whole sequences, and none where it does not.
NetworkConfig with_task_head(NetworkConfig config, Task task, Dim outputs);

/// A network of any kind.
class AnyNetwork final {
 public:
  /// \throws UsageError  as the network's constructor; for a head that the backbone cannot have
  AnyNetwork(const NetworkConfig& config, Initializer& init);

  const NetworkConfig& config() const { return config_; }
  Module& module() { return *module_; }
  /// Adds low-rank adapters to their matrices; config() is that of a network without. \return  how many there were
  int merge_adapters();
  const Backbone& backbone() const;

  /// The network as a T (Network, Gpt, Bert, BertPretraining, TaskNetwork); null if it is none.
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

/// How the parameters of a network's backbone begin: "backbone.", or "" where the network is its own backbone.
const char* backbone_prefix(const NetworkConfig& config);

}  // namespace rapt
