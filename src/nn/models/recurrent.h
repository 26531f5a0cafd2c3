// Recurrent networks: language models, and encoder-decoders without attention, with a context vector at every step, or
// with attention.
//   Sutskever, Vinyals, Le, "Sequence to Sequence Learning with Neural Networks", 2014, arXiv 1409.3215
//   Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014, arXiv 1406.1078
//   Bahdanau, Cho, Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate", 2014,
//     arXiv 1409.0473
//   Luong, Pham, Manning, "Effective Approaches to Attention-based Neural Machine Translation", 2015, arXiv 1508.04025
#pragma once

#include <memory>
#include <optional>

#include "autograd/ops/attentive_recurrence.h"
#include "nn/models/task.h"
#include "nn/network.h"
#include "nn/objective.h"
#include "nn/recurrent.h"

namespace rapt {

/// What a decoder reads of its source besides its initial state. y is the embedding of a token, h the top layer's
/// state, m the encoder's outputs, z the encoder's last state, c the average of m by attention.
enum class RecurrentAttention {
  kNone,      ///< nothing: cells read y, output(h)
  kContext,   ///< z at every step: cells read [y; z], output([y; h; z]) (Cho et al.)
  kAdditive,  ///< c by score . tanh(key(m) + query(h before)): cells read [y; c], output([h; c; y]) (Bahdanau et al.)
  kDot,       ///< c by m . h after the cells, output(tanh(combine([h; c]))) (Luong et al.)
  kGeneral,   ///< the same by key(m) . h
  kConcat,    ///< the same by score . tanh(key(m) + query(h))
};

struct RecurrentConfig {
  RecurrentCell cell = RecurrentCell::kLstm;
  bool encoder = false;        ///< an encoder-decoder; otherwise a language model
  Dim vocabulary = 0;          ///< of the target, or of the language model
  Dim source_vocabulary = 0;   ///< 0: source and target share one vocabulary and its table
  Dim context = 256;           ///< maximum tokens of a training sequence; the network itself has no maximum
  Dim width = 512;             ///< C, of the states in one direction
  Dim embedding_width = 0;     ///< 0: as `width`
  Dim layers = 2;              ///< of the encoder, or of the language model
  Dim decoder_layers = 0;      ///< 0: as many
  bool bidirectional = false;  ///< the encoder
  RecurrentAttention attention = RecurrentAttention::kNone;
  bool input_feeding = false;  ///< kDot, kGeneral, kConcat: cells read [y; tanh(combine(...)) of the step before]
  bool tied_head = false;      ///< the target's table is the output layer
  bool bias = true;            ///< of cells, output layer, bridge and key
  double embedding_dropout = 0, layer_dropout = 0;  ///< after embeddings; between layers
  double init_std = 0, init_range = 0;              ///< RecurrentSpread
  std::int32_t start_token = 0, end_token = 2, pad_token = 1;

  Dim embedding() const { return embedding_width > 0 ? embedding_width : width; }
  Dim decoder_depth() const { return encoder && decoder_layers > 0 ? decoder_layers : layers; }
  /// Width of the encoder's outputs, M.
  Dim memory_width() const { return bidirectional ? 2 * width : width; }
  /// Attention after the cells.
  bool is_luong() const { return attention >= RecurrentAttention::kDot; }
  bool attends() const { return attention >= RecurrentAttention::kAdditive; }
  bool has_score() const {
    return attention == RecurrentAttention::kAdditive || attention == RecurrentAttention::kConcat;
  }
  bool has_key() const { return attends() && attention != RecurrentAttention::kDot; }
  /// Width of what a decoder's cells read besides y.
  Dim fed_width() const;
  /// Width of what the output layer reads.
  Dim state_width() const;
};

/// \throws UsageError  naming the setting
void check(const RecurrentConfig& config);

/// \name Functions of a recurrent network's configuration for BackboneConfig (nn/models/backbone_config.h) @{
std::unique_ptr<Backbone> make_backbone(const RecurrentConfig& config, Initializer& init);
std::unique_ptr<Network> make_network(const RecurrentConfig& config, Objective objective, Initializer& init);
TaskConfig task_config(Task task, Dim outputs, const RecurrentConfig& backbone);
inline void fit_to(RecurrentConfig& /*config*/, Objective /*objective*/, const TaskConfig& /*task*/) {}
/// @}

/// A batch's sequences are independent: each starts from zeros, or from its encoded source.
class Recurrent final : public NextTokenBackbone {
 public:
  /// \throws UsageError  as check(config) does
  Recurrent(const RecurrentConfig& config, Initializer& init);

