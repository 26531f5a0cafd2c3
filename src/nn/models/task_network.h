// A pretrained network for fine-tuning: a backbone with a small head for one task. Devlin et al. 2018, arXiv
// 1810.04805, section 4; Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training", section 3.
#pragma once

#include <memory>
#include <string_view>

#include "nn/models/bert.h"
#include "nn/models/gpt.h"

namespace rapt {

enum class Task {
  kClassify,    ///< one of K classes per sequence
  kRegress,     ///< K numbers per sequence
  kMultilabel,  ///< yes or no to each of K labels per sequence
  kTag,         ///< one of K tags per labelled token
  kQuestion,    ///< the start and the end of an answer in its sequence
  kChoice,      ///< the correct one of consecutive sequences
};

/// classify, regress, multilabel, tag, qa, choice.
/// \throws std::invalid_argument  for another name, listing the known ones
Task task_from_name(std::string_view name);
const char* name_of(Task task);

struct TaskConfig {
  Task task = Task::kClassify;
  Dim outputs = 2;     ///< K: classes, numbers, labels or tags; not used by kQuestion and kChoice
  double dropout = 0;  ///< dropout of the head's input during training
  bool bias = true;    ///< of the head
  InitStd init_std = 0.02;

  /// Rows of the head: K; 2 for kQuestion (first, last), 1 for kChoice.
  Dim head_width() const;
  /// Whether the head takes one vector per sequence (Backbone::pooled) or one per token.
  bool judges_sequences() const { return task != Task::kTag && task != Task::kQuestion; }
};

/// The head of transformers' class for this backbone and task: BERT's with the hidden dropout (none before the
/// question-answering head), GPT's without a bias for whole sequences. As there, weights are initialised from N(0,
/// init_std^2) without truncation, and the bias with 0.
TaskConfig task_config(Task task, Dim outputs, const BertConfig& backbone);
TaskConfig task_config(Task task, Dim outputs, const GptConfig& backbone);

/// A backbone, a dropout and a linear head.
class TaskNetwork final : public Network {
 public:
  /// \throws UsageError  if outputs is not positive, or if whole sequences are to be scored by a BERT without a pooler
  TaskNetwork(std::unique_ptr<Backbone> backbone, const TaskConfig& config, Initializer& init);

  const Backbone& backbone() const { return *backbone_; }
  const TaskConfig& config() const { return config_; }
  DType dtype() const override { return backbone_->dtype(); }

  /// This batch's share of the mean loss over the update's sequences or tokens, []:
  ///
  ///     classify    cross-entropy                              / share.sequences
  ///     regress     squared error                              / (share.sequences K)
  ///     multilabel  cross-entropy of each label                / (share.sequences K)
  ///     tag         cross-entropy of batch.targets             / share.targets
  ///     qa          cross-entropy of the first and the last token over the sequence, / (2 share.sequences)
  ///     choice      cross-entropy over a question's sequences / share.sequences, which counts questions
  ///
  /// With share.language_model, plus that factor times a GPT's language-model loss of batch.targets / share.targets.
  ///
  /// \param batch  labels of the kind that the task is taught with
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
