#include "train/models/model_size.h"

#include <doctest/doctest.h>

#include "train/settings/config_file.h"
#include "train/settings/recipes.h"

using namespace rapt;

static Dim parameters(const char* preset) {
  const TrainConfig config = layer_config("", "", {{"preset", {preset}}}).values;
  return model_size(config, config.vocabulary).parameters;
}

TEST_CASE("the published models have their published numbers of parameters") {
  CHECK(parameters("gpt2") == 124439808);
  CHECK(parameters("gpt2-medium") == 354823168);
  CHECK(parameters("gpt2-large") == 774030080);
  CHECK(parameters("gpt2-xl") == 1557611200);
  CHECK(parameters("gpt1") == 116534784);
}

TEST_CASE("encoder-decoders have the numbers of parameters of their recipes") {
  const auto size = [](const char* preset, VocabularySizes vocabulary) {
    return model_size(layer_config("", "", {{"preset", {preset}}}).values, vocabulary).parameters;
  };
  CHECK(size("multi30k", {5893, 7853}) == 9038341);  // bentrevett/pytorch-seq2seq, notebook 6
  CHECK(size("transformer-base", 37000) == 63082496);
  CHECK(size("transformer-big", 37000) == 214245376);
}

TEST_CASE("BERTs have their published numbers of parameters, with the pooler and without the heads") {
  const auto size = [](const char* preset) {
    return model_size(layer_config("", "", {{"preset", {preset}}}).values, 30522);
  };
  CHECK(size("bert-tiny").parameters == 4385920);
  CHECK(size("bert-mini").parameters == 11170560);
  CHECK(size("bert-small").parameters == 28763648);
  CHECK(size("bert-medium").parameters == 41373184);
  CHECK(size("bert-base").parameters == 109482240);
  CHECK(size("bert-tiny").in_heads == 128 * 128 + 128 + 2 * 128 + 30522 + 2 * 128 + 2);
}

// bentrevett/pytorch-seq2seq, notebooks 1 to 3.
TEST_CASE(
    "the recurrent translators have their published numbers of parameters, also after train has chosen the rest") {
  const auto parameters_of_pairs = [](const char* preset) {
    LayeredConfig config = layer_config("", "", {{"preset", {preset}}});
    choose_pair_recipe(config, false);
    return model_size(config.values, {5893, 7853}).parameters;
  };
  CHECK(parameters_of_pairs("lstm-seq2seq") == 13898501);
  CHECK(parameters_of_pairs("gru-seq2seq") == 14219781);
  CHECK(parameters_of_pairs("gru-bahdanau") == 20518405);
}

TEST_CASE("an encoder's compute counts its word head by the share of masked words, and all keys") {
  TrainConfig config = layer_config("", "", {{"preset", {"bert-tiny"}}}).values;
  const double blocks = 2 * 12 * 128 * 128, words = 30522.0 * 128 + 128 * 128;
  CHECK(model_size(config, 30522).flop_per_token ==
        doctest::Approx(6 * (blocks + 0.15 * words) + 12.0 * 2 * 128 * 128));
  config.task = "classify";
  CHECK(model_size(config, 30522, 10).flop_per_token == doctest::Approx(6 * blocks + 12.0 * 2 * 10 * 128));
  CHECK(model_size(config, 30522).in_heads == 0);
}

TEST_CASE("parts add up to the whole, and blocks to their parts") {
  TrainConfig config;
  config.tie = config.bias = false;
  config.position = "rope";
  const ModelSize size = model_size(config, 65);
  Dim sum = 0;
  for (const auto& part : size.parts) sum += part.second;
  CHECK(sum == size.parameters);
  CHECK(size.parameters == 2 * 65 * 128 + 4 * (12 * 128 * 128 + 2 * 128) + 128);
  CHECK(size.per_block == 12 * 128 * 128 + 2 * 128);
  CHECK(size.state_bytes == 16 * static_cast<std::uint64_t>(size.parameters));
  CHECK(size.flop_per_token == 6.0 * (4 * 12 * 128 * 128 + 65 * 128) + 6.0 * 4 * 256 * 128);
}
