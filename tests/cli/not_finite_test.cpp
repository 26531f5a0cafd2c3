// Models whose weights are damaged: every command that computes with one ends with 79 and prints nothing that looks
// like a result.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/little_bert.h"
#include "cli/run_program.h"

using namespace rapt;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
const std::string kAdvice = "; use another checkpoint of the run, or the files that the model was converted from";

// Writes `value` over every number of a tensor in a Hugging Face directory.
void spoil(const Workshop& shop, const std::string& directory, const std::string& tensor, float value) {
  std::string file = shop.read(directory + "/model.safetensors");
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof header);
  const auto json = nlohmann::json::parse(file.substr(8, header));
  REQUIRE(json.contains(tensor));
  const std::size_t begin = json[tensor]["data_offsets"][0], end = json[tensor]["data_offsets"][1];
  for (std::size_t at = begin; at < end; at += sizeof value) {
    std::memcpy(file.data() + 8 + header + at, &value, sizeof value);
  }
  shop.write(directory + "/model.safetensors", file);
}

void check_not_finite(const Workshop& shop, const std::vector<std::string>& arguments, const std::string& message) {
  CAPTURE(arguments[0]);
  check_error(shop.rapt(arguments), 79, message + kAdvice);
}

// A GPT that was trained for a moment, as a Hugging Face directory of that name.
void make_gpt(const Workshop& shop, const std::string& directory) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "the cat sat on the mat\n";
  shop.write("my.txt", text);
  shop.write("two.txt", "the cat\nsat on\n");
  REQUIRE(shop.rapt({"train",   "my.txt",    "--layers", "1",          "--heads",   "2",           "--width",
                     "16",      "--context", "16",       "--position", "learned",   "--tokenizer", "char",
                     "--steps", "2",         "--out",    "runs/m",     "--threads", "1",           "--quiet"})
              .code == 0);
  REQUIRE(shop.rapt({"checkpoint", "export", "runs/m", "--out", directory}).code == 0);
}

// A BERT of masked words as `words`, and a classifier on it as `classes`.
void make_berts(const Workshop& shop) {
  shop.write("text.txt", little_paragraphs());
  shop.write("train.tsv", little_labels(32, 1));
  REQUIRE(
      shop.rapt({"train",   "text.txt", "--model",   "bert", "--task",  "mlm", "--layers",         "1", "--heads", "2",
                 "--width", "16",       "--context", "64",   "--vocab", "80",  "--document-lines", "1", "--steps", "2",
                 "--out",   "runs/b",   "--threads", "1",    "--quiet"})
          .code == 0);
  REQUIRE(shop.rapt({"finetune", "train.tsv", "--task", "classify", "--init", "runs/b", "--steps", "2", "--out",
                     "runs/c", "--threads", "1", "--quiet"})
              .code == 0);
  REQUIRE(shop.rapt({"checkpoint", "export", "runs/b", "--out", "words"}).code == 0);
  REQUIRE(shop.rapt({"checkpoint", "export", "runs/c", "--out", "classes"}).code == 0);
}

}  // namespace

// `score --json` printed "log_probability":null with exit code 0, and `generate` wrote nonsense.
TEST_CASE("a language model with a NaN in it gives no scores and no text") {
  const Workshop shop;
  make_gpt(shop, "hf");
  spoil(shop, "hf", "transformer.h.0.mlp.c_fc.bias", kNan);
  const std::string why = "; hf has nan in blocks.0.feed_forward.up.bias";
  for (const bool json : {false, true}) {
    const auto with_json = [&](std::vector<std::string> arguments) {
      if (json) arguments.emplace_back("--json");
      return arguments;
    };
    check_not_finite(shop, with_json({"score", "hf", "--data", "two.txt", "--per-line"}),
                     "score: the log-probability must be finite, got nan for text 1, \"the cat\"" + why);
    check_not_finite(shop, with_json({"eval", "hf", "--data", "two.txt"}),
                     "eval: the loss must be finite, got nan" + why);
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{"--greedy"}, {"--seed", "3"}, {"--beam", "2"}, {"--samples", "2"}}) {
      std::vector<std::string> arguments = {"generate", "hf", "--prompt", "the "};
      arguments.insert(arguments.end(), how.begin(), how.end());
      check_not_finite(shop, with_json(arguments),
                       "generate: a model's scores must be finite, got nan for token 1 after prompt 1" + why);
    }
  }
  check_not_finite(shop, {"embed", "hf", "--data", "two.txt"},
                   "embed: a text's vector must be finite, got nan for two.txt: line 1" + why);
  check_not_finite(shop, {"embed", "hf", "--data", "two.txt", "--out", "e.npy"},
                   "embed: a text's vector must be finite, got nan for two.txt: line 1" + why);
  CHECK_FALSE(shop.has("e.npy"));
}

