// Logits of one decision as probabilities and losses, in double.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rapt {

/// The index of the largest; of several, the first.
std::size_t largest(std::span<const float> logits);
/// -log of the target's probability, in nats.
double cross_entropy(std::span<const float> logits, std::int32_t target);
std::vector<float> softmax(std::span<const float> logits);

}  // namespace rapt
