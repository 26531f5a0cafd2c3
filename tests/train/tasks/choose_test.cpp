#include "train/tasks/choose.h"

#include <doctest/doctest.h>

#include <sstream>

#include "io/temporary_folder.h"
#include "support/run_checks.h"
#include "tensor/error.h"
#include "train/metrics/evaluation.h"
#include "train/settings/settings.h"
#include "train/settings/settings_agreement.h"

using namespace rapt;

TEST_CASE("all validations of a run given in minutes take at most a tenth of it") {
  for (const double full : {0.01, 1.0, 1.2, 1.9, 2.0, 5.0, 8.0, 9.9, 12.0, 100.0, 1e6}) {
    CAPTURE(full);
    constexpr double kAllowed = 12;
    const ValidationPlan plan = plan_validations(full, kAllowed);
    const double seconds = (plan.count * plan.part + (plan.part < 1 ? plan.whole : 0)) * full;
    CHECK(seconds <= kAllowed * (1 + 1e-9));
    CHECK(plan.count >= 5);
    CHECK(plan.part > 0);
    CHECK(plan.whole > 0);
    CHECK((full > 0.8 * kAllowed || plan.whole == 1));  // the last validation is on everything while there is time for
                                                        // it
  }
  CHECK(plan_validations(1, 10).count == 10);
  CHECK(plan_validations(1, 10).part == 1);
  CHECK(plan_validations(0, 10).count == 10);  // nothing is held out
}

