// GPT-1, GPT-2 and GPT-NeoX: decoders that predict the next token.
//   Radford, Narasimhan, Salimans, Sutskever, "Improving Language Understanding by Generative Pre-Training", 2018
//   Radford, Wu, Child, Luan, Amodei, Sutskever, "Language Models are Unsupervised Multitask Learners", 2019
//   Black et al., "GPT-NeoX-20B: An Open-Source Autoregressive Language Model", 2022, arXiv 2204.06745
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "nn/block.h"
#include "nn/embedding.h"
#include "nn/models/task.h"
#include "nn/network.h"
#include "nn/objective.h"

namespace rapt {

struct GptConfig {
  Dim vocabulary = 50257, context = 1024, width = 768, layers = 12, heads = 12;
  Dim feed_forward = 0;  ///< 0 means 4 * width
  Activation activation = Activation::kGeluTanh;
  NormPlacement norm = NormPlacement::kPre;  ///< kPre ends with a final norm, kPost does not
  bool parallel_residual = false;            ///< with kPre: both sublayers see the block's input
  PositionKind positions = PositionKind::kLearned;
  double rotary_base = 10000, rotary_share = 1;  ///< for kRotary: Rotary's base, and the share of a head's columns that
                                                 ///< is rotated
  double norm_epsilon = 1e-5;
  bool bias = true;       ///< on linear layers and norms
  bool tied_head = true;  ///< the token table is the output layer
  double embedding_dropout = 0, attention_dropout = 0, residual_dropout = 0;
  bool dropout_on_table = false;                  ///< as in GPT-1: dropout on entries of the tables, so the tied output
                                                  ///< layer sees it, too
  bool scale_attention = true;                    ///< scores by 1/sqrt(head width)
  bool scale_attention_by_inverse_layer = false;  ///< and by 1/(layer + 1)
  double init_std = 0.02, position_std = 0.01;
  bool scale_residual_init = true;  ///< projections back into the residual start at std / sqrt(2 layers)
  LoraOptions lora = {};

  Dim inner_width() const { return feed_forward > 0 ? feed_forward : 4 * width; }
  /// Number of rotated columns of a head, rounded down as in transformers.
  Dim rotary_width() const { return static_cast<Dim>(static_cast<double>(width / heads) * rotary_share); }

  /// GPT-2 "small" and the larger sizes: 124M, 355M, 774M, 1558M.
  static GptConfig gpt2() { return {}; }
  /// GPT-1: post-norm, 40,478 entries, context 512, every weight N(0, 0.02^2), dropout 0.1 also on the tables.
  static GptConfig gpt1();
};

/// \throws UsageError  naming the setting, if heads do not divide width, a size is not positive, or rotary positions
///                     would rotate an odd number of columns
void check(const GptConfig& config);

/// \name Functions of a GPT's configuration for BackboneConfig (nn/models/backbone_config.h) @{
std::unique_ptr<Backbone> make_backbone(const GptConfig& config, Initializer& init);
std::unique_ptr<Network> make_network(const GptConfig& config, Objective objective, Initializer& init);
/// Without a bias for whole sequences, as in transformers' classes.
TaskConfig task_config(Task task, Dim outputs, const GptConfig& backbone);
inline void fit_to(GptConfig& /*config*/, Objective /*objective*/, const TaskConfig& /*task*/) {}
/// @}

/// Token and position embeddings, a stack of blocks, and the matrix that predicts the next token, which is the token
/// table if it is tied.
class Gpt final : public NextTokenBackbone {
 public:
  /// \throws UsageError  as check(config) does
  Gpt(const GptConfig& config, Initializer& init);

  const GptConfig& config() const { return config_; }
  Dim width() const override { return config_.width; }
  Dim vocabulary() const override { return config_.vocabulary; }
  Dim context() const override { return config_.context; }
  DType dtype() const override { return tokens_.weight().dtype(); }

  /// \param batch  its input: tokens [N] and positions [N], packed
  /// \param trace  receives the states after the embeddings and after each layer (the last one after the final norm)
  /// \return       [N, C]
  /// \throws ShapeError  if a sequence is longer than the context
  Variable states(const Batch& batch, Context& ctx, std::vector<Tensor>* trace = nullptr) const override;

  /// The same for tokens that continue a cache. \param cache  receives their keys and values, too
  Variable states(const Stream& input, Context& ctx, KeyValueCache& cache) const;

  /// The state of each sequence's last token, which has seen all others. \return  [B, C]
  Variable pooled(const Variable& states, const Packed& layout) const override;
  Variable sequence_vectors(const Batch& batch, Context& ctx) const override;

  /// \return  [N, V]; for parity checks and for the few rows of decoding. Training never computes them.
  Variable logits(const Variable& states) const;

  StatesAndHead states_and_head(const Batch& batch, Context& ctx) const override;

  void visit(ParameterVisitor& v) override;

 private:
  struct Tables {
    Variable tokens, positions;
  };
  Tables tables(Context& ctx) const;
  Variable embed(const Stream& input, const Tables& tables, Context& ctx) const;
  Variable run(const Stream& input, const Tables& tables, Context& ctx, KeyValueCache* cache,
               std::vector<Tensor>* trace) const;
  const Variable& head() const;

  GptConfig config_;
  Embedding tokens_;
  std::optional<Embedding> positions_;  // if positions are learnt
  Tensor sinusoids_;                    // [context, C] if positions are fixed
  std::vector<TransformerBlock> blocks_;
  std::optional<LayerNorm> norm_;  // for pre-norm
  Variable head_;                  // [V, C] unless tied
};

/// The GPT of a language model. \throws UsageError  if it has another backbone
const Gpt& gpt_of(const Network& network);

}  // namespace rapt
