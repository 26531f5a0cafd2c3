// GPT-1 and GPT-2: decoders that predict the next token.
//   Radford, Narasimhan, Salimans, Sutskever, "Improving Language Understanding by Generative Pre-Training", 2018
//   Radford, Wu, Child, Luan, Amodei, Sutskever, "Language Models are Unsupervised Multitask Learners", 2019
#pragma once

#include <string>
#include <vector>

#include "nn/attention.h"
#include "nn/dropout.h"
#include "nn/embedding.h"
#include "nn/feed_forward.h"
#include "nn/norm.h"

namespace rapt {

/// Where a block normalises: before its sublayers (GPT-2) or after adding them to the residual (GPT-1).
enum class NormPlacement { kPre, kPost };
enum class PositionKind { kLearned, kSinusoidal, kRotary };

struct GptConfig {
  Dim vocabulary = 50257, context = 1024, width = 768, layers = 12, heads = 12;
  Dim feed_forward = 0;  ///< 0 means 4 * width
  Activation activation = Activation::kGeluTanh;
  NormPlacement norm = NormPlacement::kPre;  ///< kPre ends with a final norm, kPost does not
  PositionKind positions = PositionKind::kLearned;
  double norm_epsilon = 1e-5;
  bool bias = true;       ///< on linear layers and norms
  bool tied_head = true;  ///< the head is the token table
  double embedding_dropout = 0, attention_dropout = 0, residual_dropout = 0;
  bool dropout_on_table = false;                  ///< GPT-1 drops entries of the tables, so the tied head sees it too
  bool scale_attention = true;                    ///< scores by 1/sqrt(head width)
  bool scale_attention_by_inverse_layer = false;  ///< and by 1/(layer + 1)
  double init_std = 0.02, position_std = 0.01;
  bool scale_residual_init = true;  ///< projections back into the residual start at std / sqrt(2 layers)

  Dim inner_width() const { return feed_forward > 0 ? feed_forward : 4 * width; }

  /// GPT-2 "small" and its larger sisters: 124M, 355M, 774M, 1558M.
  static GptConfig gpt2() { return {}; }
  /// GPT-1: post-norm, 40,478 entries, context 512, every weight N(0, 0.02^2), dropout 0.1 on the tables too.
  static GptConfig gpt1();
};

/// \throws UsageError  naming the setting, if heads do not divide width or a size is not positive
void check(const GptConfig& config);

/// One layer: attention and feed-forward, each added to the residual.
class GptBlock final : public Module {
 public:
  GptBlock(const GptConfig& config, Dim layer, Initializer& init);

  /// \param x  [N, C]
  /// \return   [N, C]
  Variable forward(const Variable& x, const Batch& batch, Context& ctx, KeyValueCache::Layer* cache) const;
  void visit(ParameterVisitor& v) override;

 private:
  NormPlacement placement_;
  double dropout_;
  LayerNorm norm1_, norm2_;
  SelfAttention attention_;
  FeedForward feed_forward_;
};

/// The whole network: packed tokens in, hidden states, logits or loss out.
class Gpt final : public Module {
 public:
  /// \throws UsageError  as check(config) does
  Gpt(const GptConfig& config, Initializer& init);

  const GptConfig& config() const { return config_; }
  DType dtype() const { return tokens_.weight().dtype(); }

  /// \param batch  tokens [N] and positions [N], packed
  /// \param cache  keys and values of earlier tokens of the same sequences; the new ones are appended
  /// \param trace  gets the states after the embeddings and after each layer (the last one after the final norm)
  /// \return       [N, C]
  Variable hidden(const Batch& batch, Context& ctx, KeyValueCache* cache = nullptr,
                  std::vector<Tensor>* trace = nullptr) const;

  /// \return  [N, V]; for parity checks and for the few rows of decoding, training never makes them
  Variable logits(const Variable& hidden) const;

  /// scale * sum of -log p(target) over batch.targets, [].
  Variable loss(const Batch& batch, Context& ctx, double scale = 1, double label_smoothing = 0) const;

  /// The natural-log probability of each of batch.targets, [M], without gradients.
  Tensor log_probabilities(const Batch& batch) const;

  void visit(ParameterVisitor& v) override;

 private:
  struct Tables {
    Variable tokens, positions;
  };
  Tables tables(Context& ctx) const;
  Variable embed(const Batch& batch, const Tables& tables, Context& ctx) const;
  Variable run(Variable x, const Batch& batch, Context& ctx, KeyValueCache* cache, std::vector<Tensor>* trace) const;
  const Variable& head() const;
  void check_lengths(const Batch& batch) const;

  GptConfig config_;
  Embedding tokens_;
  std::vector<Embedding> positions_;  // one, or none
  Tensor sinusoids_;                  // [context, C] where positions are fixed
  std::vector<GptBlock> blocks_;
  std::vector<LayerNorm> norm_;  // one for pre-norm, none for post-norm
  Variable head_;                // [V, C] unless tied
};

}  // namespace rapt
