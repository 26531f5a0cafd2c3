#include "train/files/hugging_face.h"
#include "support/small_networks.h"
#include "train/models/networks.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "decode/generate.h"
#include "decode/gpt_decoder.h"
#include "io/shared_data.h"
#include "io/temporary_folder.h"
#include "support/network_checks.h"
#include "tensor/error.h"
#include "train/files/checkpoint.h"
#include "train/files/pretrained.h"
#include "train/settings/config_file.h"
#include "train/tasks/choose.h"

using namespace rapt;
using rapt::testing::check_equal;
using rapt::testing::of_size;

namespace {

GptConfig small(NormPlacement norm) {
  GptConfig c = of_size({23, 8, 12, 2, 3}, norm == NormPlacement::kPre ? GptConfig::gpt2() : GptConfig::gpt1());
  return c;
}

void write_language_model(Gpt& model, const std::string& directory) {
  write_hugging_face(model, {.network = {.backbone = model.config()}}, {}, directory);
}

}  // namespace

TEST_CASE("a network written as a Hugging Face directory and read back has the same bits") {
  const TemporaryFolder folder;
  for (const NormPlacement norm : {NormPlacement::kPre, NormPlacement::kPost}) {
    for (const bool tied : {true, false}) {
      GptConfig c = small(norm);
      c.tied_head = tied;
      Initializer init(3);
      Gpt model(c, init);
      const std::string directory =
          folder / ("hf" + std::to_string(tied) + std::to_string(norm == NormPlacement::kPre));
      write_language_model(model, directory);
      HuggingFaceModel again = read_hugging_face(directory);
      check_equal(model, again.network.module());
      CHECK(gpt_of(again.network.network()).config().activation == c.activation);
      CHECK(gpt_of(again.network.network()).config().norm == c.norm);
    }
  }
}

TEST_CASE("a network without biases is exported with zeros for them") {
  const TemporaryFolder folder;
  GptConfig c = small(NormPlacement::kPre);
  c.bias = false;
  Initializer init(3);
  Gpt model(c, init);
  write_language_model(model, folder / "hf");
  HuggingFaceModel again = read_hugging_face(folder / "hf");
  for (const NamedParameter& p : parameters_of(again.network.module())) {
    if (!p.name.ends_with(".bias")) continue;
    for (const float x : p.variable.value().span<float>()) CHECK(x == 0);
  }
}

TEST_CASE("an imported network survives as a checkpoint") {
  const TemporaryFolder folder;
  GptConfig c = small(NormPlacement::kPre);
  c.scale_attention_by_inverse_layer = true;
  c.feed_forward = 20;
  c.activation = Activation::kRelu;
  Initializer init(4);
  Gpt model(c, init);
  TrainConfig config;
  take_network_settings(config, {.backbone = c});
  save_model(folder / "m.h5", model, {.config = to_toml(config), .tokenizers = {}, .manifest = "{}"});
  Pretrained again = open_pretrained(folder / "m.h5");
  check_equal(model, again.network->module());
  CHECK(gpt_of(again.language_model()).config().scale_attention_by_inverse_layer);
  CHECK(gpt_of(again.language_model()).config().inner_width() == 20);
}

TEST_CASE("unsupported settings of a configuration are named") {
  const auto read = [](const char* text) {
    return *config_from_json(parse_json(text, "config.json"), "config.json").network.backbone.as<GptConfig>();
  };
  CHECK_THROWS_WITH_AS(read(R"({"model_type":"llama"})"),
                       "config.json: \"model_type\" must be gpt2, openai-gpt, gpt_neox, bert, marian, bart, mbart or "
                       "pegasus, got \"llama\"",
                       DataError);
  CHECK_THROWS_AS(read(R"({"model_type":"gpt2","activation_function":"mish"})"), DataError);
  CHECK_THROWS_AS(read(R"({"model_type":"gpt2","add_cross_attention":true})"), DataError);
  CHECK_THROWS_AS(read(R"({"model_type":"gpt2","n_embd":10,"n_head":3})"), DataError);
  CHECK(read(R"({"model_type":"openai-gpt","afn":"gelu"})").activation == Activation::kGeluTanh);
  CHECK(read(R"({"model_type":"gpt2","activation_function":"gelu"})").activation == Activation::kGelu);
}

TEST_CASE("weights that do not fit the configuration are named with both shapes") {
  const TemporaryFolder folder;
  Initializer init(3);
  Gpt model(small(NormPlacement::kPre), init);
  write_language_model(model, folder / "hf");
  std::string config = read_plainly(folder / "hf/config.json");
  config.replace(config.find("\"vocab_size\": 23"), 16, "\"vocab_size\": 24");
  write_plainly(folder / "hf/config.json", config);
  CHECK_THROWS_WITH_AS(read_hugging_face(folder / "hf"),
                       (folder / "hf" + ": transformer.wte.weight is [23, 12], config.json needs [24, 12]").c_str(),
                       DataError);
}

TEST_CASE("tiny-random-gpt2 continues greedily as recorded") {
  const std::string directory = shared_data("data/models/tiny-random-gpt2");
  if (directory.empty()) return;
  const HuggingFaceModel model = read_hugging_face(directory);
  const Json expected = read_json_file(directory + "/expected.json");
  for (const Json& item : expected.at("greedy")) {
    const auto prompt = item.at("prompt").get<std::vector<std::int32_t>>();
    GenerateOptions options;
    options.sampling.greedy = true;
    options.max_tokens = item.at("max_length").get<std::int64_t>() - static_cast<std::int64_t>(prompt.size());
    std::vector<std::int32_t> all = prompt;
    GptDecoder decoder(gpt_of(model.network.network()), 1);
    const std::vector<std::int32_t> tokens = generate(decoder, {prompt}, options).front().tokens;
    all.insert(all.end(), tokens.begin(), tokens.end());
    CHECK(all == item.at("expected").get<std::vector<std::int32_t>>());
  }
}
