// Transformers with an encoder and a decoder: translation and summarisation. Vaswani, Shazeer, Parmar, Uszkoreit,
// Jones, Gomez, Kaiser, Polosukhin, "Attention Is All You Need", 2017, arXiv 1706.03762, and its descendants Marian,
// BART, mBART and Pegasus. One network with options.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "nn/decoder_block.h"
#include "nn/models/task.h"
#include "nn/network.h"
#include "nn/objective.h"
#include "nn/token_input.h"

namespace rapt {

/// The standard deviation of new tables of tokens and of learned positions: 1 / sqrt(width), as in fairseq, or Glorot's
/// sqrt(2 / (rows + width)).
enum class TableInit { kNormal, kGlorot };

/// The bias of the output layer. A fixed one is not trained: final_logits_bias of transformers.
enum class HeadBias { kNone, kTrained, kFixed };

struct TransformerConfig {
  Dim vocabulary = 37000;     ///< of the target
  Dim source_vocabulary = 0;  ///< 0: source and target share one vocabulary and its table
  Dim context = 512;          ///< maximum tokens of a source, and of a target
  Dim width = 512;
  Dim layers = 6, decoder_layers = 0;              ///< of the encoder, of the decoder; 0: as many
  Dim heads = 8, decoder_heads = 0;                ///< the same
  Dim feed_forward = 0, decoder_feed_forward = 0;  ///< 0: 4 * width; 0: as the encoder's
  Activation activation = Activation::kRelu;
  bool gated = false;                         ///< feed-forward layers with a gate; with kSilu: SwiGLU
  NormPlacement norm = NormPlacement::kPost;  ///< kPre ends encoder and decoder with a norm
  PositionKind positions = PositionKind::kSinusoidal;
  Dim position_offset = 0;  ///< row of the table of learned positions that position 0 takes; 2 in BART
  bool embedding_norm = false;
  bool embedding_scale = true;  ///< tokens are multiplied by sqrt(width)
  bool tied_head = true;        ///< the target's table is the output layer
  HeadBias head_bias = HeadBias::kNone;
  double norm_epsilon = 1e-5;
  bool bias = true;  ///< on linear layers and norms
  double embedding_dropout = 0.1, attention_dropout = 0, residual_dropout = 0.1, activation_dropout = 0;
  /// New matrices and tables are N(0, init_std^2); 0: matrices have variance 2 / (in + out), Glorot and Bengio 2010,
  /// and tables have what table_init says.
  double init_std = 0;
  TableInit table_init = TableInit::kNormal;
  // Ids of special tokens, which decoding and other programs need.
  std::int32_t start_token = 0, end_token = 2, pad_token = 1;
  std::optional<std::int32_t> forced_first_token = {};  ///< the language of mBART's target texts

  Dim decoder_depth() const { return decoder_layers > 0 ? decoder_layers : layers; }
  Dim decoder_head_count() const { return decoder_heads > 0 ? decoder_heads : heads; }
  Dim inner_width() const { return feed_forward > 0 ? feed_forward : 4 * width; }
  Dim decoder_inner_width() const { return decoder_feed_forward > 0 ? decoder_feed_forward : inner_width(); }
};

/// \throws UsageError  naming the setting, if heads do not divide width or a size is not positive
void check(const TransformerConfig& config);

/// \name Functions of an encoder-decoder's configuration for BackboneConfig (nn/models/backbone_config.h) @{
std::unique_ptr<Backbone> make_backbone(const TransformerConfig& config, Initializer& init);
std::unique_ptr<Network> make_network(const TransformerConfig& config, Objective objective, Initializer& init);
TaskConfig task_config(Task task, Dim outputs, const TransformerConfig& backbone);
inline void fit_to(TransformerConfig& /*config*/, Objective /*objective*/, const TaskConfig& /*task*/) {}
/// @}

class Transformer final : public NextTokenBackbone {
 public:
  /// \throws UsageError  as check(config) does
  Transformer(const TransformerConfig& config, Initializer& init);

  const TransformerConfig& config() const { return config_; }
  Dim width() const override { return config_.width; }
  Dim vocabulary() const override { return config_.vocabulary; }
  Dim source_vocabulary() const override { return source_table().shape()[0]; }
  Dim context() const override { return config_.context; }
  DType dtype() const override { return tokens_.weight().dtype(); }

  /// The encoder's output for each source token. \return  [S, C]
  /// \param trace  receives the states after the embeddings and after each layer (the last one after a final norm)
  Variable encode(const Stream& source, Context& ctx, std::vector<Tensor>* trace = nullptr) const;
  /// The decoder's states for each target token, given the encoder's output. \return  [N, C]
  Variable decode(const Stream& input, const Variable& memory, const Packed& memory_layout, Context& ctx,
                  std::vector<Tensor>* trace = nullptr) const;

  /// \name For decoding, without gradients @{
  /// The keys and values of encoded sources in each layer of the decoder. \return  [S, 2C] each
  std::vector<Tensor> keys_and_values(const Variable& memory) const;
  /// decode() of tokens that continue sequences. \return  [N, C]
  /// \param cache    keys and values of the earlier tokens; the new ones are appended
  /// \param weights  receives the last layer's attention, as CrossAttention::forward_cached(); or null
  Variable decode_cached(const Stream& input, KeyValueCache& cache, const SourceCache& sources, Context& ctx,
                         std::vector<float>* weights = nullptr) const;
  /// @}

  /// decode() of batch.input, given encode() of batch.source. \param trace  of the decoder
  /// \throws std::invalid_argument  if the batch has no source
  Variable states(const Batch& batch, Context& ctx, std::vector<Tensor>* trace = nullptr) const override;
  /// The state of each target's last token. \return  [B, C]
  Variable pooled(const Variable& states, const Packed& layout) const override;
  Variable sequence_vectors(const Batch& batch, Context& ctx) const override;
  StatesAndHead states_and_head(const Batch& batch, Context& ctx) const override;

  /// \return  [N, V]; for parity checks and for the few rows of decoding. Training never computes them.
  Variable logits(const Variable& states) const;

  const std::vector<TransformerBlock>& encoder() const { return encoder_; }
  const std::vector<DecoderBlock>& decoder() const { return decoder_; }
  void visit(ParameterVisitor& v) override;

 private:
  const Variable& source_table() const { return source_tokens_ ? source_tokens_->weight() : tokens_.weight(); }
  const Variable& head() const { return config_.tied_head ? tokens_.weight() : head_; }

  TransformerConfig config_;
  Embedding tokens_;                        // of the target
  std::optional<Embedding> source_tokens_;  // if the source has a vocabulary of its own
  TokenInput encoder_input_, decoder_input_;
  std::vector<TransformerBlock> encoder_;
  std::vector<DecoderBlock> decoder_;
  std::optional<LayerNorm> encoder_norm_, decoder_norm_;  // for pre-norm
  Variable head_, head_bias_;                             // [V, C] unless tied; [V] or undefined
};

}  // namespace rapt
