#include "nn/models/bert_pretraining.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/linear_cross_entropy.h"

namespace rapt {

BertPretraining::BertPretraining(const BertConfig& config, Initializer& init)
    : bert_(config, init),
      dense_({.in = config.width, .out = config.width, .std = config.spread()}, init),
      norm_({.width = config.width, .epsilon = config.norm_epsilon}, init),
      bias_(init.zeros({config.vocabulary})) {
  if (config.pooler) {
    next_sentence_.emplace(Linear::Options{.in = config.width, .out = 2, .std = config.spread()}, init);
  }
}

// The input of the product with the token table: rows of states after a dense layer and a norm. [M, C]
Variable BertPretraining::transformed(const Variable& states, const Tensor& rows) const {
  return norm_.forward(dense_.forward(gather_rows(states, rows), config().activation));
}

Variable BertPretraining::loss(const Batch& batch, const LossShare& share, Context& ctx) const {
  const Variable states = bert_.states(batch, ctx);                // [N, C]
  const Variable words = transformed(states, batch.targets.rows);  // [M, C]
  const Variable word_loss =
      linear_cross_entropy(words, bert_.token_table(), bias_, all_rows(batch.targets.count()), batch.targets.ids,
                           {.label_smoothing = share.label_smoothing, .scale = 1 / share.targets});
  if (!has_next_sentence()) return word_loss;
  const Dim B = batch.input.layout.sequences();
  const Tensor& random_next = labels_as<ClassLabels>(batch.labels, {B}, "next sentence");
  const Linear& head = *next_sentence_;
  return word_loss + linear_cross_entropy(bert_.pooled(states, batch.input.layout), head.weight(), head.bias(),
                                          all_rows(B), random_next, {.scale = 1 / share.sequences});
}

BertPretraining::Scores BertPretraining::scores(const Batch& batch) const {
  const NoGrad no_grad;
  Context ctx;
  const Variable states = bert_.states(batch, ctx);  // [N, C]
  Scores scores;
  scores.log_probabilities =
      target_log_probabilities(transformed(states, batch.targets.rows).value(), bert_.token_table().value(),
                               bias_.value(), all_rows(batch.targets.count()), batch.targets.ids, &scores.predicted);
  if (has_next_sentence()) {
    scores.next_sentence = next_sentence_->forward(bert_.pooled(states, batch.input.layout)).value();
  }
  return scores;
}

Tensor BertPretraining::word_logits(const Stream& input, const Tensor& rows) const {
  const NoGrad no_grad;
  Context ctx;
  const Variable words = transformed(bert_.states({.input = input}, ctx), rows);  // [M, C]
  return linear(words, bert_.token_table(), bias_).value();
}

void BertPretraining::visit(ParameterVisitor& v) {
  v.child("backbone", bert_);
  v.child("words.dense", dense_);
  v.child("words.norm", norm_);
  v.parameter("words.bias", bias_);
  if (has_next_sentence()) v.child("next_sentence", *next_sentence_);
}

}  // namespace rapt
