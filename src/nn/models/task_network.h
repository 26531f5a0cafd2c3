// A pretrained network for fine-tuning: a backbone with a small head for one task. Devlin et al. 2018, arXiv
// 1810.04805, section 4; Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training", section 3.
#pragma once

#include <memory>

#include "nn/linear.h"
#include "nn/models/task.h"
#include "nn/network.h"

namespace rapt {

/// A backbone, a dropout and a linear head.
class TaskNetwork final : public Network {
 public:
  /// \throws UsageError  if outputs is not positive
  TaskNetwork(std::unique_ptr<Backbone> backbone, const TaskConfig& config, Initializer& init);

  const Backbone& backbone() const override { return *backbone_; }
  const TaskConfig& config() const { return config_; }

  /// This batch's share of the mean loss over the update's sequences or tokens, []:
  ///
  ///     classify    cross-entropy                              / share.sequences
  ///     regress     squared error                              / (share.sequences K)
  ///     multilabel  cross-entropy of each label                / (share.sequences K)
  ///     tag         cross-entropy of batch.targets             / share.targets
  ///     qa          cross-entropy of the first and the last token over the sequence, / (2 share.sequences)
  ///     choice      cross-entropy over a question's sequences / share.sequences, which counts questions
  ///
  /// With share.language_model, plus that factor times the language-model loss of batch.targets / share.targets.
  ///
  /// \param batch  labels of the task's type
  /// \throws ShapeError, std::invalid_argument  if the batch's labels do not match the task, or if a language-model
  ///         loss is requested for a backbone or a task without one
  Variable loss(const Batch& batch, const LossShare& share, Context& ctx) const override;

  /// The head's predictions, without gradients: [B, K]; [M, K] of the rows of batch.targets for tags; [N, 2] for a
  /// question's tokens; [B, 1] for choices, of which the highest of a question is the answer.
  Tensor logits(const Batch& batch) const;

  void visit(ParameterVisitor& v) override;

 private:
  Variable head_input(const Batch& batch, Context& ctx) const;
  Variable head_input(const Variable& states, const Packed& layout, Context& ctx) const;
  Variable task_loss(const Variable& input, const Batch& batch, const LossShare& share) const;

  std::unique_ptr<Backbone> backbone_;
  TaskConfig config_;
  Linear head_;
};

}  // namespace rapt
