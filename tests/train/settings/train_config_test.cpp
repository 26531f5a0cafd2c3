#include "train/settings/train_config.h"

#include <doctest/doctest.h>

#include <set>

#include "tensor/error.h"
#include "train/settings/numbers.h"
#include "train/settings/settings.h"
#include "train/settings/settings_agreement.h"

using namespace rapt;

static TrainConfig with(const std::vector<std::pair<std::string, std::string>>& values) {
  TrainConfig config;
  for (const auto& [name, value] : values) find_setting(name)->set(config, {value});
  return config;
}

TEST_CASE("every name and alias means one setting only, in kebab-case") {
  std::set<std::string> seen;
  for (const std::string& name : setting_names()) {
    CAPTURE(name);
    CHECK(seen.insert(name).second);
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos);
  }
}

TEST_CASE("what a setting prints it reads back, for the defaults and for other values") {
  const TrainConfig other = with({{"data", "a.txt"},
                                  {"dropout", "0.25"},
                                  {"attention-dropout", "0"},
                                  {"bias", "off"},
                                  {"warmup", "10%"},
                                  {"learning-rate", "6e-4"},
                                  {"tokens", "1.5M"},
                                  {"schedule", "wsd"},
                                  {"out", "runs/x"}});
  for (const TrainConfig& config : {TrainConfig{}, other}) {
    TrainConfig copy;
    for (const Setting& setting : settings())
      if (const auto values = setting.get(config); !values.empty()) setting.set(copy, values);
    CHECK(copy == config);
  }
}

TEST_CASE("every setting has help, a group and a value to show") {
  for (const Setting& setting : settings()) {
    CAPTURE(setting.name);
    CHECK_FALSE(setting.help.empty());
    CHECK_FALSE(setting.group.empty());
    CHECK_FALSE(setting.value.empty());
    CHECK(setting.help.back() != '.');
  }
}

TEST_CASE("names from other projects are accepted, in both spellings") {
  for (const auto& row : std::vector<std::pair<const char*, const char*>>{{"n_layer", "layers"},
                                                                          {"n_head", "heads"},
                                                                          {"n_embd", "width"},
                                                                          {"block_size", "context"},
                                                                          {"block-size", "context"},
                                                                          {"max_iters", "steps"},
                                                                          {"max_steps", "steps"},
                                                                          {"lr", "learning-rate"},
                                                                          {"learning_rate", "learning-rate"},
                                                                          {"per_device_train_batch_size", "batch"},
                                                                          {"gradient_accumulation_steps", "accumulate"},
                                                                          {"grad_clip", "clip"},
                                                                          {"max_grad_norm", "clip"},
                                                                          {"lr_scheduler_type", "schedule"},
                                                                          {"warmup_iters", "warmup"},
                                                                          {"num_train_epochs", "epochs"},
                                                                          {"eval_interval", "eval-every"},
                                                                          {"save_steps", "save-every"},
                                                                          {"output_dir", "out"},
                                                                          {"min_lr", "min-learning-rate"}}) {
    const std::string alias = row.first, name = row.second;  // clang 14 does not capture bindings
    CAPTURE(alias);
    REQUIRE(find_setting(alias));
    CHECK(find_setting(alias)->name == name);
  }
  CHECK(find_setting("nothing-like-it") == nullptr);
}

TEST_CASE("shorthands set the settings that they stand for") {
  CHECK(with({{"betas", "0.8,0.7"}}).beta1 == 0.8);
  CHECK(with({{"betas", "0.8,0.7"}}).beta2 == 0.7);
  CHECK(to_string(with({{"warmup_ratio", "0.06"}}).warmup) == "6%");
  CHECK(with({{"schedule", "inverse_sqrt"}}).schedule == "inverse-sqrt");
  CHECK(with({{"activation", "gelu_new"}}).activation == "gelu-tanh");
  CHECK(with({{"model", "openai-gpt"}}).model == "gpt1");
}

static void refuses(const std::vector<std::pair<std::string, std::string>>& values, const char* message) {
  CAPTURE(message);
  CHECK_THROWS_WITH_AS(validate(with(values)), message, UsageError);
}

