// Checks for every network: gradients against central differences, and the same gradients with recomputed blocks, on
// other numbers of threads, and in smaller batches.
#pragma once

#include <doctest/doctest.h>

#include <functional>

#include "autograd/gradcheck.h"
#include "nn/network.h"
#include "support/random_batch.h"
#include "support/random_tensor.h"
#include "support/thread_counts.h"

namespace rapt::testing {

inline std::vector<Variable> variables_of(Module& module) {
  std::vector<Variable> variables;
  for (NamedParameter& p : parameters_of(module)) variables.push_back(p.variable);
  return variables;
}

/// Whether two networks have the same parameters, by name and bit for bit.
inline void check_equal(Module& a, Module& b) {
  const std::vector<NamedParameter> first = parameters_of(a), second = parameters_of(b);
  REQUIRE(first.size() == second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(first[i].name == second[i].name);
    CHECK_MESSAGE(same_bits(first[i].variable.value(), second[i].variable.value()), first[i].name);
  }
}

/// The loss, then the gradient of every parameter (undefined if none reached it), which is cleared afterwards.
inline std::vector<Tensor> loss_and_gradients(Network& network, const Batch& batch, const LossShare& share,
                                              Context ctx = {}) {
  ctx.training = true;
  const Variable loss = network.loss(batch, share, ctx);
  std::vector<Tensor> result = {loss.value()};
  backward(loss);
  for (Variable v : variables_of(network)) {
    result.push_back(v.grad().defined() ? v.grad().clone() : Tensor());
    v.clear_grad();
  }
  return result;
}

/// Gradients of the training loss (including dropout) against central differences. \param network  f64
inline GradcheckResult check_gradients(Network& network, const Batch& batch, const LossShare& share) {
  return gradcheck(
      [&](const std::vector<Variable>&) {
        Context ctx;
        ctx.training = true;
        return network.loss(batch, share, ctx);
      },
      variables_of(network), {.full_up_to = 12});
}

/// Whether recomputed blocks give the same bits.
inline bool same_when_recomputed(Network& network, const Batch& batch, const LossShare& share) {
  return same_bits(loss_and_gradients(network, batch, share),
                   loss_and_gradients(network, batch, share, {.recompute = true}));
}

inline bool same_on_two_threads(Network& network, const Batch& batch, const LossShare& share) {
  return same_bits(on_threads(1, [&] { return loss_and_gradients(network, batch, share); }),
                   on_threads(2, [&] { return loss_and_gradients(network, batch, share); }));
}

/// The largest difference of loss and gradients between a batch and its two halves.
inline double difference_in_halves(Network& network, const Batch& batch, const LossShare& share) {
  const std::vector<Tensor> whole = loss_and_gradients(network, batch, share);
  const Dim half = batch.input.layout.sequences() / 2;
  const Batch first = part_of(batch, 0, half), second = part_of(batch, half, batch.input.layout.sequences());
  const std::vector<Tensor> a = loss_and_gradients(network, first, share),
                            b = loss_and_gradients(network, second, share, {.before = counts_of(first)});
  double worst = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (Dim k = 0; k < whole[i].size(); ++k) {
      const auto at = [k](const Tensor& t) { return t.to(DType::kF64).data<double>()[k]; };
      worst = std::max(worst, std::abs(at(a[i]) + at(b[i]) - at(whole[i])));
    }
  }
  return worst;
}

}  // namespace rapt::testing
