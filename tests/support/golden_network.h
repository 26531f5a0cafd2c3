// A golden case's network: its batch, all outputs of its heads, its loss, gradients and first updates.
#pragma once

#include <map>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/rms_norm.h"
#include "autograd/ops/sum.h"
#include "nn/models/bert_pretraining.h"
#include "nn/models/gpt.h"
#include "nn/models/task_network.h"
#include "nn/models/transformer.h"
#include "nn/sentence_embedding.h"
#include "support/golden.h"
#include "support/padded_answers.h"
#include "train/files/hugging_face.h"
#include "train/optimise/gradient_sum.h"
#include "train/optimise/optimizer.h"

namespace rapt::testing {

/// The predicted rows and their targets: labels of -100 mean none.
inline void take_targets(const std::vector<std::int32_t>& labels, Batch& batch) {
  std::vector<std::int32_t> rows, targets;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    rows.push_back(static_cast<std::int32_t>(i));
    targets.push_back(labels[i]);
  }
  batch.targets = make_targets(rows, targets);
}

inline Tensor ids_of(const GoldenCase& c, const std::string& name) {
  const auto ids = c.ints(name);
  return Tensor::from(ids, {static_cast<Dim>(ids.size())});
}

/// The targets of a network's task.
inline void take_labels(const GoldenCase& c, const TaskConfig& task, Batch& batch) {
  const Dim B = batch.input.layout.sequences();
  switch (task.task) {
    case Task::kClassify:
      batch.labels = ClassLabels{ids_of(c, "labels")};
      return;
    case Task::kRegress:
      batch.labels = NumberLabels{Tensor::from(c.floats("labels"), {B, 1})};
      return;
    case Task::kMultilabel:
      batch.labels = YesNoLabels{Tensor::from(c.floats("labels"), {B, task.outputs})};
      return;
    case Task::kTag:
      return take_targets(c.ints("labels"), batch);
    case Task::kQuestion: {
      const auto first = c.ints("start_positions"), last = c.ints("end_positions");
      std::vector<std::int32_t> spans;
      for (std::size_t b = 0; b < first.size(); ++b) spans.insert(spans.end(), {first[b], last[b]});
      batch.labels = SpanLabels{Tensor::from(spans, {B, 2})};
      return;
    }
    case Task::kChoice:
      batch.labels = ChoiceLabels{ids_of(c, c.has("choice_labels") ? "choice_labels" : "labels")};
      if (c.has("choice_labels")) take_targets(c.ints("labels"), batch);  // of the auxiliary language model
      return;
  }
}

inline std::vector<Dim> lengths_of(const GoldenCase& c, const std::string& offsets_name) {
  const auto offsets = c.ints(offsets_name);
  std::vector<Dim> lengths;
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) lengths.push_back(offsets[b + 1] - offsets[b]);
  return lengths;
}

/// A batch of source and target texts.
inline Batch pairs_of(const GoldenCase& c) {
  Batch batch{.input = make_stream(lengths_of(c, "decoder_offsets"), c.ints("decoder_tokens")),
              .source = make_stream(lengths_of(c, "source_offsets"), c.ints("source_tokens"))};
  take_targets(c.ints("labels"), batch);
  return batch;
}

inline Batch batch_of(const GoldenCase& c, const AnyNetwork& network) {
  if (c.has("source_tokens")) return pairs_of(c);
  const std::vector<Dim> lengths = lengths_of(c, "offsets");
  Batch batch{.input = make_stream(lengths, c.ints("tokens"),
                                   c.has("segments") ? c.ints("segments") : std::vector<std::int32_t>())};
  if (const auto* task = network.as<TaskNetwork>()) {
    take_labels(c, task->config(), batch);
  } else if (network.config().objective != Objective::kNone) {
    take_targets(c.ints("labels"), batch);
    if (c.has("next_sentence_labels")) batch.labels = ClassLabels{ids_of(c, "next_sentence_labels")};
  }
  return batch;
}

/// Column k of x [N, K].
inline Tensor column(const Tensor& x, Dim k) {
  const Dim N = x.shape()[0], K = x.shape()[1];
  const Tensor values = x.to(DType::kF64);
  Tensor y = Tensor::empty({N}, DType::kF64);
  for (Dim n = 0; n < N; ++n) y.data<double>()[n] = values.data<double>()[n * K + k];
  return y;
}

/// The states of every layer of an encoder-decoder, and its scores.
inline void check_transformer(const GoldenCase& c, const Transformer& model, const Batch& batch) {
  Context ctx;
  std::vector<Tensor> encoder, decoder;
  const Variable memory = model.encode(*batch.source, ctx, &encoder);
  require_close("encoder_output", memory.value(), c.floats("encoder_output"), 1e-4);
  const Variable states = model.decode(batch.input, memory, batch.source->layout, ctx, &decoder);
  for (const auto& [name, trace] : {std::pair{"encoder_hidden.", &encoder}, {"decoder_hidden.", &decoder}}) {
    for (std::size_t i = 0; i < trace->size(); ++i) {
      require_close(name + std::to_string(i), (*trace)[i], c.floats(name + std::to_string(i)), 1e-4);
    }
    require(!c.has(name + std::to_string(trace->size())), "more hidden states are expected");
  }
  require_close("logits", model.logits(states).value(), c.floats("logits"), 1e-4);
}

