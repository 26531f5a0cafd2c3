#include "nn/models/gpt.h"

#include <cmath>

#include "autograd/ops/dropout.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/linear_cross_entropy.h"
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

SelfAttention::Options attention_options(const GptConfig& c, Dim layer) {
  return {.width = c.width,
          .heads = c.heads,
          .mask = AttentionMask::kCausal,
          .bias = c.bias,
          .scale = attention_scale(c, layer),
          .dropout = c.attention_dropout,
          .rotary = c.positions == PositionKind::kRotary ? std::optional(Rotary{}) : std::nullopt,
          .std = c.init_std,
          .out_std = residual_std(c)};
}

constexpr std::uint32_t kSitesPerBlock = 16;  // dropouts of a block start at a multiple of this, whatever came before

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
  const auto positive = [](const char* name, Dim value) {
    if (value < 1) throw UsageError(std::string("gpt: ") + name + " must be at least 1, got " + std::to_string(value));
  };
  positive("vocabulary", c.vocabulary);
  positive("context", c.context);
  positive("width", c.width);
  positive("layers", c.layers);
  positive("heads", c.heads);
  positive("feed-forward", c.inner_width());
  if (c.width % c.heads != 0) {
    throw UsageError("gpt: heads must divide width, got width " + std::to_string(c.width) + " and heads " +
                     std::to_string(c.heads));
  }
}

GptBlock::GptBlock(const GptConfig& c, Dim layer, Initializer& init)
    : placement_(c.norm),
      dropout_(c.residual_dropout),
      norm1_({.width = c.width, .epsilon = c.norm_epsilon, .bias = c.bias}, init),
      norm2_({.width = c.width, .epsilon = c.norm_epsilon, .bias = c.bias}, init),
      attention_(attention_options(c, layer), init),
      feed_forward_({.width = c.width,
                     .inner = c.inner_width(),
                     .activation = c.activation,
                     .bias = c.bias,
                     .std = c.init_std,
                     .out_std = residual_std(c)},
                    init) {}

Variable GptBlock::forward(const Variable& x, const Batch& batch, Context& ctx, KeyValueCache::Layer* cache) const {
  const auto attend = [&](const Variable& in) {
    return attention_.forward(in, batch.layout, batch.positions, ctx, cache);  // [N, C]
  };
  if (placement_ == NormPlacement::kPost) {
    const Variable h = norm1_.forward(attend(x), x, dropout_, ctx).normed;     // [N, C]
    return norm2_.forward(feed_forward_.forward(h), h, dropout_, ctx).normed;  // [N, C]
  }
  const ResidualNorm h = norm2_.forward(attend(norm1_.forward(x)), x, dropout_, ctx);  // [N, C] twice
  return Dropout(dropout_).forward(feed_forward_.forward(h.normed), h.sum, ctx);       // [N, C]
}

void GptBlock::visit(ParameterVisitor& v) {
  v.child("norm1", norm1_);
  v.child("attention", attention_);
  v.child("norm2", norm2_);
  v.child("feed_forward", feed_forward_);
}

Gpt::Gpt(const GptConfig& config, Initializer& init)
    : config_((check(config), config)),
      tokens_({.rows = config.vocabulary, .width = config.width, .std = config.init_std}, init) {
  const GptConfig& c = config_;
  if (c.positions == PositionKind::kLearned) {
    positions_.emplace_back(Embedding::Options{.rows = c.context, .width = c.width, .std = c.position_std}, init);
  } else if (c.positions == PositionKind::kSinusoidal) {
    sinusoids_ = sinusoidal_positions(c.context, c.width, false, init.dtype());
  }
  for (Dim layer = 0; layer < c.layers; ++layer) blocks_.emplace_back(c, layer, init);
  if (c.norm == NormPlacement::kPre) {
    norm_.emplace_back(LayerNorm::Options{.width = c.width, .epsilon = c.norm_epsilon, .bias = c.bias}, init);
  }
  if (!c.tied_head) head_ = init.normal({c.vocabulary, c.width}, c.init_std);
}

