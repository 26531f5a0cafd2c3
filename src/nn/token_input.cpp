#include "nn/token_input.h"

#include <cmath>
#include <string>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/embedding.h"
#include "tensor/error.h"

namespace rapt {

TokenInput::TokenInput(const Options& o, Initializer& init) : options_(o) {
  if (o.positions == PositionKind::kLearned) {
    positions_.emplace(
        Embedding::Options{.rows = o.context + o.position_offset, .width = o.width, .std = o.position_std}, init);
  } else if (is_sinusoidal(o.positions)) {
    const bool halves = o.positions == PositionKind::kSinusoidalHalves;
    sinusoids_ = sinusoidal_positions(o.context, o.width, halves, init.dtype());
  }
  if (o.norm) norm_.emplace(LayerNorm::Options{.width = o.width, .epsilon = o.norm_epsilon}, init);
}

static Tensor shifted(const Tensor& positions, Dim offset) {
  if (offset == 0) return positions;
  Tensor rows = positions.clone();
  for (std::int32_t& row : rows.span<std::int32_t>()) row += static_cast<std::int32_t>(offset);
  return rows;
}

Variable TokenInput::forward(const Stream& stream, const Variable& tokens, Context& ctx) const {
  require_shape(stream.layout.longest <= options_.context, [&] {
    return std::string(options_.model) + ": a sequence of " + std::to_string(stream.layout.longest) +
           " tokens does not fit the context of " + std::to_string(options_.context) +
           "; shorten it or raise --context";
  });
  const Variable table = positions_ ? positions_->weight() : Variable(sinusoids_);
  const EmbeddingLookup positions = {shifted(stream.positions, options_.position_offset), table};
  const EmbeddingLookup words = {stream.tokens, tokens, options_.padding};
  Variable x;  // [N, C]
  if (options_.scale) {
    x = scale(embedding({words}), std::sqrt(static_cast<double>(options_.width)));
    x = x + embedding({positions});
  } else {
    x = embedding({words, positions});
  }
  if (norm_) x = norm_->forward(x);
  return Dropout(options_.dropout).forward(x, ctx);
}

void TokenInput::visit(ParameterVisitor& v) {
  if (positions_) v.child("positions", *positions_);
  if (norm_) v.child("norm", *norm_);
}

}  // namespace rapt
