#include "train/files/tokenizers.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "io/temporary_folder.h"
#include "nn/models/gpt.h"
#include "support/small_networks.h"
#include "tensor/error.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "train/files/checkpoint.h"
#include "train/settings/config_file.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

std::shared_ptr<const Tokenizer> tokenizer_for(const std::string& text) {
  TokenizerTrainer trainer({.type = TokenizerType::kChar});
  trainer.add_text(text);
  return trainer.train();
}

// Writes a checkpoint with these tokenizers and reads them again; `texts` gets the names of its texts.
Tokenizers round_trip(const Tokenizers& tokenizers, std::vector<std::string>* texts = nullptr) {
  const TemporaryFolder folder;
  Initializer init(1);
  Gpt network(small_gpt(), init);
  save_model(folder / "a.h5", network, {.config = to_toml(TrainConfig()), .tokenizers = tokenizers, .manifest = "{}"});
  const CheckpointFile file(folder / "a.h5");
  if (texts != nullptr) {
    *texts = file.texts();
    std::ranges::sort(*texts);
  }
  return tokenizers_of(file);
}

}  // namespace

TEST_CASE("a checkpoint holds one tokenizer, two, or none, and gives back the same") {
  const Tokenizers two{.target = tokenizer_for("abc"), .source = tokenizer_for("wxyz")};
  std::vector<std::string> texts;
  const Tokenizers both = round_trip(two, &texts);
  CHECK(both.target->to_json() == two.target->to_json());
  CHECK(both.source->to_json() == two.source->to_json());
  CHECK(both.source->to_json() != both.target->to_json());
  CHECK(texts == std::vector<std::string>{"config", "manifest", "tokenizer_source", "tokenizer_target"});

  const Tokenizers one = round_trip({.target = two.target}, &texts);
  CHECK(one.target->to_json() == two.target->to_json());
  CHECK(one.source == nullptr);
  CHECK(texts == std::vector<std::string>{"config", "manifest", "tokenizer"});

  CHECK(round_trip({}, &texts).target == nullptr);
  CHECK(texts == std::vector<std::string>{"config", "manifest"});
}

TEST_CASE("a checkpoint with one of two tokenizers, or with three, is refused") {
  const TemporaryFolder folder;
  const std::string json = tokenizer_for("abc")->to_json();
  const auto message = [&](const std::vector<std::string>& names) -> std::string {
    CheckpointContents contents;
    contents.texts = {{"config", ""}};
    for (const std::string& name : names) contents.texts.emplace_back(name, json);
    contents.texts.emplace_back("manifest", "{}");
    const std::string path = folder / "a.h5";
    write_checkpoint(path, contents);
    try {
      static_cast<void>(tokenizers_of(CheckpointFile(path)));
    } catch (const DataError& error) {
      return std::string(error.what()).substr(("checkpoint: " + path).size());
    }
    return "";
  };
  CHECK(message({"tokenizer"}).empty());
  CHECK(message({"tokenizer_source", "tokenizer_target"}).empty());
  const std::string must = " must have /tokenizer, or /tokenizer_source and /tokenizer_target, got ";
  CHECK(message({"tokenizer_source"}) == must + "/tokenizer_source");
  CHECK(message({"tokenizer_target"}) == must + "/tokenizer_target");
  CHECK(message({"tokenizer", "tokenizer_target"}) == must + "/tokenizer and /tokenizer_target");
  CHECK(message({"tokenizer", "tokenizer_source", "tokenizer_target"}) ==
        must + "/tokenizer and /tokenizer_source and /tokenizer_target");
}