/// The states of every layer and the outputs of the heads.
inline void check_outputs(const GoldenCase& c, const AnyNetwork& network, Batch batch) {
  const NoGrad no_grad;
  if (const auto* transformer = dynamic_cast<const Transformer*>(&network.backbone())) {
    return check_transformer(c, *transformer, batch);
  }
  Context ctx;
  std::vector<Tensor> hidden;
  const Variable states = network.backbone().states(batch, ctx, &hidden);
  if (c.has("hidden.0")) {
    for (std::size_t i = 0; i < hidden.size(); ++i) {
      require_close("hidden." + std::to_string(i), hidden[i], c.floats("hidden." + std::to_string(i)), 1e-4);
    }
    require(!c.has("hidden." + std::to_string(hidden.size())), "more hidden states are expected");
  }
  const auto compare = [&](const std::string& name, const Tensor& ours) {
    require_close(name, ours, c.floats(name), 1e-4);
  };
  const auto* gpt = dynamic_cast<const Gpt*>(&network.backbone());
  const bool both_heads = c.has("choice_logits");
  if (gpt != nullptr && (both_heads || network.config().objective == Objective::kNextToken)) {
    compare("logits", gpt->logits(states).value());
  }
  if (const auto* pretraining = network.as<BertPretraining>()) {
    const BertPretraining::Scores scores = pretraining->scores(batch);
    if (pretraining->has_next_sentence()) compare("next_sentence_logits", scores.next_sentence);
    compare("logits", pretraining->word_logits(batch.input, all_rows(batch.input.layout.rows())));
  }
  if (const auto* task = network.as<TaskNetwork>()) {
    if (task->config().task == Task::kTag) batch.targets.rows = all_rows(batch.input.layout.rows());
    const Tensor logits = task->logits(batch);
    if (task->config().task == Task::kQuestion) {
      compare("start_logits", column(logits, 0));
      compare("end_logits", column(logits, 1));
    } else {
      compare(both_heads ? "choice_logits" : "logits", logits);
    }
  }
  if (c.has("embedding")) {
    compare("embedding", sentence_embeddings(network.backbone(), batch.input, Pooling::kMean, true));
  }
}

/// The network's own loss.
inline Variable own_loss(const GoldenCase& c, const Network& network, const Batch& batch) {
  Context ctx;
  ctx.training = true;  // the cases have no dropout
  const JsonFields fields(c.expected, "expected.json");
  return network.loss(batch,
                      {.targets = static_cast<double>(std::max<Dim>(1, batch.targets.count())),
                       .sequences = static_cast<double>(std::max<Dim>(1, label_count(batch.labels))),
                       .label_smoothing = fields.number_or("label_smoothing", 0),
                       .language_model = fields.number_or("language_model_weight", 0)},
                      ctx);
}

/// The case's loss: the network's own; for questions, transformers' in a padded batch; for an encoder, its embeddings
/// times given weights.
inline Variable loss_of(const GoldenCase& c, AnyNetwork& network, const Batch& batch) {
  const auto* task = network.as<TaskNetwork>();
  if (task != nullptr && task->config().task == Task::kQuestion) return padded_answer_loss(network, batch);
  if (network.config().objective != Objective::kNone) return own_loss(c, network.network(), batch);
  Context ctx;
  const Variable embeddings =
      unit_rows(pool(network.backbone().states(batch, ctx), batch.input.layout, Pooling::kMean));
  const Tensor weights = Tensor::from(c.floats("loss_weights"), embeddings.shape());
  return sum(embeddings * Variable(weights.to(embeddings.dtype())));
}

/// The loss of questions over their own tokens, from the scores that the case expects.
inline double packed_answer_loss(const GoldenCase& c) {
  const auto offsets = c.ints("offsets");
  double loss = 0;
  for (const std::string edge : {"start", "end"}) {
    const auto scores = c.floats(edge + "_logits");
    const auto places = c.ints(edge + "_positions");
    for (std::size_t b = 0; b < places.size(); ++b) {
      double sum = 0;
      for (std::int32_t n = offsets[b]; n < offsets[b + 1]; ++n) {
        sum += std::exp(static_cast<double>(scores[static_cast<std::size_t>(n)]));
      }
      loss += std::log(sum) - static_cast<double>(scores[static_cast<std::size_t>(offsets[b] + places[b])]);
    }
  }
  return loss / (2 * static_cast<double>(offsets.size() - 1));
}

inline double loss_and_gradients(const GoldenCase& c, AnyNetwork& network, const Batch& batch) {
  const Variable loss = loss_of(c, network, batch);
  const double value = loss.value().item();
  backward(loss);
  return value;
}

