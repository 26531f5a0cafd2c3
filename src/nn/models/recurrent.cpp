#include "nn/models/recurrent.h"

#include <stdexcept>
#include <string>

#include "autograd/ops/concat.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/sequence_attention.h"
#include "nn/attention_record.h"
#include "nn/dropout.h"
#include "nn/models/language_model.h"
#include "tensor/error.h"

namespace rapt {
namespace {

RecurrentSpread spread_of(const RecurrentConfig& c) { return {.std = c.init_std, .range = c.init_range}; }

RecurrentStack::Options encoder_options(const RecurrentConfig& c) {
  return {.cell = c.cell,
          .in = c.embedding(),
          .width = c.width,
          .layers = c.layers,
          .bidirectional = c.bidirectional,
          .bias = c.bias,
          .dropout = c.layer_dropout,
          .spread = spread_of(c)};
}

RecurrentStack::Options decoder_options(const RecurrentConfig& c) {
  return {.cell = c.cell,
          .in = c.embedding() + c.fed_width(),
          .width = c.width,
          .layers = c.decoder_depth(),
          .bias = c.bias,
          .dropout = c.layer_dropout,
          .spread = spread_of(c)};
}

// The source of each row: [N] i32.
Tensor sources_of(const Packed& layout, const AttentionMemory& memory) {
  Tensor sources = sequences_of(layout);
  if (memory.sequences.empty()) return sources;
  for (std::int32_t& source : sources.span<std::int32_t>()) source = memory.sequences[static_cast<std::size_t>(source)];
  return sources;
}

// The state in both directions as one of width C, if there is one.
Variable bridged(const Variable& state, const Variable& bridge, const Variable& bias) {
  if (!state.defined() || !bridge.defined()) return state;
  return linear(state, bridge, bias, Activation::kTanh);
}

}  // namespace

Dim RecurrentConfig::fed_width() const {
  if (attention == RecurrentAttention::kContext || input_feeding) return width;
  return attention == RecurrentAttention::kAdditive ? memory_width() : 0;
}

Dim RecurrentConfig::state_width() const {
  if (attention == RecurrentAttention::kContext) return embedding() + 2 * width;
  return attention == RecurrentAttention::kAdditive ? width + memory_width() + embedding() : width;
}

void check(const RecurrentConfig& c) {
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw UsageError("recurrent: " + message);
  };
  const std::pair<const char*, Dim> extents[] = {{"vocabulary", c.vocabulary}, {"context", c.context},
                                                 {"width", c.width},           {"embedding width", c.embedding()},
                                                 {"layers", c.layers},         {"decoder layers", c.decoder_depth()}};
  for (const auto& [name, extent] : extents) {
    require(extent >= 1, std::string(name) + " must be at least 1, got " + std::to_string(extent));
  }
  require(c.encoder || (c.attention == RecurrentAttention::kNone && !c.bidirectional),
          "attention and two directions need an encoder, got a language model");
  require(c.attention != RecurrentAttention::kDot || !c.bidirectional,
          "dot attention needs encoder states as wide as the decoder's, got both directions; use general attention");
  require(!c.input_feeding || c.is_luong(), "input feeding needs dot, general or concat attention");
  require(!c.tied_head || c.state_width() == c.embedding(),
          "a tied output layer must read as many columns as the embeddings have, got " +
              std::to_string(c.state_width()) + " and " + std::to_string(c.embedding()));
}

std::unique_ptr<Backbone> make_backbone(const RecurrentConfig& config, Initializer& init) {
  return std::make_unique<Recurrent>(config, init);
}

std::unique_ptr<Network> make_network(const RecurrentConfig& config, Objective objective, Initializer& init) {
  if (objective != (config.encoder ? Objective::kTargetText : Objective::kNextToken)) {
    throw UsageError(config.encoder
                         ? "network: a recurrent encoder-decoder predicts target texts and has no other head"
                         : "network: a recurrent language model predicts the next token and has no other head");
  }
  return std::make_unique<LanguageModel>(std::make_unique<Recurrent>(config, init));
}

