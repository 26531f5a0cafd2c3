#include "train/files/weight_average.h"

#include <doctest/doctest.h>

#include "io/temporary_folder.h"
#include "nn/models/language_model.h"
#include "support/small_networks.h"
#include "tensor/error.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

// A GPT whose weights all have one value.
LanguageModel filled(const GptConfig& config, float value) {
  Initializer init(1);
  LanguageModel network(std::make_unique<Gpt>(config, init));
  for (NamedParameter& p : parameters_of(network)) p.variable.value().fill(value);
  return network;
}

}  // namespace

TEST_CASE("the average of networks has the mean of each weight") {
  WeightAverage average;
  LanguageModel a = filled(small_gpt(), 1), b = filled(small_gpt(), 2), c = filled(small_gpt(), 6);
  average.add(a, "a");
  average.add(b, "b");
  average.add(c, "c");
  average.give(a);
  for (const NamedParameter& p : parameters_of(a)) {
    for (const float v : p.variable.value().span<float>()) REQUIRE(v == 3.0F);
  }
}

TEST_CASE("networks of other structures are not averaged") {
  WeightAverage average;
  GptConfig wider = small_gpt(), deeper = small_gpt();
  wider.width = 16;
  deeper.layers = 3;
  LanguageModel a = filled(small_gpt(), 1), b = filled(wider, 1), c = filled(deeper, 1);
  average.add(a, "a.h5");
  CHECK_THROWS_WITH_AS(average.add(b, "b.h5"),
                       "average: b.h5 has tokens.weight [19, 16], a.h5 has tokens.weight [19, 8]; only networks of the "
                       "same structure can be averaged",
                       DataError);
  CHECK_THROWS_WITH_AS(
      average.add(c, "c.h5"),
      "average: c.h5 has 40 parameters, a.h5 has 28; only networks of the same structure can be averaged", DataError);
}
