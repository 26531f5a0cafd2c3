#include "train/optimise/trainer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <memory>

#include "nn/models/gpt.h"
#include "nn/models/language_model.h"
#include "support/random_batch.h"
#include "support/small_networks.h"
#include "train/optimise/finite_check.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

TrainingData one_batch() {
  TrainingData data;
  data.train = [](std::int64_t, Dim) { return random_batch({5, 7}, kSmallVocabulary, 1); };
  return data;
}

TrainConfig two_updates() {
  TrainConfig config;
  config.batch = 2;
  config.steps = 2;
  return config;
}

// The error of an update of a small GPT whose parameter with this name is filled with `value`; its weights must be
// unchanged afterwards, and no gradient may remain.
UpdateError error_with(const std::string& parameter, float value) {
  Initializer init(1);
  LanguageModel gpt(std::make_unique<Gpt>(small_gpt(), init));
  for (NamedParameter& p : parameters_of(gpt)) {
    if (p.name == parameter) p.variable.value().fill(value);
  }
  Trainer trainer(two_updates(), gpt, one_batch(), 2);
  const Tensor before = trainer.parameters().values().clone();
  try {
    trainer.update();
  } catch (const UpdateError& error) {
    CHECK(std::memcmp(before.raw(), trainer.parameters().values().raw(), before.bytes()) == 0);
    for (const NamedParameter& p : parameters_of(gpt)) CHECK_FALSE(p.variable.grad().defined());
    CHECK(trainer.state().step == 0);
    return error;
  }
  FAIL("the update was finite");
  throw;
}

// A network whose first forward pass gives NaN and every other one is finite.
class Flaky final : public Network {
 public:
  void visit(ParameterVisitor& v) override { v.parameter("weight", weight); }
  const Backbone& backbone() const override { return gpt; }
  Variable loss(const Batch&, const LossShare&, Context&) const override {
    const float value = passes++ == 0 ? NAN : 1;
    return record("flaky", Tensor::full({}, value), {weight}, [](const Tensor&, Grads d) { d.sum(0).fill(1); });
  }
  Initializer init{1};
  Gpt gpt{small_gpt(), init};
  Variable weight{Tensor::full({2}, 2), true};
  mutable int passes = 0;
};

}  // namespace

TEST_CASE("an update that is not finite names the op and the tensor that were not finite first, and changes nothing") {
  const UpdateError error = error_with("blocks.1.norm2.gain", 3e38F);
  CHECK(error.cause == UpdateError::Cause::kArithmetic);
  CHECK(error.code() == 79);
  CHECK(std::string(error.what()).starts_with("train: update 1 is not finite: loss nan, gradient norm nan; first: "));
  CHECK(std::string(error.what()).find("inf in the output [12, 8] of ") != std::string::npos);
  CHECK(std::string(error.what()).ends_with(" (blocks.1.norm2.gain), with finite inputs; nothing was changed"));
}

TEST_CASE("an update of weights that were not finite names these") {
  const UpdateError error = error_with("blocks.0.attention.out.weight", NAN);
  CHECK(error.cause == UpdateError::Cause::kWeights);
  CHECK(std::string(error.what()) ==
        "train: update 1 is not finite: loss nan, gradient norm nan; before the update: nan in "
        "blocks.0.attention.out.weight; nothing was changed");
}

TEST_CASE("an update that is finite when it is replayed is blamed on the machine") {
  Flaky network;
  Trainer trainer(two_updates(), network, one_batch(), 2);
  try {
    trainer.update();
    FAIL("the update was finite");
  } catch (const UpdateError& error) {
    CHECK(error.cause == UpdateError::Cause::kMachine);
    CHECK(std::string(error.what()) ==
          "train: update 1 is not finite: loss nan, gradient norm 1.4142; a replay of the update was finite, so this "
          "machine does not compute reliably; nothing was changed");
  }
}

TEST_CASE("a run with --ema keeps an average of its weights, shows it while asked, and restores the weights") {
  TrainConfig config = two_updates();
  config.ema = 0.5;
  config.steps = 3;
  Initializer init(1);
  LanguageModel gpt(std::make_unique<Gpt>(small_gpt(), init));
  Trainer trainer(config, gpt, one_batch(), 3);
  const auto weights = [&] {
    const auto span = trainer.parameters().values().span<float>();
    return std::vector<float>(span.begin(), span.end());
  };
  std::vector<float> expected = weights();
  for (int t = 1; t <= 3; ++t) {
    trainer.update();
    const double keep = std::min(0.5, (1.0 + t) / (10.0 + t));
    const std::vector<float> now = weights();
    for (std::size_t i = 0; i < now.size(); ++i) {
      expected[i] += static_cast<float>((1 - keep) * (static_cast<double>(now[i]) - static_cast<double>(expected[i])));
    }
  }
  const std::vector<float> before = weights();
  {
    const Trainer::Averaged averaged(trainer);
    const std::vector<float> shown = weights();
    for (std::size_t i = 0; i < shown.size(); ++i) REQUIRE(shown[i] == doctest::Approx(expected[i]).epsilon(1e-5));
    CHECK(shown != before);
  }
  CHECK(weights() == before);
}

TEST_CASE("the factor of a plateau lowers the learning rate down to its minimum") {
  TrainConfig config = two_updates();
  config.schedule = "plateau";
  config.warmup = {};
  config.learning_rate = 1e-3;
  config.min_learning_rate = 1e-4;
  Initializer init(1);
  LanguageModel gpt(std::make_unique<Gpt>(small_gpt(), init));
  Trainer trainer(config, gpt, one_batch(), 2);
  CHECK(trainer.update().learning_rate == doctest::Approx(1e-3));
  trainer.state().rate_factor = 0.25;
  CHECK(trainer.update().learning_rate == doctest::Approx(2.5e-4));
  trainer.state().rate_factor = 0.01;
  CHECK(trainer.update().learning_rate == doctest::Approx(1e-4));
}
