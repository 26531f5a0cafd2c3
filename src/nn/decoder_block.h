// One layer of the decoder of an encoder-decoder: self-attention, attention to the encoder's output, and feed-forward,
// each added to the residual. Vaswani et al. 2017, arXiv 1706.03762, section 3.1.
#pragma once

#include <functional>
#include <vector>

#include "nn/block.h"

namespace rapt {

class DecoderBlock final : public Module {
 public:
  /// \param options  as of an encoder's block; its mask is always causal. Adapters, rotary positions and parallel
  ///                 sublayers are not supported
  DecoderBlock(const TransformerBlock::Options& options, Initializer& init);

  /// \param x       [N, C]
  /// \param memory  [S, C], the encoder's output
  /// \return        [N, C]
  Variable forward(const Variable& x, const Stream& stream, const Variable& memory, const Packed& memory_layout,
                   Context& ctx) const;
  /// The same for tokens that continue sequences, without a backward pass.
  /// \param own      this layer's keys and values of earlier tokens; the new ones are appended
  /// \param layer    this layer's number in `sources`
  /// \param weights  as CrossAttention::forward_cached()
  Variable forward_cached(const Variable& x, const Stream& stream, KeyValueCache::Layer& own,
                          const SourceCache& sources, std::size_t layer, std::vector<float>* weights,
                          Context& ctx) const;
  const SelfAttention& self_attention() const { return self_attention_; }
  const CrossAttention& cross_attention() const { return cross_attention_; }
  void visit(ParameterVisitor& v) override;

 private:
  using Attend = std::function<Variable(const Variable& x)>;
  Variable run(const Variable& x, const Attend& attend_self, const Attend& attend_source, Context& ctx) const;

  NormPlacement placement_;
  double dropout_;
  LayerNorm norm1_, norm2_, norm3_;
  SelfAttention self_attention_;
  CrossAttention cross_attention_;
  FeedForward feed_forward_;
};

}  // namespace rapt
