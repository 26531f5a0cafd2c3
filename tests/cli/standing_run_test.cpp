// What `rapt train` does about an existing run: whether it matches the request, and how it continues.
#include <doctest/doctest.h>

#include <regex>

#include "cli/little_bert.h"

using namespace rapt;

namespace {

std::vector<std::string> train_on(const std::string& data, const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {"train",   data, "--layers",    "1",    "--heads", "2", "--width",   "16",
                                  "--batch", "2",  "--tokenizer", "char", "--steps", "6", "--context", "16"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string without_comments(const std::string& toml) { return std::regex_replace(toml, std::regex(" +# .*"), ""); }

/// The settings that --print-config shows and those that the run then writes.
void check_printed(const Workshop& shop, std::vector<std::string> call, const std::string& out) {
  CAPTURE(out);
  call.insert(call.end(), {"--out", out});
  const ProgramResult run = shop.rapt(call);
  INFO(run.err);
  REQUIRE(run.code == 0);
  const std::string written = shop.read(out + "/config.toml");
  CHECK(without_comments(shop.rapt({"train", "--resume", out, "--print-config"}).out) == written);
  std::filesystem::remove_all(shop.path(out));
  call.emplace_back("--print-config");
  const ProgramResult printed = shop.rapt(call);
  CHECK(printed.code == 0);
  CHECK(without_comments(printed.out) == written);
  CHECK_FALSE(shop.has(out));
}

}  // namespace

TEST_CASE("another text of the same name is another run") {
  const Workshop shop;
  for (const char* folder : {"p1", "p2"}) std::filesystem::create_directories(shop.path(folder));
  shop.write("p1/data.txt", little_paragraphs());
  shop.write("p2/data.txt", little_paragraphs().substr(100));
  REQUIRE(shop.rapt(train_on("p1/data.txt")).code == 0);
  check_error(shop.rapt(train_on("p2/data.txt")), 73,
              "runs/data holds a finished run on p1/data.txt, got p2/data.txt with other content; for a new run: rapt "
              "train p2/data.txt --layers 1 --heads 2 --width 16 --batch 2 --tokenizer char --steps 6 --context 16 "
              "--out runs/data-2");
  std::filesystem::copy(shop.path("p1/data.txt"), shop.path("p2/copy.txt"));
  CHECK(shop.rapt(train_on("p2/copy.txt", {"--out", "runs/data"})).err.find("is finished") != std::string::npos);
  shop.write("p1/data.txt", little_paragraphs() + "one line more .\n");
  CHECK(shop.rapt(train_on("p1/data.txt")).err.find("on p1/data.txt, which has changed since; ") != std::string::npos);
  CHECK(shop.rapt({"train", "--resume", "runs/data", "--steps", "9"}).code == 78);
  CHECK(shop.rapt({"train", "--resume", "runs/data"}).code == 0);  // it is finished, even if its data changed since
}

TEST_CASE("another initial model is another run, and so are other labels") {
  const Workshop& shop = little_bert();
  const auto tune = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = {"finetune", "--task", "classify", "--steps", "4", "--out", "runs/identity"};
    all.insert(all.end(), more.begin(), more.end());
    return shop.rapt(all);
  };
  REQUIRE(tune({"--init", "runs/b", "--train", "train.tsv"}).code == 0);
  CHECK(tune({"--init", "runs/b/best.h5", "--train", "train.tsv"}).code == 0);  // the same weights
  const ProgramResult labels = tune({"--init", "runs/b", "--train", "valid.tsv"});
  CHECK(labels.code == 73);
  CHECK(labels.err.starts_with(
      "error: runs/identity holds a finished run on train.tsv, got valid.tsv with other content; for a new run: "));
  const ProgramResult model = tune({"--init", "runs/identity", "--train", "train.tsv"});
  CHECK(model.code == 73);
  CHECK(
      model.err.starts_with("error: runs/identity holds a finished run with --init runs/b/best.h5, got "
                            "runs/identity/best.h5 with other content; for a new run: "));
}

TEST_CASE("a mistyped setting is an error before a run is said to be finished") {
  const Workshop shop;
  shop.write("my.txt", little_paragraphs());
  REQUIRE(shop.rapt(train_on("my.txt")).code == 0);
  check_error(
      shop.rapt({"train", "my.txt", "--tokenizer", "wordpice"}), 64,
      "--tokenizer must be a file or one of char, byte, byte-bpe, bpe, wordpiece, metaspace-bpe, unigram, word, got "
      "\"wordpice\"; did you mean wordpiece?");
  check_error(shop.rapt({"train", "my.txt", "--text-column", "a"}), 64,
              "--text-column applies to labelled tasks, got --task lm; leave it out");
  check_error(shop.rapt({"train", "my.txt", "--steps", "0"}), 64,
              "--steps must be above 0, got 0; leave it out for no limit");
}

TEST_CASE("a finished run trains further when it is asked to") {
  const Workshop shop;
  shop.write("my.txt", little_paragraphs());
  REQUIRE(shop.rapt(train_on("my.txt")).code == 0);
  const ProgramResult further = shop.rapt({"train", "--resume", "runs/my", "--steps", "10"});
  CHECK(further.code == 0);
  CHECK(further.err.starts_with(
      "train: continues from update 6 to update 10 in a new stretch of the schedule: warm-up "));
  CHECK(further.err.find("trained 10 updates") != std::string::npos);
  const ProgramResult minutes = shop.rapt({"train", "--resume", "runs/my", "--minutes", "0.002", "more"});
  CHECK(minutes.code == 0);
  CHECK(minutes.err.starts_with("train: continues from update 10 to update "));
  const ProgramResult back = shop.rapt({"train", "--resume", "runs/my", "--steps", "3"});
  CHECK(back.code == 64);
  CHECK(std::regex_match(back.err, std::regex("error: train: the new end must be after update \\d+, which the run has "
                                              "reached, got update 3\n")));
}

TEST_CASE("--print-config shows what runs, and so does the config.toml of the run") {
  const Workshop& shop = little_bert();
  check_printed(shop, {"train", "text.txt", "--steps", "3"}, "runs/printed-lm");
  check_printed(shop, {"train", "text.txt", "--model", "bert", "--document-lines", "1", "--steps", "3"},
                "runs/printed-bert");
  const std::vector<std::string> tune = {"finetune", "--task", "classify", "--init", "runs/b", "--train", "train.tsv"};
  check_printed(shop, tune, "runs/printed-tune");
  std::vector<std::string> shown = tune;
  shown.emplace_back("--print-config");
  const std::string toml = shop.rapt(shown).out;
  for (const char* line :
       {"model = \"bert\"", "layers = 1", "width = 16", "batch = 32", "learning-rate = 5e-5", "schedule = \"linear\"",
        "epochs = 3", "tokenizer = \"init\"", "labels = [\"cat\", \"dog\"]"}) {
    CAPTURE(line);
    CHECK(without_comments(toml).find(std::string("\n") + line + "\n") != std::string::npos);
  }
}

TEST_CASE("options that contradict the model of --init are rejected") {
  const Workshop& shop = little_bert();
  const auto refuses = [&](const std::vector<std::string>& more, const std::string& message) {
    std::vector<std::string> call = {"finetune", "--task", "classify", "--init", "runs/b", "--train", "train.tsv"};
    call.insert(call.end(), more.begin(), more.end());
    check_error(shop.rapt(call), 64, message);
  };
  refuses({"--layers", "2"}, "--layers 2 cannot take effect: the model of --init runs/b has 1; leave it out");
  refuses(
      {"--context", "64"},
      "--context 64 cannot take effect: the model of --init runs/b has 128; for shorter sequences give --max-length "
      "64");
  refuses({"--max-length", "1000"}, "--max-length must be at most the context of the model, which is 128, got 1000");
  refuses({"--tokenizer", "char"},
          "--tokenizer char cannot take effect: the model of --init runs/b has its own tokenizer; leave it out");
  refuses({"--vocab", "300"},
          "--vocab applies to tokenizers that are trained on the data, got --tokenizer init; leave it out");
  CHECK_FALSE(shop.has("runs/b-classify-train/config.toml"));
}

TEST_CASE("a text of many characters gets a vocabulary that holds them") {
  const Workshop shop;
  std::string text;
  for (int i = 0; i < 4000; ++i) {
    const int code = 0x4E00 + i % 900;
    text += static_cast<char>(0xE0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
    if (i % 10 == 9) text += i % 40 == 39 ? "\n\n" : "\n";
  }
  shop.write("zh.txt", text);
  const ProgramResult result = shop.rapt({"train", "zh.txt", "--model", "bert", "--steps", "2", "--width", "16"});
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(shop.has("runs/zh-bert/last.h5"));
}
