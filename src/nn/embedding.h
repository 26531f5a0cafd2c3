// Tables of vectors: learned ones, and sinusoidal position vectors.
#pragma once

#include "nn/initializer.h"
#include "nn/module.h"

namespace rapt {

/// A learned vector per id.
class Embedding final : public Module {
 public:
  struct Options {
    Dim rows = 0, width = 0;
    InitStd std = 0.02;
  };

  Embedding(const Options& options, Initializer& init);

  const Variable& weight() const { return weight_; }
  void visit(ParameterVisitor& v) override;

 private:
  Variable weight_;  // [rows, width]
};

/// The positions of tokens: a learned table, the fixed vectors of sinusoidal_positions() in column pairs or halves, or
/// a rotation in attention.
enum class PositionKind { kLearned, kSinusoidal, kSinusoidalHalves, kRotary };

inline bool is_sinusoidal(PositionKind kind) {
  return kind == PositionKind::kSinusoidal || kind == PositionKind::kSinusoidalHalves;
}

/// The fixed position vectors of Vaswani et al., "Attention Is All You Need", 2017, arXiv 1706.03762, section 3.5:
/// sin(p / 10000^(2i/C)) and cos of the same, in column pairs (2i, 2i+1) or, as in Marian and Pegasus, sines in the
/// first half of the columns and cosines in the second.
///
/// \return  [positions, width]
Tensor sinusoidal_positions(Dim positions, Dim width, bool halves, DType dtype);

}  // namespace rapt
