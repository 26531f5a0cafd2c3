// What training, decoding and evaluation see of a model: a network that turns a packed batch into a loss, and the
// backbone that task heads stand on.
#pragma once

#include <string>
#include <vector>

#include "nn/context.h"
#include "nn/module.h"
#include "tensor/batch.h"

namespace rapt {

/// What turns the sums over one batch into its share of an update's loss: losses are sums, and divided once by the
/// counts of the whole update, so that 1 x 32 sequences and 4 x 8 accumulated ones give the same gradient.
struct LossShare {
  double targets = 1;    ///< predicted tokens of the whole update
  double sequences = 1;  ///< labelled sequences (questions, where several sequences make one) of the whole update
  double label_smoothing = 0;
  double language_model = 0;  ///< weight of the auxiliary language-model loss of a GPT with a task head
};

/// A whole network: packed tokens in, loss out.
class Network : public virtual Module {  // virtual: a GPT is a network and a backbone
 public:
  /// The batch's share of the update's loss, [].
  /// \throws ShapeError, std::invalid_argument  if the batch lacks what the network is taught with
  virtual Variable loss(const Batch& batch, const LossShare& share, Context& ctx) const = 0;
  virtual DType dtype() const = 0;
};

/// A network without its head: packed tokens in, states out.
class Backbone : public virtual Module {
 public:
  virtual Dim width() const = 0;
  virtual Dim vocabulary() const = 0;
  /// The longest sequence, in tokens.
  virtual Dim context() const = 0;
  virtual DType dtype() const = 0;

  /// \param trace  gets the states after the embeddings and after each layer
  /// \return       [N, C]
  virtual Variable states(const Batch& batch, Context& ctx, std::vector<Tensor>* trace = nullptr) const = 0;

  /// One vector a sequence, for heads that judge whole sequences: BERT's pooled first token, GPT's last token.
  /// \return  [B, C]
  virtual Variable pooled(const Variable& states, const Packed& layout) const = 0;

  /// pooled() of states(), for who wants no other of the states: the last layer computes little but them.
  /// \return  [B, C]
  virtual Variable sequence_vectors(const Batch& batch, Context& ctx) const = 0;
};

}  // namespace rapt
