#include "train/settings/config_file.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "train/settings/presets.h"
#include "train/settings/settings.h"
#include "train/settings/settings_agreement.h"

using namespace rapt;

TEST_CASE("a configuration written as TOML reads back the same") {
  TrainConfig config;
  config.data = {"a b.txt", "quote\" back\\slash\ttab\x01.txt"};
  config.sample_prompt = "two\nlines, ünï";
  config.attention_dropout = 0.0;
  config.learning_rate = 0.1 + 0.2;
  config.warmup = parse_period("10%");
  config.eval_every = parse_period("1Mt");
  config.save_every = Period{};
  CHECK(from_toml(to_toml(config), "x") == config);
  CHECK(from_toml(to_toml(TrainConfig{}), "x") == TrainConfig{});
}

TEST_CASE("the TOML text is grouped and reads like flags") {
  const std::string text = to_toml(TrainConfig{});
  CHECK(text.find("# task\n") == 0);
  CHECK(text.find("\n# model\nmodel = \"gpt2\"\nlayers = 4\n") != std::string::npos);
  CHECK(text.find("\nbias = true\n") != std::string::npos);
  CHECK(text.find("\nlog-every = 10\n") != std::string::npos);
  CHECK(text.find("\nsample-every = \"off\"\n") != std::string::npos);
  CHECK(text.find("betas") == std::string::npos);
}

TEST_CASE("aliases, booleans and other number forms are understood in files") {
  const TrainConfig config =
      from_toml("n_layer = 7\nbias = false\nlr = 1_000e-6\nmax_steps = 1_000\nwarmup = '5%'\n", "x");
  CHECK(config.layers == 7);
  CHECK_FALSE(config.bias);
  CHECK(config.learning_rate == 1e-3);
  CHECK(config.steps == 1000);
  CHECK(to_string(config.warmup) == "5%");
}

static void toml_refuses(const char* text, const char* message) {
  CAPTURE(text);
  CHECK_THROWS_WITH_AS(from_toml(text, "run.toml"), message, ConfigError);
}

TEST_CASE("errors in files name line and column") {
  toml_refuses("layers = 4\nlayer = 5\n", "run.toml:2:9: unknown setting layer; did you mean layers?");
  toml_refuses("\nlayers = \"many\"\n", "run.toml:2:10: layers must be a whole number from 1 to 10000, got \"many\"");
  toml_refuses("[model]\nlayers = 4\n",
               "run.toml:1:1: settings must be at the top level, got the table [model]; remove its heading");
  toml_refuses("layers = [4, 5]\n", "run.toml:1:10: layers must be one value, got a list of 2");
  toml_refuses("layers = 1979-05-27\n", "run.toml:1:10: layers must be a string, a number, true or false");
  CHECK_THROWS_AS(from_toml("layers = = 4\n", "run.toml"), ConfigError);
  CHECK_THROWS_AS(from_toml("\"\\u001b[31m\" = 4\n", "run.toml"), ConfigError);
}

TEST_CASE("options override the file, the file overrides the preset, the preset overrides the defaults") {
  const LayeredConfig config =
      layer_config("layers = 5\nheads = 2\n", "run.toml",
                   {{"preset", {"shakespeare-char-cpu"}}, {"n_layer", {"6"}}, {"betas", {"0.5,0.6"}}});
  CHECK(config.values.layers == 6);
  CHECK(config.values.heads == 2);
  CHECK(config.values.width == 128);
  CHECK(config.values.steps == 2000);
  CHECK(config.values.beta2 == 0.6);
  CHECK(config.origin_of("layers") == Origin::kFlag);
  CHECK(config.origin_of("heads") == Origin::kFile);
  CHECK(config.origin_of("steps") == Origin::kPreset);
  CHECK(config.origin_of("beta2") == Origin::kFlag);
  CHECK(config.origin_of("label-smoothing") == Origin::kDefault);
  CHECK(config.given("steps"));
  CHECK_FALSE(config.given("label-smoothing"));
  const std::string shown = describe(config);
  CHECK(shown.find("layers = 6                              # flag\n") != std::string::npos);
  CHECK(shown.find("steps = 2000                            # preset shakespeare-char-cpu\n") != std::string::npos);
}