TEST_CASE("training weights with a NaN names them, and does not suggest a learning rate") {
  const Workshop shop;
  make_gpt(shop, "hf");
  spoil(shop, "hf", "transformer.h.0.mlp.c_fc.bias", kNan);
  check_not_finite(shop, {"train", "my.txt", "--init", "hf", "--steps", "2", "--out", "runs/n", "--quiet"},
                   "train: update 1 is not finite: loss nan, gradient norm nan; before the update: nan in "
                   "blocks.0.feed_forward.up.bias; nothing was changed");
}

TEST_CASE("training weights that cause an overflow names the op with the first infinity") {
  const Workshop shop;
  make_gpt(shop, "hf");
  spoil(shop, "hf", "transformer.ln_f.weight", 3e38F);
  const ProgramResult result = shop.rapt(
      {"train", "my.txt", "--init", "hf", "--steps", "2", "--learning-rate", "1e-4", "--out", "runs/n", "--quiet"});
  CHECK(result.code == 79);
  CHECK(result.err.starts_with("error: train: update 1 is not finite: loss "));
  CHECK(result.err.find("; first: ") != std::string::npos);
  CHECK(result.err.find(
            " (norm.gain), with finite inputs; nothing was changed; start again with a lower learning rate, such "
            "as --learning-rate 2.5e-5, or a lower --clip\n") != std::string::npos);
}

// gelu-tanh of this number was NaN.
TEST_CASE("a language model whose activations end where the exponential does gives scores") {
  const Workshop shop;
  make_gpt(shop, "hf");
  spoil(shop, "hf", "transformer.h.0.mlp.c_fc.weight", 0);
  spoil(shop, "hf", "transformer.h.0.mlp.c_fc.bias", -10.060966491699219F);
  const ProgramResult result = shop.rapt({"score", "hf", "--data", "two.txt", "--per-line", "--json"});
  CHECK(result.code == 0);
  CHECK(result.out.starts_with("{\"log_probability\":-"));
}

TEST_CASE("finite weights with which numbers overflow are told from those that are not finite") {
  const Workshop shop;
  make_gpt(shop, "hf");
  spoil(shop, "hf", "transformer.ln_f.weight", 3e38F);
  const ProgramResult result = shop.rapt({"score", "hf", "--data", "two.txt", "--per-line", "--json"});
  CHECK(result.code == 79);
  CHECK(result.out.empty());
  CHECK(result.err.find("; the weights of hf are finite but too large to compute with, up to 3e+38 in "
                        "norm.gain" +
                        kAdvice + "\n") != std::string::npos);
}

TEST_CASE("a BERT with a NaN in it fills no gaps, names no classes and is not evaluated") {
  const Workshop shop;
  make_berts(shop);
  spoil(shop, "words", "bert.encoder.layer.0.intermediate.dense.bias", kNan);
  const std::string why = "; words has nan in backbone.blocks.0.feed_forward.up.bias";
  for (const char* json : {"--quiet", "--json"}) {
    check_not_finite(shop, {"fill-mask", "words", "the [MASK] sat on the mat .", json},
                     "fill-mask: a model's scores must be finite, got nan for [MASK] 1 of \"the [MASK] sat on the mat "
                     ".\"" +
                         why);
    check_not_finite(shop, {"eval", "words", "--data", "text.txt", json},
                     "eval: the loss must be finite, got nan" + why);
  }
  spoil(shop, "classes", "classifier.bias", -std::numeric_limits<float>::infinity());
  const std::string scores =
      "classify: a model's scores must be finite, got -inf for train.tsv: line 2; classes has "
      "an infinity in head.bias";
  check_not_finite(shop, {"predict", "classes", "--data", "train.tsv"}, scores);
  check_not_finite(shop, {"predict", "classes", "--data", "train.tsv", "--out", "p.tsv"}, scores);
  CHECK_FALSE(shop.has("p.tsv"));
  check_not_finite(shop, {"eval", "classes", "--data", "train.tsv", "--json"}, scores);
}
