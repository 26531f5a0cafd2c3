#include "train/tasks/pace.h"

#include <array>
#include <chrono>

#include "tensor/precision.h"

namespace rapt {

// Calls `work`, which returns how many tokens it read, for at least some seconds. Returns calls, seconds and tokens.
template <typename Work>
static std::array<double, 3> measure(double least, Work work) {
  const auto start = std::chrono::steady_clock::now();
  std::array<double, 3> sums = {};
  auto& [calls, seconds, tokens] = sums;
  while (calls < 2 || seconds < least) {
    tokens += static_cast<double>(work());
    ++calls;
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return sums;
}

Pace measure_pace(const TrainConfig& config, const NetworkConfig& network, const TrainingData& data) {
  set_product_precision(config.operands());
  Initializer init(1);
  AnyNetwork copy(network, init);
  Network& trained = copy.network();
  Trainer trainer(config, trained, data, 1000);
  trainer.update();  // fills the pool and the caches
  const auto [updates, seconds, tokens] = measure(1, [&] { return trainer.update().tokens; });
  const Batch batch = data.train(0, data.fitting ? data.fitting(0) : config.batch);
  const NoGrad no_grad;
  const auto [looks, look_seconds, looked_at] = measure(0.2, [&] {
    Context ctx;
    static_cast<void>(trained.loss(batch, {.targets = 1, .sequences = 1}, ctx));
    return counts_of(batch).tokens();
  });
  return {.update = seconds / updates, .token = seconds / tokens, .look = look_seconds / looked_at};
}

}  // namespace rapt
