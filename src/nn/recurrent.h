// Stacks of recurrent layers: LSTM and GRU, in one direction or both, with dropout between them.
#pragma once

#include <optional>
#include <vector>

#include "autograd/ops/recurrent.h"
#include "nn/context.h"
#include "nn/initializer.h"
#include "nn/module.h"

namespace rapt {

/// Initial values of a recurrent network's parameters.
struct RecurrentSpread {
  double std = 0;    ///< matrices N(0, std^2), biases zero; 0: see range
  double range = 0;  ///< matrices and biases U(-range, range); 0: 1 / sqrt(width of the states), as in PyTorch

  /// A matrix, or a bias [n]. \param width  of the states
  Variable draw(Initializer& init, const Shape& shape, Dim width) const;
};

class RecurrentStack final : public Module {
 public:
  struct Options {
    RecurrentCell cell = RecurrentCell::kLstm;
    Dim in = 0;     ///< width of the inputs
    Dim width = 0;  ///< C, of the states in one direction
    Dim layers = 1;
    bool bidirectional = false;  ///< every layer reads both directions of the one below
    bool bias = true;
    double dropout = 0;  ///< of every layer's output but the last one's
    RecurrentSpread spread = {};
  };

  struct Output {
    Variable y;                        ///< [N, C], or [N, 2 C]: of the top layer
    std::vector<RecurrentState> last;  ///< of each layer, bottom first: [B, C], or [B, 2 C]
  };

  RecurrentStack(const Options& options, Initializer& init);

  /// \param x        [N, in]
  /// \param initial  of each layer, bottom first; empty: zeros
  /// \param trace    receives the output of each layer
  Output forward(const Variable& x, const Packed& layout, Context& ctx, const std::vector<RecurrentState>& initial = {},
                 std::vector<Tensor>* trace = nullptr) const;

  /// The weights of each layer, for attentive_recurrence(). \pre  one direction
  std::vector<RecurrentWeights> weights() const;
  /// The masks of dropout between the layers for `rows` tokens, for attentive_recurrence(); empty: no dropout. \return
  /// [rows, C] each
  std::vector<Tensor> dropout_masks(Dim rows, Context& ctx) const;

  void visit(ParameterVisitor& v) override;

 private:
  class Layer final : public Module {
   public:
    Layer(const Options& options, Dim in, Initializer& init);
    void visit(ParameterVisitor& v) override;

    std::vector<RecurrentWeights> directions;  // forward; reverse
  };

  Options options_;
  std::vector<Layer> layers_;
};

}  // namespace rapt
