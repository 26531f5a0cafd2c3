#include "train/optimise/profile.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <regex>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/sum.h"
#include "nn/models/gpt.h"
#include "nn/models/language_model.h"
#include "support/random_batch.h"
#include "support/small_networks.h"
#include "train/optimise/trainer.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

// Two updates of a small GPT with one batch each.
std::unique_ptr<Profile> profile_of_gpt(bool recompute) {
  TrainConfig config;
  config.batch = 2;
  config.steps = 2;
  config.recompute = recompute;
  Initializer init(1);
  LanguageModel gpt(std::make_unique<Gpt>(small_gpt(), init));
  TrainingData data;
  data.train = [](std::int64_t, Dim) { return random_batch({5, 7}, kSmallVocabulary, 1); };
  Trainer trainer(config, gpt, data, 2);
  auto profile = std::make_unique<Profile>();
  trainer.set_profile(profile.get());
  trainer.update();
  trainer.update();
  return profile;
}

const Profile::Op& op_of(const std::vector<Profile::Op>& ops, const std::string& name) {
  const auto found = std::ranges::find(ops, name, &Profile::Op::name);
  REQUIRE_MESSAGE(found != ops.end(), name);
  return *found;
}

}  // namespace

TEST_CASE("each op is counted when it runs, with its work") {
  const Tensor w = Tensor::full({3, 4}, 1), x = Tensor::full({2, 4}, 1);
  Profile profile;
  {
    const Observed observed(&profile);
    const Variable weight(w, true), input(x, true);
    backward(sum(scale(linear(input, weight, {}), 2)));
  }
  profile.end_update();
  const std::vector<Profile::Op> ops = profile.ops();
  REQUIRE(ops.size() == 3);
  const Profile::Op& product = op_of(ops, "linear");
  CHECK(product.forward.calls == 1);
  CHECK(product.backward.calls == 1);
  CHECK(product.forward.work.flop == 2 * 2 * 3 * 4);
  CHECK(product.backward.work.flop == 2 * 2 * 2 * 3 * 4);
  CHECK(op_of(ops, "scale").forward.work.bytes == 2 * 2 * 3 * sizeof(float));
  CHECK(op_of(ops, "scale").forward.work.flop == 0);
  CHECK(op_of(ops, "sum").backward.work.bytes == 2 * 3 * sizeof(float));
}

TEST_CASE("no time of an update is counted twice, and every op of a network has a rate") {
  for (const bool recompute : {false, true}) {
    CAPTURE(recompute);
    const auto began = std::chrono::steady_clock::now();
    const auto measured = profile_of_gpt(recompute);
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const Profile& profile = *measured;
    CHECK(profile.updates() == 2);
    double seconds = 0;
    for (const Profile::Op& op : profile.ops()) {
      CAPTURE(op.name);
      seconds += op.forward.seconds + op.backward.seconds;
      CHECK(op.forward.seconds >= 0);
      CHECK(op.backward.seconds >= 0);
      if (op.name != "recompute") CHECK(op.forward.work.flop + op.forward.work.bytes > 0);
    }
    for (const auto& [name, part] : profile.update_parts()) seconds += part.seconds;
    CHECK(seconds == doctest::Approx(2 * profile.update_seconds()));
    CHECK(seconds <= elapsed);
    CHECK(profile.update_parts().size() == 3);
    CHECK(profile.update_parts().at("data").calls == 2);
    CHECK(profile.update_parts().at("optimizer").work.bytes > 0);
    CHECK(op_of(profile.ops(), "self_attention").forward.calls == (recompute ? 8 : 4));  // two layers, two updates
    CHECK(op_of(profile.ops(), "self_attention").backward.calls == 4);
  }
}

TEST_CASE("the table names every op once, with times, shares and rates in columns") {
  const auto measured = profile_of_gpt(false);
  const Profile& profile = *measured;
  const std::string table = profile.table(1e11);
  CAPTURE(table);
  CHECK(std::regex_search(table, std::regex("^profile of 2 updates, [0-9.]+ ms each; sgemm peak 100\\.0 GFLOP/s\n")));
  CHECK(std::regex_search(table, std::regex("\nop +calls +forward ms +share +rate +backward ms +share +rate\n")));
  const std::string number = " +[0-9]+\\.[0-9]", part = number + "+ +[0-9]+\\.[0-9] % +([0-9.]+ (GFLOP|GB)/s|-)";
  for (const Profile::Op& op : profile.ops()) {
    CHECK(std::regex_search(table, std::regex("\n" + op.name + " +[0-9]+" + part + part + "\n")));
  }
  CHECK(std::regex_search(table, std::regex("\nall ops" + part + part + "\ndata" + part + "\noptimizer" + part +
                                            "\nother" + part + "\noutside of updates: other [0-9.]+ s\n$")));
  CHECK(Profile().table() == "profile: no update was done\n");
}
