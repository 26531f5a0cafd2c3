// A network that predicts the next token.
#pragma once

#include <memory>

#include "nn/network.h"

namespace rapt {

/// A backbone with the next-token loss. Its parameters have the backbone's names, without a prefix.
class LanguageModel final : public Network {
 public:
  explicit LanguageModel(std::unique_ptr<NextTokenBackbone> backbone) : backbone_(std::move(backbone)) {}

  const NextTokenBackbone& backbone() const override { return *backbone_; }

  /// Sum of -log p(target) over batch.targets / share.targets, [].
  Variable loss(const Batch& batch, const LossShare& share, Context& ctx) const override;

  /// The natural-log probability of each of batch.targets, [M], without gradients.
  Tensor log_probabilities(const Batch& batch) const;

  void visit(ParameterVisitor& v) override { backbone_->visit(v); }

 private:
  std::unique_ptr<NextTokenBackbone> backbone_;
};

}  // namespace rapt