TEST_CASE("a preset may be named in the file, and an option overrides it") {
  CHECK(layer_config("preset = 'gpt2'\n", "x", {}).values.width == 768);
  CHECK(layer_config("preset = 'gpt2'\n", "x", {{"preset", {"gpt2-xl"}}}).values.width == 1600);
}

TEST_CASE("errors for unknown options name the most similar one, and errors for bad values the canonical option") {
  CHECK_THROWS_WITH_AS(layer_config("", "", {{"widht", {"3"}}}), "unknown option --widht; did you mean --width?",
                       UsageError);
  CHECK_THROWS_WITH_AS(layer_config("", "", {{"n_layer", {"x"}}}),
                       "--layers must be a whole number from 1 to 10000, got \"x\"", UsageError);
  CHECK_THROWS_WITH_AS(layer_config("", "", {{"preset", {"gpt3"}}}),
                       "--preset must be one of shakespeare-char-cpu, shakespeare-char, gpt1, gpt2, gpt2-medium, "
                       "gpt2-large, gpt2-xl, bert-tiny, bert-mini, bert-small, bert-medium, bert-base, "
                       "lstm-seq2seq, gru-seq2seq, gru-bahdanau, lstm-luong, transformer-base, transformer-big, "
                       "transformer-tiny, multi30k, "
                       "glue/cola, "
                       "glue/sst2, glue/mrpc, glue/stsb, glue/qqp, glue/mnli, glue/qnli, glue/rte, glue/wnli, got "
                       "\"gpt3\"; did you mean gpt1?",
                       UsageError);
}

TEST_CASE("every preset and size consists of valid settings that are consistent") {
  for (const auto* table : {&presets(), &bench_presets()}) {
    for (const Preset& preset : *table) {
      CAPTURE(preset.name);
      TrainConfig config;
      for (const auto& [setting, value] : preset.settings) {
        const std::string name(setting);
        CAPTURE(name);
        REQUIRE(find_setting(name));
        CHECK(find_setting(name)->name == name);
        find_setting(name)->set(config, {value});
      }
      CHECK_NOTHROW(validate(config));
    }
  }
  for (const char* size : {"tiny", "mini", "small", "base"})
    CHECK_NOTHROW(validate(layer_config("", "", {{"size", {size}}}).values));
}

TEST_CASE("nanoGPT's CPU recipe is what its authors published") {
  const TrainConfig c = layer_config("", "", {{"preset", {"shakespeare-char-cpu"}}}).values;
  CHECK(c.layers == 4);
  CHECK(c.heads == 4);
  CHECK(c.width == 128);
  CHECK(c.context == 64);
  CHECK(c.batch == 12);
  CHECK(c.learning_rate == 1e-3);
  CHECK(c.min_learning_rate == 1e-4);
  CHECK(c.schedule == "cosine");
  CHECK(to_string(c.warmup) == "100");
  CHECK(c.beta1 == 0.9);
  CHECK(c.beta2 == 0.99);
  CHECK(c.weight_decay == 0.1);
  CHECK(c.clip == 1);
  CHECK(c.dropout == 0);
  CHECK_FALSE(c.bias);
  CHECK(c.steps == 2000);
  CHECK(c.tokenizer == "char");
  CHECK(c.activation == "gelu");
}

TEST_CASE("a run whose minutes were converted to updates is the same run if the minutes are given again") {
  TrainConfig saved, wanted;
  saved.planned_minutes = 2;
  wanted.minutes = 2;
  CHECK(differences(saved, wanted).empty());
  wanted.minutes = 3;
  REQUIRE(differences(saved, wanted).size() == 1);
  CHECK(differences(saved, wanted)[0].name == "minutes");
}