TaskConfig task_config(Task task, Dim outputs, const RecurrentConfig& backbone) {
  return {.task = task, .outputs = outputs, .dropout = backbone.layer_dropout};
}

Recurrent::Recurrent(const RecurrentConfig& config, Initializer& init)
    : config_((check(config), config)),
      tokens_(spread_of(config).draw(init, {config.vocabulary, config.embedding()}, config.width)),
      decoder_(decoder_options(config), init) {
  const RecurrentConfig& c = config_;
  const Dim C = c.width, M = c.memory_width();
  const auto draw = [&](bool exists, const Shape& shape) {
    return exists ? spread_of(c).draw(init, shape, C) : Variable();
  };
  if (c.encoder) encoder_.emplace(encoder_options(c), init);
  source_tokens_ = draw(c.source_vocabulary > 0, {c.source_vocabulary, c.embedding()});
  bridge_ = draw(c.bidirectional, {C, 2 * C});
  bridge_bias_ = draw(c.bidirectional && c.bias, {C});
  key_ = draw(c.has_key(), {C, M});
  key_bias_ = draw(c.attention == RecurrentAttention::kAdditive && c.bias, {C});
  query_ = draw(c.has_score(), {C, C});
  score_ = draw(c.has_score(), {1, C});
  combine_ = draw(c.is_luong(), {C, C + M});
  head_ = draw(!c.tied_head, {c.vocabulary, c.state_width()});
  head_bias_ = draw(c.bias, {c.vocabulary});
}

Recurrent::Encoded Recurrent::encode(const Stream& source, Context& ctx, std::vector<Tensor>* trace) const {
  Context at = ctx;  // its dropouts are over rows of the source
  at.before.input = ctx.before.source;
  const Variable x = Dropout(config_.embedding_dropout).forward(embedding({{source.tokens, source_table()}}), at);
  if (trace != nullptr) trace->push_back(x.value());
  const RecurrentStack::Output output = encoder_->forward(x, source.layout, at, {}, trace);  // [S, M]
  ctx.site = at.site;

  const Variable keys = config_.has_key() ? linear(output.y, key_, key_bias_) : output.y;  // [S, C]
  Encoded encoded{.memory = {.keys = keys, .memory = output.y, .layout = source.layout}, .start = {}};
  // The top layers belong together if the stacks have different depths.
  const Dim above = config_.layers - config_.decoder_depth();
  for (Dim l = 0; l < config_.decoder_depth(); ++l) {
    const RecurrentState& last = output.last[static_cast<std::size_t>(std::max<Dim>(0, l + above))];
    encoded.start.push_back({.h = bridged(last.h, bridge_, bridge_bias_), .c = bridged(last.c, bridge_, bridge_bias_)});
  }
  return encoded;
}

// Attention of all steps at once, after all steps of the decoder.
Recurrent::Decoded Recurrent::attend_after(const Variable& y, const Stream& input, const Encoded& sources,
                                           const AttentiveState& from, Context& ctx) const {
  RecurrentStack::Output output = decoder_.forward(y, input.layout, ctx, from.layers);  // [N, C]
  const SequenceAttentionOutput attention =
      score_.defined() ? additive_attention(linear(output.y, query_), input.layout, score_, sources.memory)
                       : dot_attention(output.y, input.layout, sources.memory);
  const Variable both = concat_columns({output.y, attention.context});  // [N, C + M]
  return {.states = linear(both, combine_, {}, Activation::kTanh),
          .weights = attention.weights,
          .last = {.layers = std::move(output.last), .fed = {}}};
}

// Steps that depend on attention.
Recurrent::Decoded Recurrent::step_through(const Variable& y, const Stream& input, const Encoded& sources,
                                           const AttentiveState& from, Context& ctx) const {
  const AttentiveDecoder decoder{.cell = config_.cell,
                                 .layers = decoder_.weights(),
                                 .query = query_,
                                 .score = score_,
                                 .combine = combine_,
                                 .masks = decoder_.dropout_masks(input.layout.rows(), ctx)};
  AttentiveOutput output = attentive_recurrence(y, input.layout, decoder, sources.memory, from);
  const Variable states =
      config_.is_luong() ? output.states : concat_columns({output.states, output.contexts, y});  // [N, C + M + E]
  return {.states = states, .weights = output.weights, .last = std::move(output.last)};
}