  const RecurrentConfig& config() const { return config_; }
  Dim width() const override { return config_.state_width(); }
  Dim vocabulary() const override { return config_.vocabulary; }
  Dim source_vocabulary() const override { return source_table().shape()[0]; }
  Dim context() const override { return config_.context; }
  DType dtype() const override { return tokens_.dtype(); }

  /// What the decoder needs of the sources.
  struct Encoded {
    AttentionMemory memory;             ///< the encoder's outputs [S, M], and keys if it attends
    std::vector<RecurrentState> start;  ///< of each of the decoder's layers: [B, C]
  };
  /// \param trace  receives the states after the embeddings and after each layer
  Encoded encode(const Stream& source, Context& ctx, std::vector<Tensor>* trace = nullptr) const;

  struct Decoded {
    Variable states;      ///< [N, state_width()]
    Tensor weights;       ///< of attention, as SequenceAttentionOutput::weights; undefined without attention
    AttentiveState last;  ///< after each sequence's last token
  };
  /// The states of tokens that continue from `from`.
  /// \param sources  null: a language model. Its memory.sequences may map several sequences to one source; its `start`
  ///                 is used for RecurrentAttention::kContext only
  /// \param trace    receives the states after the embeddings and those that are returned
  Decoded decode(const Stream& input, const Encoded* sources, const AttentiveState& from, Context& ctx,
                 std::vector<Tensor>* trace = nullptr) const;

  /// \return  [N, state_width()]
  /// \throws std::invalid_argument  if an encoder-decoder's batch has no source
  Variable states(const Batch& batch, Context& ctx, std::vector<Tensor>* trace = nullptr) const override;
  /// The state of each sequence's last token. \return  [B, state_width()]
  Variable pooled(const Variable& states, const Packed& layout) const override;
  Variable sequence_vectors(const Batch& batch, Context& ctx) const override;
  StatesAndHead states_and_head(const Batch& batch, Context& ctx) const override;

  /// \return  [N, V]; for parity checks and for the few rows of decoding. Training never computes them.
  Variable logits(const Variable& states) const;
  /// The weights of attention over a batch, without gradients: for each pair [T, S], one after another. Undefined
  /// without attention.
  Tensor attention(const Batch& batch) const;

  void visit(ParameterVisitor& v) override;

 private:
  Decoded run(const Batch& batch, Context& ctx, std::vector<Tensor>* trace) const;
  Decoded attend_after(const Variable& y, const Stream& input, const Encoded& sources, const AttentiveState& from,
                       Context& ctx) const;
  Decoded step_through(const Variable& y, const Stream& input, const Encoded& sources, const AttentiveState& from,
                       Context& ctx) const;
  const Variable& source_table() const { return source_tokens_.defined() ? source_tokens_ : tokens_; }
  const Variable& head() const { return config_.tied_head ? tokens_ : head_; }

  RecurrentConfig config_;
  Variable tokens_, source_tokens_;  // [V, E]; source_tokens_ if the source has a vocabulary of its own
  std::optional<RecurrentStack> encoder_;
  Variable bridge_, bridge_bias_;  // [C, 2 C], [C]: from both directions to the decoder's initial state
  RecurrentStack decoder_;         // of the language model, too
  Variable key_, key_bias_;        // [C, M], [C] of kAdditive
  Variable query_, score_;         // [C, C], [1, C]
  Variable combine_;               // [C, C + M]
  Variable head_, head_bias_;      // [V, state_width()] unless tied; [V]
};

}  // namespace rapt
