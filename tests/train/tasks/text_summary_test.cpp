#include "train/tasks/text_summary.h"

#include <doctest/doctest.h>

#include "io/temporary_folder.h"
#include "text/corpus/stories.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "train/settings/numbers.h"

using namespace rapt;

namespace {

std::vector<std::string> told_of(const std::string& text, const TrainConfig& config = {}) {
  const TemporaryFolder folder;
  write_plainly(folder / "my.txt", text);
  TokenizerTrainer trainer({.type = TokenizerType::kByte});
  trainer.add_text("x");
  const auto tokenizer = trainer.train();
  const TokenStore store = build_token_store(Corpus({.sources = {folder / "my.txt"}}), nullptr, *tokenizer,
                                             folder / "d.h5", {.validation_fraction = config.validation_fraction});
  std::vector<std::string> told;
  tell_text(config, store, true, [&](std::string line) {
    const std::size_t at = line.find(folder / "my.txt");
    if (at != std::string::npos) line.replace(at, (folder / "my.txt").size(), "my.txt");
    told.push_back(line);
  });
  return told;
}

}  // namespace

TEST_CASE("the report on a text has its size, documents, tokens and held-out part") {
  CHECK(told_of(std::string(2000, 'a')) ==
        std::vector<std::string>{"data: my.txt: 2.0 KiB, 2,000 tokens",
                                 "data: the last 200 tokens are held out for validation"});
}

TEST_CASE("a run without validation gives a warning") {
  TrainConfig all;
  all.validation_fraction = 0;
  const std::vector<std::string> told = told_of("some text", all);
  REQUIRE(told.size() == 2);
  CHECK(told[1] ==
        "warning: nothing is held out for validation, so overfitting stays unnoticed and no best checkpoint is "
        "selected; give "
        "--validation-data FILE");
}

TEST_CASE("thousands of passes over a few bytes give a warning, dozens do not") {
  TrainConfig config;
  config.batch = 8;
  TrainingData data;
  data.samples_per_epoch = 4;
  data.tokens_per_sample = 64;
  std::vector<std::string> told;
  const Notice listen = [&](const std::string& line) { told.push_back(line); };
  warn_of_passes(config, data, 20, listen);
  CHECK(told.empty());
  warn_of_passes(config, data, 24000, listen);
  REQUIRE(told.size() == 1);
  CHECK(told[0] ==
        "warning: 24,000 updates are about 48,000 passes over 256 tokens, so the model will memorise them; use more "
        "data, or lower --minutes or --steps");
}

TEST_CASE("numbers are grouped by thousands") {
  CHECK(print_grouped(0) == "0");
  CHECK(print_grouped(999) == "999");
  CHECK(print_grouped(1000) == "1,000");
  CHECK(print_grouped(1234567) == "1,234,567");
  CHECK(print_grouped(-1234) == "-1,234");
}
