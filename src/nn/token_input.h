// The input of an encoder or decoder: embedded tokens with positions.
#pragma once

#include <optional>

#include "nn/dropout.h"
#include "nn/embedding.h"
#include "nn/norm.h"

namespace rapt {

/// norm(scale * token + position), with dropout. The table of tokens belongs to the network, which may share it.
class TokenInput final : public Module {
 public:
  struct Options {
    const char* model = "";  ///< for messages
    Dim context = 0, width = 0;
    PositionKind positions = PositionKind::kSinusoidal;
    Dim position_offset = 0;  ///< row of the table of learned positions that position 0 takes
    double position_std = 0.02;
    std::int32_t padding = -1;  ///< id of padding, whose row is not trained by its lookups
    bool scale = false;         ///< tokens are multiplied by sqrt(width)
    bool norm = false;
    double norm_epsilon = 1e-5;
    double dropout = 0;
  };

  TokenInput(const Options& options, Initializer& init);

  /// \param tokens  the table [V, C]
  /// \return        [N, C]
  /// \throws ShapeError  if a sequence is longer than the context
  Variable forward(const Stream& stream, const Variable& tokens, Context& ctx) const;
  void visit(ParameterVisitor& v) override;

 private:
  Options options_;
  std::optional<Embedding> positions_;  // if positions are learnt
  Tensor sinusoids_;                    // [context, C] if they are fixed
  std::optional<LayerNorm> norm_;
};

}  // namespace rapt