/// A tensor of ours in their layout, by the table of names.
inline Tensor as_theirs(const ParameterName& name, const Tensor& tensor) {
  const Tensor ours = tensor.to(DType::kF64);
  if (!name.transposed) {
    const Dim rows = ours.shape()[0] / name.parts;
    return ours.slice(name.part * rows, (name.part + 1) * rows);
  }
  const Dim rows = ours.shape()[0], cols = ours.shape()[1];
  Tensor theirs = Tensor::empty({cols, rows}, DType::kF64);
  for (Dim r = 0; r < rows; ++r) {
    for (Dim k = 0; k < cols; ++k) theirs.data<double>()[k * rows + r] = ours.data<double>()[r * cols + k];
  }
  return theirs;
}

using Names = std::map<std::string, std::vector<ParameterName>>;

inline Names names_by_ours(const NetworkConfig& config) {
  Names names;
  for (const ParameterName& name : hugging_face_names(config)) names[name.ours].push_back(name);
  return names;
}

inline void check_gradient(const GoldenCase& c, const ParameterName& name, const Tensor& ours, double whole) {
  const auto theirs = c.floats("grad." + name.theirs);
  require(ours.size() == static_cast<Dim>(theirs.size()), "grad.", name.theirs, " has another size");
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    const double d = ours.data<double>()[i] - static_cast<double>(theirs[i]);
    difference += d * d;
    norm += static_cast<double>(theirs[i]) * theirs[i];
  }
  // The gradient of a key's bias is zero except for rounding, so a relative error has no meaning.
  const double limit = std::sqrt(norm) < 1e-7 * whole ? 1e-6 * whole : 1e-5 * std::sqrt(norm);
  const bool holds_keys = name.theirs.ends_with("c_attn.bias") || name.theirs.ends_with("k_proj.bias");
  require(std::sqrt(difference) <= (holds_keys ? std::max(limit, 1e-6 * whole) : limit), "grad.", name.theirs,
          " differs by ", std::sqrt(difference), " of ", std::sqrt(norm));
}

/// Every parameter's gradient; the case must not have others.
inline void check_gradients(const GoldenCase& c, FlatParameters& parameters, const Names& names) {
  double whole = 0;
  for (const auto& entry : parameters.entries()) {
    if (entry.frozen) continue;
    const Tensor gradient = FlatParameters::gradient(entry).to(DType::kF64);
    for (const double g : gradient.span<double>()) whole += g * g;
  }
  std::size_t checked = 0, expected = 0;
  for (const auto& entry : parameters.entries()) {
    if (entry.frozen) continue;
    const Tensor gradient = FlatParameters::gradient(entry);
    for (const ParameterName& name : names.at(entry.name)) {
      check_gradient(c, name, as_theirs(name, gradient), std::sqrt(whole));
      ++checked;
    }
  }
  for (const SafetensorsEntry& entry : c.tensors.tensors()) expected += entry.name.starts_with("grad.") ? 1 : 0;
  require(checked == expected, checked, " gradients are there, expected ", expected);
}

/// Three AdamW updates, with the loss before each.
inline void check_updates(const GoldenCase& c, AnyNetwork& network, FlatParameters& parameters, const Names& names,
                          const Batch& batch) {
  const JsonFields fields(c.expected, "expected.json");
  const JsonFields adamw = fields.object("adamw");
  Optimizer optimizer(parameters, {.kind = OptimizerKind::kAdamW,
                                   .beta1 = adamw.number("beta1"),
                                   .beta2 = adamw.number("beta2"),
                                   .epsilon = adamw.number("epsilon"),
                                   .weight_decay = adamw.number("weight_decay")});
  std::size_t decayed = 0;
  for (const auto& entry : parameters.entries()) decayed += entry.decayed ? names.at(entry.name).size() : 0;
  require(decayed == fields.array("decayed").size(), decayed, " parameters decay, expected ",
          fields.array("decayed").size());
  const Json& losses = fields.array("losses");
  const Json& norms = fields.array("grad_norm");
  // Outputs are about 1. In f32, a loss that is much smaller has fewer correct digits than they have.
  const double least = parameters.dtype() == DType::kF64 ? 0 : 1;
  for (std::size_t step = 0; step < losses.size(); ++step) {
    if (step > 0) {
      const double expected = losses[step].get<double>();
      require_loss("the loss of a later update", loss_and_gradients(c, network, batch), expected,
                   1e-6 * std::max(1.0, least / std::abs(expected)));
    }
    const double norm = gradient_norm(parameters);
    require(std::abs(norm - norms[step].get<double>()) <= 1e-5 * norm, "grad_norm ", step, " is ", norm, ", expected ",
            norms[step].get<double>());
    optimizer.update(adamw.number("learning_rate"), clip_factor(norm, adamw.number("clip")));
  }
  for (const auto& entry : parameters.entries()) {
    if (entry.frozen) continue;
    for (const ParameterName& name : names.at(entry.name)) {
      require_close("after3." + name.theirs, as_theirs(name, entry.variable.value()), c.floats("after3." + name.theirs),
                    1e-5);
    }
  }
}

}  // namespace rapt::testing
