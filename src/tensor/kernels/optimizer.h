// Optimiser updates on flat buffers of parameters, in one pass over memory: the gradient is scaled while it is read.
#pragma once

#include "tensor/random.h"
#include "tensor/types.h"

namespace rapt::kernels {

// Adam with decoupled or coupled weight decay. g is the gradient times `gradient_scale`, t the number of this update:
//
//     p -= learning_rate weight_decay p                  (decoupled; coupled instead: g += weight_decay p)
//     m = beta1 m + (1 - beta1) g
//     v = beta2 v + (1 - beta2) g^2
//     p -= learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
//
// without the divisions by 1 - beta^t if bias_correction is off, as BERT was trained. Loshchilov and Hutter 2019,
// "Decoupled Weight Decay Regularization", arXiv 1711.05101; Kingma and Ba 2015, "Adam", arXiv 1412.6980 (coupled).
struct AdamRule {
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool coupled_decay = false;
  bool bias_correction = true;
  Dim step = 1;               ///< t, from 1
  double gradient_scale = 1;  ///< includes clipping and one over the number of targets
};

// Which parameters have moments: one byte per kMomentGroup of them, 0 while both moments of all are zero. Where the
// gradient is zero, too, an update changes p by weight decay alone, and the moments are not read: most rows of a table
// of tokens in fine-tuning. The bits are the same without it.
constexpr Dim kMomentGroup = 128;
constexpr Dim moment_groups(Dim n) { return (n + kMomentGroup - 1) / kMomentGroup; }
// Sets `moved` from moments.
template <typename T>
void find_moments(std::uint8_t* moved, const T* m, const T* v, Dim n);

// Updates n parameters p with first and second moments m and v (zeros before the first update). `moved` is kept up to
// date; may be null. `narrow` gets the new p in bf16; may be null, and must be for f64.
template <typename T>
void adam_update(T* p, const T* g, T* m, T* v, Dim n, const AdamRule& rule, std::uint8_t* moved = nullptr,
                 Bf16* narrow = nullptr);

// The bits with which the moments of an update are rounded at random: a function of the key, the place and the index of
// the element.
struct RandomRounding {
  RandomKey key;            // of the update
  std::uint64_t place = 0;  // of these parameters among all
  Dim first = 0;            // index of the first element that is updated; a multiple of 8
};

// The same with moments in bf16. The new moments are computed in f32 and used for p; then each is rounded up or down at
// random, with probabilities that make its expected value exact. Rounded to nearest, v would not decay: with beta2 =
// 0.999 its change in one update is less than half a step of bf16. Gupta, Agrawal, Gopalakrishnan, Narayanan 2015,
// "Deep Learning with Limited Numerical Precision", arXiv 1502.02551, section 3.
void adam_update(float* p, const float* g, Bf16* m, Bf16* v, Dim n, const AdamRule& rule,
                 const RandomRounding& rounding, std::uint8_t* moved = nullptr, Bf16* narrow = nullptr);

// Stochastic gradient descent as in PyTorch. g is the gradient times `gradient_scale`:
//
//     g += weight_decay p
//     u = momentum u + g
//     p -= learning_rate u                               (Nesterov: learning_rate (g + momentum u))
struct SgdRule {
  double learning_rate = 1e-2;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
  double gradient_scale = 1;
};

// Updates n parameters p with velocities u (zeros before the first update; null without momentum).
template <typename T>
void sgd_update(T* p, const T* g, T* u, Dim n, const SgdRule& rule);

// average += (1 - keep) (p - average), for n parameters: an exponential moving average of weights.
template <typename T>
void average_update(T* average, const T* p, Dim n, double keep);

// The sum of x^2, in double, in blocks of kSumBlock elements whose sums are added in order. Not finite if any element
// is not finite.
constexpr Dim kSumBlock = 65536;
template <typename T>
double sum_of_squares(const T* x, Dim n);

// The index of the first element that is infinite or NaN, or -1.
template <typename T>
Dim first_not_finite(const T* x, Dim n);

}  // namespace rapt::kernels
