// One layer of a transformer: attention and feed-forward, each added to the residual. Vaswani et al. 2017, arXiv
// 1706.03762, section 3. Decoders (GPT) and encoders (BERT) are stacks of these.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "nn/attention.h"
#include "nn/feed_forward.h"
#include "nn/norm.h"

namespace rapt {

/// Where a block normalises: before its sublayers (GPT-2) or after adding them to the residual (GPT-1, BERT).
enum class NormPlacement { kPre, kPost };

/// Rejects impossible sizes: an extent below 1, or heads that do not divide the width.
/// \param model  name of the model, for messages
/// \throws UsageError
void check_sizes(const char* model, std::initializer_list<std::pair<const char*, Dim>> extents, Dim width, Dim heads);

class TransformerBlock final : public Module {
 public:
  struct Options {
    Dim width = 0, heads = 1;
    Dim inner = 0;  ///< width of the feed-forward layer
    NormPlacement norm = NormPlacement::kPost;
    bool parallel = false;  ///< with kPre: both sublayers see the block's input (GPT-J, GPT-NeoX)
    AttentionMask mask = AttentionMask::kNone;
    Activation activation = Activation::kGelu;
    bool gated = false;  ///< the feed-forward layer is gated
    bool bias = true;    ///< on linear layers and norms
    double norm_epsilon = 1e-5;
    double attention_scale = 0;  ///< factor of the scores; 0 means 1/sqrt(width / heads)
    std::optional<Rotary> rotary = {};
    double attention_dropout = 0, residual_dropout = 0;
    double activation_dropout = 0;                 ///< inside the feed-forward layer
    InitStd std = 0.02, out_std = 0.02;            ///< out_std: of the projections back into the residual
    std::optional<InitStd> feed_forward_std = {};  ///< of both feed-forward matrices; default: std and out_std
    LoraOptions lora = {};
  };

  TransformerBlock(const Options& options, Initializer& init);

  /// \param x      [N, C]
  /// \param cache  this layer's keys and values of earlier tokens, or null
  /// \return       [N, C]
  Variable forward(const Variable& x, const Stream& stream, Context& ctx, KeyValueCache::Layer* cache = nullptr) const;
  /// One row of forward() per sequence: everything after attention is computed for these rows only.
  /// \param rows  [B] i32, one row per sequence
  /// \return      [B, C]
  Variable forward_at(const Variable& x, const Stream& stream, const Tensor& rows, Context& ctx) const;
  const SelfAttention& attention() const { return attention_; }
  void visit(ParameterVisitor& v) override;

 private:
  Variable attention_input(const Variable& x) const;
  Variable behind_attention(const Variable& projected, const Variable& x, Context& ctx) const;

  NormPlacement placement_;
  bool parallel_;
  double dropout_;
  LayerNorm norm1_, norm2_;
  SelfAttention attention_;
  FeedForward feed_forward_;
};

/// \name The options of a block's parts, for every block that is made from these options @{
LayerNorm::Options norm_options(const TransformerBlock::Options& options);
SelfAttention::Options self_attention_options(const TransformerBlock::Options& options);
FeedForward::Options feed_forward_options(const TransformerBlock::Options& options);
/// @}

/// One pass of a block: its inputs, the first of which is its residual, to its output.
using BlockPass = std::function<Variable(std::span<const Variable> inputs, Context& ctx)>;
/// Runs the pass of block `index` of a network; as ctx says, its activations are kept or recomputed in the backward
/// pass. Each block has its own dropout sites, independent of what ran before it.
Variable run_block(const BlockPass& pass, const std::vector<Variable>& inputs, Context& ctx, std::size_t index);
/// Moves ctx to the dropout sites before those of block `index`.
void to_sites_of_block(Context& ctx, std::size_t index);

/// Runs x through all blocks; as ctx says, a block's activations are kept or recomputed in the backward pass. Each
/// block has its own dropout sites, independent of what ran before it, and so do the dropouts after the blocks.
///
/// \param x      [N, C]
/// \param cache  keys and values of earlier tokens of the same sequences; the new ones are appended
/// \param trace  receives x, then the states after each block
/// \return       [N, C]
Variable run_blocks(const std::vector<TransformerBlock>& blocks, Variable x, const Stream& stream, Context& ctx,
                    KeyValueCache* cache = nullptr, std::vector<Tensor>* trace = nullptr);
/// The same, but only one row per sequence is needed. \param rows  [B] i32. \return  [B, C]
Variable run_blocks_at(const std::vector<TransformerBlock>& blocks, const Variable& x, const Stream& stream,
                       const Tensor& rows, Context& ctx);

}  // namespace rapt
