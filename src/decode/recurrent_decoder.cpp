#include "decode/recurrent_decoder.h"

#include <numeric>
#include <stdexcept>
#include <string>

#include "autograd/ops/embedding.h"
#include "tensor/matmul.h"

namespace rapt {

RecurrentDecoder::RecurrentDecoder(const Recurrent& model, std::size_t sequences, const Stream* source)
    : model_(model), sequences_(sequences) {
  if (!model.config().encoder) return;
  const Dim given = source == nullptr ? 0 : source->layout.sequences();
  if (given != static_cast<Dim>(sequences)) {
    throw std::invalid_argument("decoder: each of " + std::to_string(sequences) +
                                " sequences must have a source, got " + std::to_string(given));
  }
  const NoGrad no_grad;
  const SteadyProducts steady;
  Context ctx;
  sources_ = model.encode(*source, ctx);
  sources_->memory.sequences.resize(sequences);
  std::iota(sources_->memory.sequences.begin(), sources_->memory.sequences.end(), 0);
  state_.layers = sources_->start;
}

bool RecurrentDecoder::keep_attention() {
  keeps_attention_ = model_.config().attends();
  return keeps_attention_;
}

Tensor RecurrentDecoder::advance(const TokenLists& tokens) {
  const NoGrad no_grad;
  const SteadyProducts steady;
  const Stream stream = continued_stream(tokens, std::vector<Dim>(tokens.size(), 0));
  Context ctx;
  Recurrent::Decoded decoded = model_.decode(stream, sources_ ? &*sources_ : nullptr, state_, ctx);
  state_ = std::move(decoded.last);
  if (keeps_attention_) take_attention(tokens, decoded.weights.to(DType::kF32));
  return model_.logits(model_.pooled(decoded.states, stream.layout)).value().to(DType::kF32);  // [B, V]
}

// The weights of each sequence's last token.
void RecurrentDecoder::take_attention(const TokenLists& tokens, const Tensor& weights) {
  const auto offsets = sources_->memory.layout.offsets.span<std::int32_t>();
  attention_ = {.offsets = {0}, .weights = {}};
  const float* end = weights.data<float>();
  for (std::size_t b = 0; b < tokens.size(); ++b) {
    const auto source = static_cast<std::size_t>(sources_->memory.sequences[b]);
    const std::int32_t S = offsets[source + 1] - offsets[source];
    end += static_cast<Dim>(tokens[b].size()) * S;
    attention_.weights.insert(attention_.weights.end(), end - S, end);
    attention_.offsets.push_back(attention_.weights.size());
  }
}

void RecurrentDecoder::reorder(std::span<const Dim> from) {
  const NoGrad no_grad;
  const std::vector<std::int32_t> rows(from.begin(), from.end());
  const Tensor indices = Tensor::from(rows, {static_cast<Dim>(rows.size())});
  const auto moved = [&](const Variable& state) { return state.defined() ? gather_rows(state, indices) : state; };
  for (RecurrentState& state : state_.layers) state = {.h = moved(state.h), .c = moved(state.c)};
  if (state_.fed.defined()) state_.fed = moved(Variable(state_.fed)).value();
  if (sources_) {
    std::vector<std::int32_t> sources;
    for (const Dim b : from) sources.push_back(sources_->memory.sequences[static_cast<std::size_t>(b)]);
    sources_->memory.sequences = std::move(sources);
  }
  sequences_ = from.size();
}

}  // namespace rapt