TEST_CASE("impossible structures are rejected with a valid value") {
  CHECK_NOTHROW(validate(TrainConfig{}));
  refuses({{"width", "100"}, {"heads", "3"}}, "--width 100 must be a multiple of --heads 3; try --width 99 or 102");
  refuses({{"width", "2"}, {"heads", "3"}}, "--width 2 must be a multiple of --heads 3; try --width 3");
  refuses({{"width", "12"}, {"heads", "4"}, {"position", "rope"}},
          "--position rope needs an even width of each head, got 3 (--width 12 / --heads 4); try --width 16");
  refuses({{"width", "16"}, {"heads", "4"}, {"position", "rope"}, {"rotary-share", "0.25"}},
          "--rotary-share must give an even number of each head's 4 columns, got 1; try --rotary-share 1");
  refuses({{"rotary-base", "500"}}, "--rotary-share and --rotary-base require --position rope, got --position learned");
  refuses({{"learning-rate", "1e-4"}, {"min-learning-rate", "1e-3"}},
          "--min-learning-rate 0.001 must not be above --learning-rate 1e-4");
  refuses({{"optimizer", "sgd"}, {"nesterov", "on"}}, "--nesterov needs --momentum above 0; try --momentum 0.9");
  refuses({{"optimizer", "sgd"}, {"optimizer-precision", "bf16"}},
          "--optimizer-precision bf16 requires --optimizer adamw or adam, got --optimizer sgd; leave it out");
  refuses({{"momentum", "0.9"}}, "--momentum requires --optimizer sgd, got --optimizer adamw; set --beta1 instead");
  refuses({{"steps", "50"}, {"warmup", "100"}}, "--warmup 100 must not be longer than the run, got --steps 50");
  refuses({{"steps", "100"}, {"schedule", "wsd"}, {"warmup", "50"}, {"decay", "60%"}},
          "--warmup 50 and --decay 60% together must not be longer than the run, got --steps 100");
  refuses({{"early-stop", "3"}, {"validation-fraction", "0"}},
          "--early-stop needs validation data; give --validation-data FILE or --validation-fraction above 0");
  refuses({{"early-stop", "3"}, {"eval-every", "off"}}, "--early-stop needs --eval-every; try --eval-every 250");
}

// Checkpoints of imported encoders have task = "embed", so it can be read; help used to offer it for training.
TEST_CASE("the task of a model without a head is read from files, but is not offered and cannot be trained") {
  CHECK(with({{"task", "embed"}}).task == "embed");
  CHECK(find_setting("task")->value == "lm|translate|summarize|mlm|mlm-nsp|classify|regress|multilabel|tag|qa|choice");
  refuses({{"task", "embed"}},
          "--task embed names a model without a head, which has nothing to train; give another --task, or use rapt "
          "embed MODEL for embeddings");
}

static void cannot_be(const char* name, const char* value, const char* message) {
  CAPTURE(name);
  TrainConfig config;
  CHECK_THROWS_WITH_AS(find_setting(name)->set(config, {value}), message, std::invalid_argument);
}

TEST_CASE("invalid values are rejected with the valid ones") {
  cannot_be("layers", "0", "must be a whole number from 1 to 10000, got \"0\"");
  cannot_be("layers", "four", "must be a whole number from 1 to 10000, got \"four\"");
  cannot_be("steps", "-1", "must be a whole number of at least 0, got \"-1\"");
  cannot_be("steps", "1.5", "must be a whole number of at least 0, got \"1.5\"");
  cannot_be("dropout", "1", "must be a number from 0 to below 1, got \"1\"");
  cannot_be("learning-rate", "0", "must be a number above 0, got \"0\"");
  cannot_be("learning-rate", "nan", "must be a number above 0, got \"nan\"");
  cannot_be("bias", "maybe", "must be on or off, got \"maybe\"");
  cannot_be("betas", "0.9", "must be two numbers separated by a comma, got \"0.9\"");
  cannot_be("keep-last", "1", "must be a whole number from 2 to 1000000, got \"1\"");
  cannot_be("schedule", "cosin",
            "must be one of constant|linear|cosine|inverse-sqrt|noam|plateau|wsd, got \"cosin\"; did you mean cosine?");
}

TEST_CASE("numbers read with separators and K, M, G, and print as the shortest text that reads back") {
  CHECK(parse_whole("20_000", 0) == 20000);
  CHECK(parse_whole("1.5M", 0) == 1500000);
  CHECK(parse_whole("9007199254740993", 0) == 9007199254740993);
  CHECK_THROWS_AS(parse_whole("_1", 0), std::invalid_argument);
  CHECK_THROWS_AS(parse_whole("1.0001K", 0), std::invalid_argument);
  CHECK(print_number(6e-4) == "6e-4");
  CHECK(print_number(1e-8) == "1e-8");
  CHECK(print_number(0.1) == "0.1");
  CHECK(print_number(1) == "1");
  CHECK(print_number(1e22) == "1e22");
}

TEST_CASE("threads, paths and save intervals may differ between two sessions of a run, the rest may not") {
  const TrainConfig a;
  CHECK(differences(a, with({{"threads", "7"}, {"out", "x"}, {"data", "y"}, {"save-every", "3"}, {"keep-last", "9"}}))
            .empty());
  const auto found = differences(a, with({{"layers", "7"}, {"seed", "3"}}));
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "layers");
  CHECK(found[0].ours == "4");
  CHECK(found[0].theirs == "7");
}
