#include "train/tasks/held_out_pairs.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "nn/models/any_network.h"
#include "support/small_networks.h"

using namespace rapt;

TEST_CASE("texts written during validation begin with the forced token and have no padding") {
  TrainConfig config;
  config.task = "translate";
  config.start_token = 0;
  config.end_token = 2;
  config.pad_token = 1;
  config.forced_first_token = 7;
  TransformerConfig model = testing::small_transformer();
  model.head_bias = HeadBias::kTrained;
  Initializer init(5);
  AnyNetwork network({.backbone = model, .objective = Objective::kTargetText}, init);
  for (const NamedParameter& parameter : parameters_of(network.module())) {
    Tensor values = parameter.variable.value();
    if (!parameter.name.ends_with("head.bias")) continue;
    values.data<float>()[1] = 1000;   // padding is the likeliest token
    values.data<float>()[2] = -1000;  // and no text ends before it must
  }

  const TokenLists sources = {{5, 6, 2}, {9, 2}, {11, 12, 13, 14, 2}};
  const TokenLists texts = write_texts(network, sources, config);
  REQUIRE(texts.size() == sources.size());
  for (const auto& text : texts) {
    REQUIRE_FALSE(text.empty());
    CHECK(text.front() == 7);
    CHECK(std::ranges::count(text, 1) == 0);
    CHECK(text.size() > 2);
  }
}
