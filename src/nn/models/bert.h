// BERT: an encoder in which every token sees its whole sequence. Devlin, Chang, Lee, Toutanova, "BERT: Pre-training of
// Deep Bidirectional Transformers for Language Understanding", 2018, arXiv 1810.04805; sizes below base: Turc, Chang,
// Lee, Toutanova, "Well-Read Students Learn Better", 2019, arXiv 1908.08962
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "nn/block.h"
#include "nn/dropout.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/models/task.h"
#include "nn/network.h"
#include "nn/objective.h"

namespace rapt {

struct BertConfig {
  Dim vocabulary = 30522, context = 512, width = 768, layers = 12, heads = 12;
  Dim feed_forward = 0;  ///< 0 means 4 * width
  Dim segments = 2;
  Activation activation = Activation::kGelu;  ///< google-research/bert uses kGeluTanh; transformers' "gelu" is kGelu
  double norm_epsilon = 1e-12;
  double hidden_dropout = 0.1, attention_dropout = 0.1;
  double init_std = 0.02;   ///< of every matrix and table
  bool neighbours = false;  ///< new networks start with attention to neighbouring tokens: nn/neighbours.h
  bool pooler = true;
  LoraOptions lora = {};

  Dim inner_width() const { return feed_forward > 0 ? feed_forward : 4 * width; }
  InitStd spread() const { return {init_std, /*cut=*/true}; }  ///< of everything but the pooler, which is not truncated

  static BertConfig tiny() { return of_size(2, 128); }
  static BertConfig mini() { return of_size(4, 256); }
  static BertConfig small() { return of_size(4, 512); }
  static BertConfig medium() { return of_size(8, 512); }
  static BertConfig base() { return of_size(12, 768); }

 private:
  static BertConfig of_size(Dim layers, Dim width);
};

/// \throws UsageError  naming the setting, if heads do not divide width or a size is not positive
void check(const BertConfig& config);

/// \name Functions of a BERT's configuration for BackboneConfig (nn/models/backbone_config.h) @{
std::unique_ptr<Backbone> make_backbone(const BertConfig& config, Initializer& init);
std::unique_ptr<Network> make_network(const BertConfig& config, Objective objective, Initializer& init);
/// With the hidden dropout, but none before the question-answering head, as in transformers' classes.
TaskConfig task_config(Task task, Dim outputs, const BertConfig& backbone);
/// Adds or removes the pooler. The next sentence and tasks on whole sequences need it; masked words alone and tasks on
/// tokens do not. A backbone without a head keeps what its configuration says.
void fit_to(BertConfig& config, Objective objective, const TaskConfig& task);
/// @}

/// Token, position and segment embeddings, and a stack of post-norm blocks.
class Bert final : public Backbone {
 public:
  /// \throws UsageError  as check(config) does
  Bert(const BertConfig& config, Initializer& init);

  const BertConfig& config() const { return config_; }
  Dim width() const override { return config_.width; }
  Dim vocabulary() const override { return config_.vocabulary; }
  Dim context() const override { return config_.context; }
  DType dtype() const override { return tokens_.weight().dtype(); }
  /// The table [V, C], which also predicts masked words.
  const Variable& token_table() const { return tokens_.weight(); }

  /// \param batch  its input: tokens, positions and segments [N], packed; undefined segments are all 0
  /// \param trace  receives the states after the embeddings and after each layer
  /// \return       [N, C]
  /// \throws ShapeError  if a sequence is longer than the context
  Variable states(const Batch& batch, Context& ctx, std::vector<Tensor>* trace = nullptr) const override;

  /// tanh(W x + b) of each sequence's first token. \return  [B, C]
  /// \throws std::invalid_argument  if the network has no pooler
  Variable pooled(const Variable& states, const Packed& layout) const override;
  Variable sequence_vectors(const Batch& batch, Context& ctx) const override;

  void visit(ParameterVisitor& v) override;

 private:
  Variable embed(const Stream& input, Context& ctx) const;
  const Linear& pooler() const;

  BertConfig config_;
  Embedding tokens_, positions_, segments_;
  LayerNorm norm_;
  std::vector<TransformerBlock> blocks_;
  std::optional<Linear> pooler_;
};

}  // namespace rapt