const Variable& Gpt::head() const { return config_.tied_head ? tokens_.weight() : head_; }

Gpt::Tables Gpt::tables(Context& ctx) const {
  Tables t{.tokens = tokens_.weight(), .positions = Variable()};
  if (!positions_.empty()) t.positions = positions_[0].weight();
  if (sinusoids_.defined()) t.positions = Variable(sinusoids_);
  if (ctx.training && config_.dropout_on_table && config_.embedding_dropout > 0) {
    t.tokens = dropout(t.tokens, config_.embedding_dropout, ctx.table_dropout_key());
    if (!positions_.empty()) t.positions = dropout(t.positions, config_.embedding_dropout, ctx.table_dropout_key());
  }
  return t;
}

Variable Gpt::embed(const Batch& batch, const Tables& tables, Context& ctx) const {
  std::vector<EmbeddingLookup> lookups = {{batch.tokens, tables.tokens}};
  if (tables.positions.defined()) lookups.push_back({batch.positions, tables.positions});
  const Variable x = embedding(lookups);  // [N, C]
  return config_.dropout_on_table ? x : Dropout(config_.embedding_dropout).forward(x, ctx);
}

void Gpt::check_lengths(const Batch& batch) const {
  if (batch.layout.longest <= config_.context) return;
  throw ShapeError("gpt: a sequence of " + std::to_string(batch.layout.longest) +
                   " tokens does not fit the context of " + std::to_string(config_.context) +
                   "; shorten it or raise --context");
}

Variable Gpt::run(Variable x, const Batch& batch, Context& ctx, KeyValueCache* cache,
                  std::vector<Tensor>* trace) const {
  if (trace != nullptr) trace->push_back(x.value());
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    ctx.site = kSitesPerBlock * static_cast<std::uint32_t>(i + 1);
    const GptBlock& block = blocks_[i];
    if (ctx.recompute && ctx.training) {
      x = recompute(
          [&block, batch, at = ctx](const Variable& in) {
            Context again = at;
            return block.forward(in, batch, again, nullptr);
          },
          x);
    } else {
      x = block.forward(x, batch, ctx, cache == nullptr ? nullptr : &cache->layer(i));
    }
    if (trace != nullptr && (i + 1 < blocks_.size() || norm_.empty())) trace->push_back(x.value());
  }
  if (!norm_.empty()) x = norm_[0].forward(x);
  if (trace != nullptr && !norm_.empty()) trace->push_back(x.value());
  if (cache != nullptr) cache->advance(batch.layout);
  return x;
}

Variable Gpt::hidden(const Batch& batch, Context& ctx, KeyValueCache* cache, std::vector<Tensor>* trace) const {
  check_lengths(batch);
  const Tables t = tables(ctx);
  return run(embed(batch, t, ctx), batch, ctx, cache, trace);
}

Variable Gpt::logits(const Variable& hidden) const { return linear(hidden, head(), Variable()); }

Variable Gpt::loss(const Batch& batch, Context& ctx, double scale, double label_smoothing) const {
  check_lengths(batch);
  const Tables t = tables(ctx);
  const Variable x = run(embed(batch, t, ctx), batch, ctx, nullptr, nullptr);  // [N, C]
  return linear_cross_entropy(x, config_.tied_head ? t.tokens : head_, Variable(), batch.target_rows, batch.targets,
                              {.label_smoothing = label_smoothing, .scale = scale});
}

Tensor Gpt::log_probabilities(const Batch& batch) const {
  const NoGrad no_grad;
  Context ctx;
  const Variable x = hidden(batch, ctx);  // [N, C]
  return target_log_probabilities(x.value(), head().value(), Tensor(), batch.target_rows, batch.targets);
}

void Gpt::visit(ParameterVisitor& v) {
  v.child("tokens", tokens_);
  if (!positions_.empty()) v.child("positions", positions_[0]);
  v.children("blocks", blocks_);
  if (!norm_.empty()) v.child("norm", norm_[0]);
  v.parameter("head.weight", head_);
}

}  // namespace rapt