Recurrent::Decoded Recurrent::decode(const Stream& input, const Encoded* sources, const AttentiveState& from,
                                     Context& ctx, std::vector<Tensor>* trace) const {
  const Variable y = Dropout(config_.embedding_dropout).forward(embedding({{input.tokens, tokens_}}), ctx);  // [N, E]
  if (trace != nullptr) trace->push_back(y.value());
  Decoded decoded;
  if (config_.attention == RecurrentAttention::kAdditive || config_.input_feeding) {
    decoded = step_through(y, input, *sources, from, ctx);
  } else if (config_.is_luong()) {
    decoded = attend_after(y, input, *sources, from, ctx);
  } else if (config_.attention == RecurrentAttention::kContext) {
    const Variable z = gather_rows(sources->start.back().h, sources_of(input.layout, sources->memory));  // [N, C]
    RecurrentStack::Output output = decoder_.forward(concat_columns({y, z}), input.layout, ctx, from.layers);
    decoded = {.states = concat_columns({y, output.y, z}), .weights = {}, .last = {std::move(output.last), {}}};
  } else {
    RecurrentStack::Output output = decoder_.forward(y, input.layout, ctx, from.layers);
    decoded = {.states = output.y, .weights = {}, .last = {std::move(output.last), {}}};
  }
  if (trace != nullptr) trace->push_back(decoded.states.value());
  if (AttentionRecord* const record = AttentionRecord::current(); record != nullptr && decoded.weights.defined()) {
    record->add_weights(AttentionKind::kCross, decoded.weights, input.layout, sources->memory.layout);
  }
  return decoded;
}

Recurrent::Decoded Recurrent::run(const Batch& batch, Context& ctx, std::vector<Tensor>* trace) const {
  if (!config_.encoder) return decode(batch.input, nullptr, {}, ctx, trace);
  if (!batch.source) {
    throw std::invalid_argument("recurrent: an encoder-decoder needs a source for each sequence, got none");
  }
  const Encoded sources = encode(*batch.source, ctx);
  return decode(batch.input, &sources, {.layers = sources.start, .fed = {}}, ctx, trace);
}

Variable Recurrent::states(const Batch& batch, Context& ctx, std::vector<Tensor>* trace) const {
  return run(batch, ctx, trace).states;
}

Variable Recurrent::pooled(const Variable& states, const Packed& layout) const {
  return gather_rows(states, last_rows(layout));
}

Variable Recurrent::sequence_vectors(const Batch& batch, Context& ctx) const {
  return pooled(states(batch, ctx), batch.input.layout);
}

NextTokenBackbone::StatesAndHead Recurrent::states_and_head(const Batch& batch, Context& ctx) const {
  return {.states = states(batch, ctx), .head = head(), .bias = head_bias_};
}

Variable Recurrent::logits(const Variable& states) const { return linear(states, head(), head_bias_); }

Tensor Recurrent::attention(const Batch& batch) const {
  const NoGrad no_grad;
  Context ctx;
  return run(batch, ctx, nullptr).weights;
}

void Recurrent::visit(ParameterVisitor& v) {
  v.parameter("tokens.weight", tokens_);
  v.parameter("source_tokens.weight", source_tokens_);
  if (encoder_) v.child("encoder", *encoder_);
  v.parameter("bridge.weight", bridge_);
  v.parameter("bridge.bias", bridge_bias_);
  v.child("decoder", decoder_);
  v.parameter("key.weight", key_);
  v.parameter("key.bias", key_bias_);
  v.parameter("query.weight", query_);
  v.parameter("score.weight", score_);
  v.parameter("combine.weight", combine_);
  v.parameter("head.weight", head_);
  v.parameter("head.bias", head_bias_);
}

}  // namespace rapt