TEST_CASE("a chosen vocabulary has room for the text's characters") {
  CorpusInfo english{.documents = 1, .bytes = 1'115'394, .characters = 1'115'394, .different_characters = 65};
  CorpusInfo chinese{.documents = 1, .bytes = 90'000, .characters = 30'000, .different_characters = 2'500};
  const auto vocabulary = [](const char* kind, const CorpusInfo& text) {
    LayeredConfig config;
    choose_tokenizer(config, kind, text);
    return config.values.vocabulary;
  };
  CHECK(vocabulary("byte-bpe", english) == 512);
  CHECK(vocabulary("wordpiece", english) == 512);
  CHECK(vocabulary("byte-bpe", chinese) == 320);  // bytes always have entries
  CHECK(vocabulary("wordpiece", chinese) >= 2 * 2000 + 5);
}

TEST_CASE("a --max-length above the context is rejected if it was requested, and reduced if not") {
  LayeredConfig asked = layer_config("", "", {{"context", {"64"}}, {"max-length", {"100"}}});
  CHECK_THROWS_WITH_AS(fit_max_length(asked), "--max-length must be at most the context, which is 64, got 100",
                       UsageError);
  LayeredConfig preset = layer_config("", "", {{"preset", {"bert-tiny"}}, {"context", {"64"}}});
  CHECK(preset.values.max_length == 128);
  fit_max_length(preset);
  CHECK(preset.values.max_length == 64);
}

TEST_CASE("settings that do not apply to a run are rejected, not ignored") {
  const auto refuses = [](const std::vector<FlagValue>& flags, const char* message) {
    CAPTURE(message);
    CHECK_THROWS_WITH_AS(require_applicable(layer_config("", "", flags)), message, UsageError);
  };
  refuses({{"attention", {"dot"}}}, "--attention applies to --model lstm and gru, got --model gpt2; leave it out");
  refuses({{"model", {"lstm"}}, {"heads", {"8"}}},
          "--heads applies to --model gpt2, gpt1, bert and transformer, got --model lstm; leave it out");
  refuses({{"model", {"gru"}}, {"recompute", {"on"}}},
          "--recompute applies to --model gpt2, gpt1, bert and transformer, got --model gru; leave it out");
  refuses({{"text-column", {"a"}}}, "--text-column applies to labelled tasks, got --task lm; leave it out");
  refuses({{"mlm-probability", {"0.2"}}},
          "--mlm-probability applies to --task mlm and mlm-nsp, got --task lm; leave it out");
  refuses({{"vocab", {"100"}}, {"tokenizer", {"byte-bpe.json"}}},
          "--vocab applies to tokenizers that are trained on the data, got --tokenizer byte-bpe.json; leave it out");
  refuses({{"max-length", {"9"}}},
          "--max-length applies to labelled tasks, masked words and runs with --init, got --task lm; leave it out");
  CHECK_NOTHROW(require_applicable(layer_config("", "", {{"preset", {"bert-tiny"}}})));
}

TEST_CASE("unknown names are rejected before anything is read") {
  const auto refuses = [](const std::vector<FlagValue>& flags, const char* message) {
    CAPTURE(message);
    CHECK_THROWS_WITH_AS(require_known_names(layer_config("", "", flags).values), message, UsageError);
  };
  refuses(
      {{"tokenizer", {"wordpice"}}},
      "--tokenizer must be a file or one of char, byte, byte-bpe, bpe, wordpiece, metaspace-bpe, unigram, word, got "
      "\"wordpice\"; did you mean wordpiece?");
  refuses({{"tokenizer", {"init"}}},
          "--tokenizer init means the tokenizer of --init, which is not given; give --init MODEL");
  CHECK_THROWS_WITH_AS(require_known_names(layer_config("", "", {{"tokenizer", {"none.json"}}}).values),
                       "none.json: no such file (--tokenizer)", MissingInputError);
  CHECK_THROWS_AS(require_known_names(layer_config("", "", {{"metric", {"acuracy"}}}).values), UsageError);
  CHECK_THROWS_AS(require_known_names(layer_config("", "", {{"glue", {"sst3"}}}).values), UsageError);
}

TEST_CASE("a length of 0 is rejected, because it would mean no limit") {
  for (const char* name : {"steps", "epochs", "tokens", "minutes"}) {
    CAPTURE(name);
    CHECK_THROWS_WITH_AS(layer_config("", "", {{name, {"0"}}}),
                         ("--" + std::string(name) + " must be above 0, got 0; leave it out for no limit").c_str(),
                         UsageError);
  }
  CHECK(to_toml(TrainConfig{}).find("\nsteps = ") == std::string::npos);
  CHECK(from_toml("steps = 0\n", "old.toml").steps == 0);  // written by earlier versions
}

TEST_CASE("a part of the held-out data is the same each time, and is spread over all of it") {
  CHECK(evenly_spaced(10, 3) == std::vector<std::int64_t>{0, 3, 6});
  CHECK(evenly_spaced(3, 10) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(evenly_spaced(5, 0) == std::vector<std::int64_t>{0});  // never empty
  CHECK(PartToRead(10, 4, 1000, 0).firsts == std::vector<std::int64_t>{0, 4, 8});
  const PartToRead part(100, 10, 1000, 250);  // 2.5 batches: 3
  CHECK(part.firsts == std::vector<std::int64_t>{0, 30, 60});
  CHECK(part.share == 0.3);
  const PartToRead little(6, 8, 3000, 500);  // less than a batch
  CHECK(little.batch == 1);
  CHECK(little.firsts == std::vector<std::int64_t>{0});
  CHECK(PartToRead(6, 8, 3000, 5000).share == 1);
}

TEST_CASE(
    "a validation reads the given number of tokens; the last one reads all, which does not affect the best "
    "checkpoint") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "the cat sat on the mat "[i % 23];
  write_plainly(folder / "my.txt", text);
  const RunRequest request = testing::run_of({{"data", {folder / "my.txt"}},
                                              {"out", {folder / "run"}},
                                              {"tokenizer", {"char"}},
                                              {"layers", {"1"}},
                                              {"heads", {"2"}},
                                              {"width", {"16"}},
                                              {"context", {"512"}},
                                              {"batch", {"1"}},
                                              {"steps", {"4"}},
                                              {"eval-every", {"2"}},
                                              {"eval-tokens", {"100"}},
                                              {"validation-fraction", {"0.9"}}});
  CHECK(testing::run(request).finished);
  std::vector<std::string> validations;
  std::istringstream metrics(read_plainly(folder / "run/metrics.jsonl"));
  for (std::string line; std::getline(metrics, line);) {
    if (line.find("\"validation\"") != std::string::npos) validations.push_back(line);
  }
  REQUIRE(validations.size() == 2);
  CHECK(validations[0].find("\"share\":") != std::string::npos);
  const auto read = [](const std::string& line) { return std::stoll(line.substr(line.find("\"tokens\":") + 9)); };
  CHECK(read(validations[0]) < 1000);
  CHECK(validations[1].find("\"share\":") == std::string::npos);
  CHECK(read(validations[1]) > 2600);
}
