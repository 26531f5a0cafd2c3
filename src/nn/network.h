// The interface of a model for training, decoding and evaluation: a network that turns a packed batch into a loss, and
// its backbone.
#pragma once

#include <vector>

#include "nn/context.h"
#include "nn/module.h"
#include "tensor/batch.h"

namespace rapt {

/// Turns the sums over one batch into its share of an update's loss. Losses are sums, divided once by the counts of the
/// whole update, so that 1 x 32 sequences and 4 x 8 accumulated ones give the same gradient.
struct LossShare {
  double targets = 1;    ///< predicted tokens of the whole update
  double sequences = 1;  ///< labelled sequences of the whole update (questions, if several sequences make one question)
  double label_smoothing = 0;
  double language_model = 0;  ///< weight of the auxiliary language-model loss of a GPT with a task head
};

class NextTokenBackbone;

/// Numbers of entries of a network's vocabularies.
struct VocabularySizes {
  Dim target = 0;  ///< of the text that the network reads and predicts
  Dim source = 0;  ///< of an encoder's text; 0: the same vocabulary

  VocabularySizes(Dim tokens, Dim of_source = 0) : target(tokens), source(of_source) {}  // NOLINT: mostly one number
};

/// A network without its head: maps packed tokens to states.
class Backbone : public Module {
 public:
  virtual Dim width() const = 0;
  virtual Dim vocabulary() const = 0;
  /// Entries of the vocabulary of batch.source; the same as vocabulary() for networks without an encoder.
  virtual Dim source_vocabulary() const { return vocabulary(); }
  /// The maximum sequence length, in tokens.
  virtual Dim context() const = 0;
  virtual DType dtype() const = 0;

  /// The states of batch.input. An encoder-decoder also reads batch.source.
  /// \param trace  receives the states after the embeddings and after each layer
  /// \return       [N, C]
  virtual Variable states(const Batch& batch, Context& ctx, std::vector<Tensor>* trace = nullptr) const = 0;

  /// One vector per sequence, for heads that score whole sequences: BERT's pooled first token, GPT's last token.
  /// \return  [B, C]
  virtual Variable pooled(const Variable& states, const Packed& layout) const = 0;

  /// pooled() of states(), for callers that need no other states: the last layer computes little else.
  /// \return  [B, C]
  virtual Variable sequence_vectors(const Batch& batch, Context& ctx) const = 0;

  /// The same backbone, if its states predict the next token; null for an encoder.
  virtual const NextTokenBackbone* next_token() const { return nullptr; }
};

/// A backbone whose states predict the next token.
class NextTokenBackbone : public Backbone {
 public:
  /// States [N, C], and the matrix [V, C] that predicts the next token from them in this pass: GPT-1 has dropout on the
  /// token table itself, and therefore on the tied output layer.
  struct StatesAndHead {
    Variable states, head;
    Variable bias = {};  ///< [V], or undefined
  };
  virtual StatesAndHead states_and_head(const Batch& batch, Context& ctx) const = 0;

  const NextTokenBackbone* next_token() const final { return this; }
};

/// A whole network, a backbone with a head: maps packed tokens to a loss.
class Network : public Module {
 public:
  virtual const Backbone& backbone() const = 0;
  DType dtype() const { return backbone().dtype(); }

  /// The batch's share of the update's loss, [].
  /// \throws ShapeError, std::invalid_argument  if the batch lacks the targets that the network needs
  virtual Variable loss(const Batch& batch, const LossShare& share, Context& ctx) const = 0;
};

}  // namespace rapt
