#include "train/optimise/trainer.h"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <memory>

#include "support/random_batch.h"
#include "support/random_tensor.h"
#include "support/small_networks.h"
#include "support/thread_counts.h"
#include "tensor/error.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

TrainConfig small_config() {
  TrainConfig c;
  c.batch = 2;
  c.accumulate = 2;
  return c;
}

TrainingData random_batches() {
  TrainingData data;
  data.train = [](std::int64_t first, Dim count) {
    return random_batch(std::vector<Dim>(static_cast<std::size_t>(count), 7), kSmallVocabulary,
                        static_cast<std::uint64_t>(first));
  };
  data.samples_per_epoch = 100;
  return data;
}

// Everything that an update changes.
std::vector<Tensor> all_of(Trainer& trainer) {
  std::vector<Tensor> result;
  for (const auto& entry : trainer.parameters().entries()) result.push_back(entry.variable.value().clone());
  for (const Optimizer::State& state : trainer.optimizer().state()) result.push_back(state.values.clone());
  return result;
}

}  // namespace

TEST_CASE("an update that is not finite changes neither weights nor moments nor the place in the data") {
  Initializer init(1);
  Gpt network(small_gpt(), init);
  Trainer trainer(small_config(), network, random_batches(), 10);
  trainer.update();
  Variable weight = trainer.parameters().entries()[0].variable;
  weight.value().data<float>()[3] = std::numeric_limits<float>::infinity();
  const std::vector<Tensor> before = all_of(trainer);
  CHECK_THROWS_AS(trainer.update(), NotFiniteError);
  CHECK(same_bits(all_of(trainer), before));
  CHECK(trainer.optimizer().updates() == 1);
  CHECK(trainer.state().step == 1);
  CHECK(trainer.state().samples == 4);
  CHECK(trainer.state().tokens == 28);
}
