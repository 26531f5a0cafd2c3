// What a pretrained network is fine-tuned into: a backbone with a small head for one task. Devlin et al. 2018, arXiv
// 1810.04805, section 4; Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training", section 3.
#pragma once

#include <memory>
#include <string_view>

#include "nn/models/bert.h"
#include "nn/models/gpt.h"

namespace rapt {

enum class Task {
  kClassify,    ///< one of K classes for a sequence
  kRegress,     ///< K numbers for a sequence
  kMultilabel,  ///< yes or no to each of K labels for a sequence
  kTag,         ///< one of K tags for each labelled token
  kQuestion,    ///< where in its sequence an answer begins and ends
  kChoice,      ///< which of neighbouring sequences is the right one
};

/// classify, regress, multilabel, tag, qa, choice.
/// \throws std::invalid_argument  for another name, listing these
Task task_from_name(std::string_view name);
const char* name_of(Task task);

struct TaskConfig {
  Task task = Task::kClassify;
  Dim outputs = 2;     ///< K: classes, numbers, labels or tags; not used by kQuestion and kChoice
  double dropout = 0;  ///< on what the head sees, while training
  bool bias = true;    ///< of the head
  InitStd init_std = 0.02;

  /// Rows of the head: K; 2 for kQuestion (first, last), 1 for kChoice.
  Dim head_width() const;
  /// Whether one vector stands for a sequence (Backbone::pooled) or each token for itself.
  bool judges_sequences() const { return task != Task::kTag && task != Task::kQuestion; }
};

/// The head that transformers' class for this backbone and task has: BERT's with the hidden dropout (none before the
/// head of questions), GPT's without a bias where it judges sequences by themselves. Its weights begin as there, from
/// N(0, init_std^2) that is not cut, and its bias at 0.
TaskConfig task_config(Task task, Dim outputs, const BertConfig& backbone);
TaskConfig task_config(Task task, Dim outputs, const GptConfig& backbone);

/// A backbone, a dropout and a linear head.
class TaskNetwork final : public Network {
 public:
  /// \throws UsageError  if outputs is not positive, or whole sequences are to be judged by a BERT without a pooler
  TaskNetwork(std::unique_ptr<Backbone> backbone, const TaskConfig& config, Initializer& init);

  const Backbone& backbone() const { return *backbone_; }
  const TaskConfig& config() const { return config_; }
  DType dtype() const override { return backbone_->dtype(); }

  /// The mean loss of the update's sequences or tokens, as far as this batch makes it up, []:
  ///
  ///     classify    cross-entropy                              / share.sequences
  ///     regress     squared error                              / (share.sequences K)
  ///     multilabel  cross-entropy of each label                / (share.sequences K)
  ///     tag         cross-entropy of batch.targets             / share.targets
  ///     qa          cross-entropy of the first and of the last token among the sequence's, / (2 share.sequences)
  ///     choice      cross-entropy among a question's sequences / share.sequences, which counts questions
  ///
  /// With share.language_model, plus that many times a GPT's language-model loss of batch.targets / share.targets.
  ///
  /// \param batch  labels as Batch says
  /// \throws ShapeError, std::invalid_argument  if the batch's labels are not those of the task, or a language-model
  ///         loss is asked of a backbone or beside a task that has none
  Variable loss(const Batch& batch, const LossShare& share, Context& ctx) const override;

  /// What the head says, without gradients: [B, K]; [M, K] of batch.target_rows for tags; [N, 2] for a question's
  /// tokens; [B, 1] for choices, of which the highest of a question is the answer.
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
