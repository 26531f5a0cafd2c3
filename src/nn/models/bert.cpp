#include "nn/models/bert.h"

#include <string>

#include "autograd/ops/embedding.h"
#include "nn/models/bert_pretraining.h"
#include "nn/neighbours.h"
#include "tensor/error.h"

namespace rapt {
namespace {

constexpr Dim kHeadWidth = 64;  // in all published sizes

TransformerBlock::Options block_options(const BertConfig& c) {
  return {.width = c.width,
          .heads = c.heads,
          .inner = c.inner_width(),
          .norm = NormPlacement::kPost,
          .mask = AttentionMask::kNone,
          .activation = c.activation,
          .norm_epsilon = c.norm_epsilon,
          .attention_dropout = c.attention_dropout,
          .residual_dropout = c.hidden_dropout,
          .std = c.spread(),
          .out_std = c.spread(),
          .lora = c.lora};
}

}  // namespace

BertConfig BertConfig::of_size(Dim layers, Dim width) {
  BertConfig c;
  c.layers = layers;
  c.width = width;
  c.heads = width / kHeadWidth;
  return c;
}

void check(const BertConfig& c) {
  check_sizes("bert",
              {{"vocabulary", c.vocabulary},
               {"context", c.context},
               {"width", c.width},
               {"layers", c.layers},
               {"heads", c.heads},
               {"feed-forward", c.inner_width()},
               {"segments", c.segments}},
              c.width, c.heads);
}

std::unique_ptr<Backbone> make_backbone(const BertConfig& config, Initializer& init) {
  return std::make_unique<Bert>(config, init);
}

std::unique_ptr<Network> make_network(const BertConfig& config, Objective objective, Initializer& init) {
  if (!masks_words(objective)) {
    throw UsageError(
        "network: a BERT needs a masked-word head, a task head or none; it does not predict the next token");
  }
  return std::make_unique<BertPretraining>(config, init);
}

TaskConfig task_config(Task task, Dim outputs, const BertConfig& backbone) {
  return {.task = task,
          .outputs = outputs,
          .dropout = task == Task::kQuestion ? 0 : backbone.hidden_dropout,
          .init_std = backbone.init_std};
}

void fit_to(BertConfig& config, Objective objective, const TaskConfig& task) {
  if (objective == Objective::kNone) return;
  config.pooler = objective == Objective::kLabels ? task.judges_sequences() : objective != Objective::kMaskedWords;
}

Bert::Bert(const BertConfig& config, Initializer& init)
    : config_((check(config), config)),
      tokens_({.rows = config.vocabulary, .width = config.width, .std = config.spread()}, init),
      positions_({.rows = config.context, .width = config.width, .std = config.spread()}, init),
      segments_({.rows = config.segments, .width = config.width, .std = config.spread()}, init),
      norm_({.width = config.width, .epsilon = config.norm_epsilon}, init) {
  for (Dim layer = 0; layer < config.layers; ++layer) blocks_.emplace_back(block_options(config), init);
  if (config.neighbours && !init.is_unset()) {
    begin_with_neighbours(positions_.weight(), blocks_.front(), config.heads, config.init_std);
  }
  if (config.pooler) {  // not truncated, like a new pooler of transformers, the usual reference
    pooler_.emplace(Linear::Options{.in = config.width, .out = config.width, .std = config.init_std}, init);
  }
}

Variable Bert::embed(const Stream& input, Context& ctx) const {
  require_shape(input.layout.longest <= config_.context, [&] {
    return "bert: a sequence of " + std::to_string(input.layout.longest) + " tokens does not fit the context of " +
           std::to_string(config_.context) + "; shorten it or raise --context";
  });
  const Tensor segments = input.segments.defined() ? input.segments : Tensor::zeros(input.tokens.shape(), DType::kI32);
  const Variable sum = embedding(
      {{input.tokens, tokens_.weight()}, {input.positions, positions_.weight()}, {segments, segments_.weight()}});
  return Dropout(config_.hidden_dropout).forward(norm_.forward(sum), ctx);  // [N, C]
}

Variable Bert::states(const Batch& batch, Context& ctx, std::vector<Tensor>* trace) const {
  const Stream& input = batch.input;
  return run_blocks(blocks_, embed(input, ctx), input, ctx, nullptr, trace);
}

const Linear& Bert::pooler() const {
  if (!pooler_)
    throw std::invalid_argument("bert: a prediction for a whole sequence needs a pooler, which this network lacks");
  return *pooler_;
}

Variable Bert::pooled(const Variable& states, const Packed& layout) const {
  return pooler().forward(gather_rows(states, first_rows(layout)), Activation::kTanh);
}

Variable Bert::sequence_vectors(const Batch& batch, Context& ctx) const {
  const Stream& input = batch.input;
  const Linear& dense = pooler();
  return dense.forward(run_blocks_at(blocks_, embed(input, ctx), input, first_rows(input.layout), ctx),
                       Activation::kTanh);
}

void Bert::visit(ParameterVisitor& v) {
  v.child("tokens", tokens_);
  v.child("positions", positions_);
  v.child("segments", segments_);
  v.child("norm", norm_);
  v.children("blocks", blocks_);
  if (pooler_) v.child("pooler", *pooler_);
}

}  // namespace rapt
