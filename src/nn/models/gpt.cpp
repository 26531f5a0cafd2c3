#include "nn/models/gpt.h"

#include <cmath>
#include <string>

#include "autograd/ops/dropout.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/linear.h"
#include "nn/dropout.h"
#include "nn/models/language_model.h"
#include "tensor/error.h"

namespace rapt {
namespace {

// GPT-2 section 2.3: "scale the weights of residual layers at initialization by a factor of 1/sqrt(N)", N residual
// layers.
double residual_std(const GptConfig& c) {
  return c.scale_residual_init ? c.init_std / std::sqrt(2.0 * static_cast<double>(c.layers)) : c.init_std;
}

double attention_scale(const GptConfig& c, Dim layer) {
  double scale = c.scale_attention ? 1.0 / std::sqrt(static_cast<double>(c.width / c.heads)) : 1.0;
  if (c.scale_attention_by_inverse_layer) scale /= static_cast<double>(layer + 1);
  return scale;
}

std::optional<Rotary> rotary_options(const GptConfig& c) {
  if (c.positions != PositionKind::kRotary) return std::nullopt;
  return Rotary{.base = c.rotary_base, .width = c.rotary_width()};
}

TransformerBlock::Options block_options(const GptConfig& c, Dim layer) {
  return {.width = c.width,
          .heads = c.heads,
          .inner = c.inner_width(),
          .norm = c.norm,
          .parallel = c.parallel_residual,
          .mask = AttentionMask::kCausal,
          .activation = c.activation,
          .bias = c.bias,
          .norm_epsilon = c.norm_epsilon,
          .attention_scale = attention_scale(c, layer),
          .rotary = rotary_options(c),
          .attention_dropout = c.attention_dropout,
          .residual_dropout = c.residual_dropout,
          .std = c.init_std,
          .out_std = residual_std(c),
          .lora = c.lora};
}

}  // namespace

GptConfig GptConfig::gpt1() {
  GptConfig c;
  c.vocabulary = 40478;
  c.context = 512;
  c.norm = NormPlacement::kPost;
  c.embedding_dropout = c.attention_dropout = c.residual_dropout = 0.1;
  c.dropout_on_table = true;
  c.position_std = 0.02;
  c.scale_residual_init = false;
  return c;
}

void check(const GptConfig& c) {
  check_sizes("gpt",
              {{"vocabulary", c.vocabulary},
               {"context", c.context},
               {"width", c.width},
               {"layers", c.layers},
               {"heads", c.heads},
               {"feed-forward", c.inner_width()}},
              c.width, c.heads);
  if (c.positions != PositionKind::kRotary) return;
  if (const Dim turned = c.rotary_width(); turned < 2 || turned % 2 != 0) {
    throw UsageError("gpt: rotary positions must rotate an even number of a head's columns, got " +
                     std::to_string(turned) + " of " + std::to_string(c.width / c.heads));
  }
}

std::unique_ptr<Backbone> make_backbone(const GptConfig& config, Initializer& init) {
  return std::make_unique<Gpt>(config, init);
}

std::unique_ptr<Network> make_network(const GptConfig& config, Objective objective, Initializer& init) {
  if (objective != Objective::kNextToken) throw UsageError("network: a GPT needs a language-model head or a task head");
  return std::make_unique<LanguageModel>(std::make_unique<Gpt>(config, init));
}

TaskConfig task_config(Task task, Dim outputs, const GptConfig& backbone) {
  const bool with_bias = task == Task::kTag || task == Task::kQuestion || task == Task::kChoice;
  return {.task = task,
          .outputs = outputs,
          .dropout = task == Task::kQuestion ? 0 : backbone.residual_dropout,
          .bias = with_bias,
          .init_std = backbone.init_std};
}

Gpt::Gpt(const GptConfig& config, Initializer& init)
    : config_((check(config), config)),
      tokens_({.rows = config.vocabulary, .width = config.width, .std = config.init_std}, init) {
  const GptConfig& c = config_;
  if (c.positions == PositionKind::kLearned) {
    positions_.emplace(Embedding::Options{.rows = c.context, .width = c.width, .std = c.position_std}, init);
  } else if (is_sinusoidal(c.positions)) {
    sinusoids_ = sinusoidal_positions(c.context, c.width, c.positions == PositionKind::kSinusoidalHalves, init.dtype());
  }
  for (Dim layer = 0; layer < c.layers; ++layer) blocks_.emplace_back(block_options(c, layer), init);
  if (c.norm == NormPlacement::kPre) {
    norm_.emplace(LayerNorm::Options{.width = c.width, .epsilon = c.norm_epsilon, .bias = c.bias}, init);
  }
  if (!c.tied_head) head_ = init.normal({c.vocabulary, c.width}, c.init_std);
}

const Variable& Gpt::head() const { return config_.tied_head ? tokens_.weight() : head_; }

Gpt::Tables Gpt::tables(Context& ctx) const {
  Tables t{.tokens = tokens_.weight(), .positions = Variable()};
  if (positions_) t.positions = positions_->weight();
  if (sinusoids_.defined()) t.positions = Variable(sinusoids_);
  if (ctx.training && config_.dropout_on_table && config_.embedding_dropout > 0) {
    t.tokens = dropout(t.tokens, config_.embedding_dropout, ctx.table_dropout_key());
    if (positions_) t.positions = dropout(t.positions, config_.embedding_dropout, ctx.table_dropout_key());
  }
  return t;
}

Variable Gpt::embed(const Stream& input, const Tables& tables, Context& ctx) const {
  require_shape(input.layout.longest <= config_.context, [&] {
    return "gpt: a sequence of " + std::to_string(input.layout.longest) + " tokens does not fit the context of " +
           std::to_string(config_.context) + "; shorten it or raise --context";
  });
  std::vector<EmbeddingLookup> lookups = {{input.tokens, tables.tokens}};
  if (tables.positions.defined()) lookups.push_back({input.positions, tables.positions});
  const Variable x = embedding(lookups);  // [N, C]
  return config_.dropout_on_table ? x : Dropout(config_.embedding_dropout).forward(x, ctx);
}

Variable Gpt::run(const Stream& input, const Tables& tables, Context& ctx, KeyValueCache* cache,
                  std::vector<Tensor>* trace) const {
  Variable x = run_blocks(blocks_, embed(input, tables, ctx), input, ctx, cache, trace);  // [N, C]
  if (!norm_) return x;
  x = norm_->forward(x);
  if (trace != nullptr) trace->back() = x.value();
  return x;
}

Variable Gpt::states(const Batch& batch, Context& ctx, std::vector<Tensor>* trace) const {
  return run(batch.input, tables(ctx), ctx, nullptr, trace);
}

Variable Gpt::states(const Stream& input, Context& ctx, KeyValueCache& cache) const {
  return run(input, tables(ctx), ctx, &cache, nullptr);
}

Variable Gpt::pooled(const Variable& states, const Packed& layout) const {
  return gather_rows(states, last_rows(layout));
}

Variable Gpt::sequence_vectors(const Batch& batch, Context& ctx) const {
  const Stream& input = batch.input;
  const Variable x = embed(input, tables(ctx), ctx);                                     // [N, C]
  const Variable last = run_blocks_at(blocks_, x, input, last_rows(input.layout), ctx);  // [B, C]
  return norm_ ? norm_->forward(last) : last;
}

Variable Gpt::logits(const Variable& states) const { return linear(states, head(), Variable()); }

NextTokenBackbone::StatesAndHead Gpt::states_and_head(const Batch& batch, Context& ctx) const {
  const Tables t = tables(ctx);
  return {.states = run(batch.input, t, ctx, nullptr, nullptr), .head = config_.tied_head ? t.tokens : head_};
}

const Gpt& gpt_of(const Network& network) {
  if (const auto* const gpt = dynamic_cast<const Gpt*>(&network.backbone())) return *gpt;
  throw UsageError("model: must be a GPT to generate text, got another network");
}

void Gpt::visit(ParameterVisitor& v) {
  v.child("tokens", tokens_);
  if (positions_) v.child("positions", *positions_);
  v.children("blocks", blocks_);
  if (norm_) v.child("norm", *norm_);
  v.parameter("head.weight", head_);
}

}  // namespace rapt
