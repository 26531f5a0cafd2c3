// The probabilities of attention, for people to look at: what each query attended to, in every layer and head.
#pragma once

#include <vector>

#include "tensor/matmul.h"
#include "tensor/packed.h"

namespace rapt {

/// Where attention takes place: tokens of an encoder (BERT) or of a decoder (GPT) among themselves, or a decoder's
/// tokens attending to its source.
enum class AttentionKind { kEncoder, kDecoder, kCross };

/// "encoder", "decoder", "cross".
const char* name_of(AttentionKind kind);

/// The attention of one layer.
struct AttentionMap {
  AttentionKind kind = AttentionKind::kEncoder;
  Dim layer = 0;  ///< counted from 0 for each kind
  /// For each sequence [H, T, S]: rows sum to 1, except rows of a query that sees no key.
  std::vector<Tensor> weights;
};

/// While an object of this class exists, the attention of every forward pass on this thread is recorded in it, layer by
/// layer. The probabilities are computed a second time, in a plain way, beside the fused kernel; without a record,
/// attention does nothing more than check that there is none. Decoding with a cache is not recorded.
class AttentionRecord final {
 public:
  AttentionRecord();
  ~AttentionRecord();
  AttentionRecord(const AttentionRecord&) = delete;
  AttentionRecord& operator=(const AttentionRecord&) = delete;

  /// The record of this thread, or null.
  static AttentionRecord* current();

  const std::vector<AttentionMap>& maps() const { return maps_; }
  /// The maps of one kind, from the first layer to the last.
  std::vector<const AttentionMap*> of_kind(AttentionKind kind) const;

  /// Adds softmax(scale q k^T) of packed sequences; causal as AttentionMask::kCausal.
  /// \param q  [N, C] in columns [0, C) of its rows. \param k  [S, C], the same
  template <typename T>
  void add_products(AttentionKind kind, Matrix<const T> q, Matrix<const T> k, const Packed& queries, const Packed& keys,
                    Dim heads, double scale, bool causal);
  /// Adds weights of one head that an op has kept: for each sequence a [T, S] array, one after another.
  void add_weights(AttentionKind kind, const Tensor& weights, const Packed& queries, const Packed& keys);

 private:
  AttentionMap& next(AttentionKind kind);

  AttentionRecord* before_;
  std::vector<AttentionMap> maps_;
};

/// How much each input token contributes to each token's state after each layer, if attention is mixed as layers mix
/// states: with A the mean over the heads, R_l = (A_l + I) / 2 R_(l-1) and R_0 = I.
/// \param layers  [H, T, T] for each layer
/// \return  [T, T] for each layer
/// Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers", section 3.
std::vector<Tensor> attention_rollout(const std::vector<Tensor>& layers);

/// The mean over the heads. \param weights  [H, T, S]. \return  [T, S]
Tensor mean_of_heads(const Tensor& weights);

}  // namespace rapt
