// Cross-entropy of rows of logits. The gradient can overwrite the logits.
#pragma once

#include "tensor/matmul.h"
#include "tensor/types.h"

namespace rapt::kernels {

/// The loss of a row of logits z [V] with target t:
///
///     scale (logsumexp(z) - (1 - smoothing) z_t - smoothing / V sum_v z_v)
///
/// which for smoothing 0 is -scale log softmax(z)_t.
struct CrossEntropyRule {
  double smoothing = 0;
  double scale = 1;
};

// losses[m] = the loss of row m of the logits [M, V]. The row's maximum is subtracted before exp; sums are accumulated
// in double.
template <typename T>
void cross_entropy_forward(double* losses, const T* logits, const std::int32_t* targets, Dim M, Dim V,
                           const CrossEntropyRule& rule);

// The same, and the gradient of the losses, in type G, overwrites the logits. Of z_v it is scale (softmax(z)_v - (1 -
// smoothing) [v = t] - smoothing / V). Each row of the gradient begins where the row of the logits began.
template <typename G>
Matrix<const G> cross_entropy_forward_backward(double* losses, Compute<G>* logits, const std::int32_t* targets, Dim M,
                                               Dim V, const CrossEntropyRule& rule);

}  // namespace rapt::kernels
