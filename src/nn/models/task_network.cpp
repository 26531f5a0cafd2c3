#include "nn/models/task_network.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "autograd/ops/binary_cross_entropy.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/linear_cross_entropy.h"
#include "autograd/ops/packed_cross_entropy.h"
#include "autograd/ops/squared_error.h"
#include "tensor/error.h"

namespace rapt {
namespace {

const TaskConfig& checked(const TaskConfig& config) {
  if (config.head_width() < 1) {
    throw UsageError("task: outputs must be at least 1, got " + std::to_string(config.outputs));
  }
  return config;
}

// A packing in which each of `questions` questions has the same number of consecutive sequences.
Packed choices_of(Dim sequences, Dim questions) {
  require_shape(questions > 0 && sequences % questions == 0, [&] {
    return "choice: all questions must have the same number of sequences, got " + std::to_string(sequences) +
           " sequences and labels of " + std::to_string(questions) + " questions";
  });
  return pack_lengths(std::vector<Dim>(static_cast<std::size_t>(questions), sequences / questions));
}

}  // namespace

TaskNetwork::TaskNetwork(std::unique_ptr<Backbone> backbone, const TaskConfig& config, Initializer& init)
    : backbone_(std::move(backbone)),
      config_(checked(config)),
      head_({.in = backbone_->width(), .out = config.head_width(), .bias = config.bias, .std = config.init_std}, init) {
}

// The input of the head: [B, C], or [N, C] if each token is scored.
Variable TaskNetwork::head_input(const Batch& batch, Context& ctx) const {
  if (!config_.judges_sequences()) return head_input(backbone_->states(batch, ctx), batch.input.layout, ctx);
  const Variable vectors = backbone_->sequence_vectors(batch, ctx);  // [B, C]
  return dropout(vectors, ctx.training ? config_.dropout : 0, ctx.sequence_dropout_key());
}

Variable TaskNetwork::head_input(const Variable& states, const Packed& layout, Context& ctx) const {
  const double p = ctx.training ? config_.dropout : 0;
  if (config_.judges_sequences()) return dropout(backbone_->pooled(states, layout), p, ctx.sequence_dropout_key());
  return dropout(states, p, ctx.dropout_key());
}

Variable TaskNetwork::task_loss(const Variable& x, const Batch& batch, const LossShare& share) const {
  const Dim B = batch.input.layout.sequences(), K = config_.outputs;
  const double scale = 1 / share.sequences;
  const char* const name = name_of(config_.task);
  switch (config_.task) {
    case Task::kClassify:
      return linear_cross_entropy(x, head_.weight(), head_.bias(), all_rows(B),
                                  labels_as<ClassLabels>(batch.labels, {B}, name),
                                  {.label_smoothing = share.label_smoothing, .scale = scale});
    case Task::kRegress:
      return squared_error(head_.forward(x), labels_as<NumberLabels>(batch.labels, {B, K}, name).to(x.dtype()),
                           scale / static_cast<double>(K));
    case Task::kMultilabel:
      return binary_cross_entropy(head_.forward(x), labels_as<YesNoLabels>(batch.labels, {B, K}, name).to(x.dtype()),
                                  scale / static_cast<double>(K));
    case Task::kTag:
      return linear_cross_entropy(x, head_.weight(), head_.bias(), batch.targets.rows, batch.targets.ids,
                                  {.label_smoothing = share.label_smoothing, .scale = 1 / share.targets});
    case Task::kQuestion:
      return packed_cross_entropy(head_.forward(x), batch.input.layout,
                                  labels_as<SpanLabels>(batch.labels, {B, 2}, name), scale / 2);
    case Task::kChoice: {
      const Dim questions = label_count(batch.labels);
      const Tensor& right = labels_as<ChoiceLabels>(batch.labels, {questions}, name);
      return packed_cross_entropy(head_.forward(x), choices_of(B, questions), right.reshape({questions, 1}), scale);
    }
  }
  throw BugError("task: a task without a loss");
}

Variable TaskNetwork::loss(const Batch& batch, const LossShare& share, Context& ctx) const {
  if (share.language_model == 0) {
    return task_loss(head_input(batch, ctx), batch, share);
  }
  const NextTokenBackbone* const backbone = backbone_->next_token();
  if (backbone == nullptr || config_.task == Task::kTag) {
    throw std::invalid_argument(
        std::string(
            "task: a language-model loss needs a backbone that predicts the next token and a task other than ") +
        "tag, got " + (backbone == nullptr ? "an encoder" : name_of(config_.task)));
  }
  const NextTokenBackbone::StatesAndHead pass = backbone->states_and_head(batch, ctx);  // [N, C], [V, C]
  const Variable task = task_loss(head_input(pass.states, batch.input.layout, ctx), batch, share);
  return task + linear_cross_entropy(pass.states, pass.head, pass.bias, batch.targets.rows, batch.targets.ids,
                                     {.scale = share.language_model / share.targets});
}

Tensor TaskNetwork::logits(const Batch& batch) const {
  const NoGrad no_grad;
  Context ctx;
  Variable x = head_input(batch, ctx);
  if (config_.task == Task::kTag) x = gather_rows(x, batch.targets.rows);
  return head_.forward(x).value();
}

void TaskNetwork::visit(ParameterVisitor& v) {
  v.child("backbone", *backbone_);
  v.child("head", head_);
}

}  // namespace rapt
