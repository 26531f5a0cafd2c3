// Multi-head attention over packed sequences. Vaswani et al. 2017, arXiv 1706.03762, section 3.2.
#pragma once

#include <optional>

#include "autograd/ops/attention.h"
#include "nn/context.h"
#include "nn/kv_cache.h"
#include "nn/linear.h"
#include "nn/source_cache.h"
#include "tensor/packed.h"

namespace rapt {

/// Rotary position embedding in attention: RoFormer's rotation of queries and keys (Su et al. 2021, arXiv 2104.09864).
struct Rotary {
  double base = 10000;  ///< the slowest pair of columns rotates by about 1 / base per position
  Dim width = 0;        ///< number of rotated columns of a head, even; 0 for all
};

/// Each row attends to rows of its own sequence.
class SelfAttention final : public Module {
 public:
  struct Options {
    Dim width = 0, heads = 1;
    AttentionMask mask = AttentionMask::kCausal;
    bool bias = true;
    double scale = 0;    ///< factor of the scores; 0 means 1/sqrt(width / heads)
    double dropout = 0;  ///< dropout of the probabilities
    std::optional<Rotary> rotary;
    InitStd std = 0.02, out_std = 0.02;
    LoraOptions lora = {};
  };

  /// \throws ShapeError  if heads do not divide width
  SelfAttention(const Options& options, Initializer& init);

  /// \param x          [N, C]
  /// \param positions  [N] i32, used only by rotary positions
  /// \param cache      keys and values of earlier tokens: the new ones are appended, and all are attended to
  /// \return           [N, C]
  Variable forward(const Variable& x, const Packed& layout, const Tensor& positions, Context& ctx,
                   KeyValueCache::Layer* cache = nullptr) const;
  /// The two steps of forward(), for callers that need only some rows of the second step: the output of the heads, and
  /// its projection.
  /// \return  [N, C]
  Variable attend(const Variable& x, const Packed& layout, const Tensor& positions, Context& ctx,
                  KeyValueCache::Layer* cache = nullptr) const;
  Variable project(const Variable& attended, Context& ctx) const { return out_.forward(attended, ctx); }
  /// The matrix [3C, C] that computes queries, keys and values (from rows 0, C and 2C), one head after the other in
  /// each.
  const Variable& qkv_weight() const { return qkv_.weight(); }
  void visit(ParameterVisitor& v) override;

 private:
  Options options_;
  Linear qkv_;  // C -> 3C: q | k | v
  Linear out_;
};

/// Rows of one packing (queries) attend to rows of another one (the output of an encoder).
class CrossAttention final : public Module {
 public:
  struct Options {
    Dim width = 0, heads = 1;
    bool bias = true;
    double dropout = 0;
    InitStd std = 0.02, out_std = 0.02;
  };

  CrossAttention(const Options& options, Initializer& init);

  /// \param x       [N, C], the queries
  /// \param memory  [S, C]
  /// \return        [N, C]
  Variable forward(const Variable& x, const Packed& layout, const Variable& memory, const Packed& memory_layout,
                   Context& ctx) const;

  /// Keys and values of encoded sources, for a SourceCache. \return  [S, 2C]
  Variable keys_and_values(const Variable& memory) const { return kv_.forward(memory); }
  /// forward() without a backward pass, with keys and values from a cache.
  /// \param layer    of this layer
  /// \param weights  receives the probabilities of each sequence's last row, averaged over the heads, one sequence
  ///                 after the other; or null
  Variable forward_cached(const Variable& x, const Packed& layout, const SourceCache& sources, std::size_t layer,
                          std::vector<float>* weights) const;
  void visit(ParameterVisitor& v) override;

 private:
  Options options_;
  Linear q_, kv_, out_;
};

}  // namespace rapt
