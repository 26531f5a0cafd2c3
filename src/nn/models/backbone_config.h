// The configuration of a backbone of any family, as a value. Only code of the family looks inside.
#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include "nn/models/task.h"
#include "nn/network.h"
#include "nn/objective.h"

namespace rapt {

/// Holds a family's own configuration (GptConfig, BertConfig ...). It has the members vocabulary, context and init_std,
/// and there are functions make_backbone, make_network, task_config and fit_to for it.
class BackboneConfig final {
 public:
  template <typename Config>
  requires(!std::same_as<Config, BackboneConfig>) BackboneConfig(const Config& config)
      : held_(std::make_unique<Of<Config>>(config)) {}  // NOLINT: any family's
  BackboneConfig(const BackboneConfig& other) : held_(other.held_->clone()) {}
  BackboneConfig(BackboneConfig&&) noexcept = default;
  BackboneConfig& operator=(const BackboneConfig& other) { return *this = BackboneConfig(other); }
  BackboneConfig& operator=(BackboneConfig&&) noexcept = default;
  ~BackboneConfig() = default;

  /// The family's own configuration; null if it belongs to another family.
  template <typename Config>
  Config* as() {
    auto* const of = dynamic_cast<Of<Config>*>(held_.get());
    return of == nullptr ? nullptr : &of->config;
  }
  template <typename Config>
  const Config* as() const {
    return const_cast<BackboneConfig*>(this)->as<Config>();
  }

  Dim vocabulary() const { return held_->common().vocabulary; }
  Dim context() const { return held_->common().context; }
  /// The standard deviation of new matrices, N(0, std^2).
  double& init_std() { return held_->common().init_std; }
  double init_std() const { return held_->common().init_std; }
  /// Removes low-rank adapters, if the family has them.
  void drop_adapters() { held_->drop_adapters(); }

  /// \throws UsageError  if its values are inconsistent
  std::unique_ptr<Backbone> make(Initializer& init) const { return held_->backbone(init); }
  /// A network with the family's own head for an objective without labels.
  /// \throws UsageError  as make() does; if the family has no such head
  std::unique_ptr<Network> make_with_head(Objective objective, Initializer& init) const {
    return held_->network(objective, init);
  }
  /// The head of transformers' class for this backbone and task. As there, weights are initialised from N(0,
  /// init_std^2) without truncation, and the bias with 0.
  TaskConfig task_head(Task task, Dim outputs) const { return held_->task_head(task, outputs); }
  /// Adds what the objective's head needs of the backbone and removes what it does not: BERT's pooler.
  void fit(Objective objective, const TaskConfig& task) { held_->fit(objective, task); }

 private:
  struct Common {
    Dim& vocabulary;
    Dim& context;
    double& init_std;
  };
  struct Held {
    virtual ~Held() = default;
    virtual std::unique_ptr<Held> clone() const = 0;
    virtual Common common() = 0;
    virtual void drop_adapters() = 0;
    virtual std::unique_ptr<Backbone> backbone(Initializer& init) const = 0;
    virtual std::unique_ptr<Network> network(Objective objective, Initializer& init) const = 0;
    virtual TaskConfig task_head(Task task, Dim outputs) const = 0;
    virtual void fit(Objective objective, const TaskConfig& task) = 0;
  };
  template <typename Config>
  struct Of final : Held {
    explicit Of(const Config& c) : config(c) {}
    std::unique_ptr<Held> clone() const override { return std::make_unique<Of>(config); }
    Common common() override { return {config.vocabulary, config.context, config.init_std}; }
    void drop_adapters() override {
      if constexpr (requires { config.lora; }) config.lora = {};
    }
    std::unique_ptr<Backbone> backbone(Initializer& init) const override { return make_backbone(config, init); }
    std::unique_ptr<Network> network(Objective objective, Initializer& init) const override {
      return make_network(config, objective, init);
    }
    TaskConfig task_head(Task task, Dim outputs) const override { return task_config(task, outputs, config); }
    void fit(Objective objective, const TaskConfig& task) override { fit_to(config, objective, task); }

    Config config;
  };

  std::unique_ptr<Held> held_;
};

}  // namespace rapt
