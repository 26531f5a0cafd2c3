// rapt train --task translate and summarize, as users type them.
#include <string>

#include "io/json.h"
#include "run_program.h"
#include "support/parallel_corpus.h"

using namespace rapt;

namespace {

const std::vector<std::string> kSmallTranslator = {
    "--layers", "1",  "--heads",     "2", "--width",      "32", "--feed-forward", "32", "--batch-tokens", "400",
    "--steps",  "12", "--log-every", "4", "--eval-every", "6",  "--save-every",   "6"};

std::vector<std::string> train_small(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "train");
  arguments.insert(arguments.end(), kSmallTranslator.begin(), kSmallTranslator.end());
  return arguments;
}

void write_corpus(const Workshop& shop) {
  const testing::ParallelCorpus corpus = testing::parallel_corpus(300);
  shop.write("train.en", corpus.source);
  shop.write("train.xx", corpus.target);
}

bool says(const ProgramResult& result, const std::string& text) {
  if (result.err.find(text) != std::string::npos) return true;
  MESSAGE(result.err);
  return false;
}

}  // namespace

TEST_CASE("two files become a translation run that says what it read, and resumes with the same bits") {
  Workshop shop;
  write_corpus(shop);
  const ProgramResult whole =
      shop.rapt(train_small({"--source", "train.en", "--target", "train.xx", "--out", "whole"}));
  REQUIRE_MESSAGE(whole.code == 0, whole.err);
  CHECK(says(whole, "tokenizer: character-level BPE, "));
  CHECK(says(whole, "data: train.en and train.xx: 300 pairs, "));
  CHECK(says(whole, "data: 30 pairs are held out for validation"));
  CHECK(says(whole, "now: rapt translate whole < FILE"));
  CHECK(shop.read("whole/config.toml").find("model = \"transformer\"") != std::string::npos);
  CHECK(shop.read("whole/config.toml").find("tokenizer = \"bpe\"") != std::string::npos);

  // The same run in two stretches.
  std::vector<std::string> first = train_small({"--source", "train.en", "--target", "train.xx", "--out", "parts"});
  CHECK(shop.rapt_until(
                first, [&] { return shop.has("parts/last.h5"); }, SIGINT)
                .code %
            75 ==
        0);
  const ProgramResult rest = shop.rapt(first);
  REQUIRE_MESSAGE(rest.code == 0, rest.err);
  CHECK(shop.rapt({"checkpoint", "diff", "whole", "parts"}).code == 0);
}

TEST_CASE("without --out, the folder has the name of the pairs") {
  Workshop shop;
  write_corpus(shop);
  CHECK(says(shop.rapt(train_small({"--source", "train.en", "--target", "train.xx"})), "runs/train-en-xx <"));
}

TEST_CASE("tables, JSON, standard input and gzip give the same pairs") {
  Workshop shop;
  shop.write("pairs.tsv", "id\tde\ten\n1\tein Hund\ta dog\n2\teine Katze\ta cat\n3\tein Haus\ta house\n");
  shop.write("pairs.jsonl",
             "{\"de\":\"ein Hund\",\"en\":\"a dog\"}\n{\"de\":\"eine Katze\",\"en\":\"a cat\"}\n"
             "{\"de\":\"ein Haus\",\"en\":\"a house\"}\n");
  shop.write("a.de", "ein Hund\neine Katze\nein Haus\n");
  const std::vector<std::string> fields = {"--task", "translate",   "--source-field", "de",   "--target-field",
                                           "en",     "--tokenizer", "char",           "--out"};
  const auto with = [&](const std::string& file, const std::string& out) {
    std::vector<std::string> arguments = {file};
    arguments.insert(arguments.end(), fields.begin(), fields.end());
    arguments.push_back(out);
    return train_small(arguments);
  };
  REQUIRE(shop.rapt(with("pairs.tsv", "a")).code == 0);
  REQUIRE(shop.rapt(with("pairs.jsonl", "b")).code == 0);
  const ProgramResult piped =
      shop.rapt(train_small({"--source", "a.de", "--target", "-", "--tokenizer", "char", "--out", "c"}),
                "a dog\na cat\na house\n");
  REQUIRE_MESSAGE(piped.code == 0, piped.err);
  CHECK(says(piped, "data: a.de and standard input: 3 pairs"));
  CHECK(shop.rapt({"checkpoint", "diff", "a", "b"}).code == 0);
  CHECK(shop.rapt({"checkpoint", "diff", "a", "c"}).code == 0);
}

TEST_CASE("summarisation reads longer sources, and says what it truncates") {
  Workshop shop;
  std::string mails;
  for (int i = 0; i < 40; ++i) {
    mails += "{\"body\": \"";
    for (int k = 0; k < 40; ++k) mails += "word" + std::to_string((i * 7 + k) % 30) + " ";
    mails += "\", \"subject\": \"word" + std::to_string(i % 30) + "\"}\n";
  }
  shop.write("mails.jsonl", mails);
  const ProgramResult result = shop.rapt(train_small(
      {"mails.jsonl", "--task", "summarize", "--tokenizer", "word", "--max-source-length", "20", "--out", "r"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(says(result, "data: 40 sources are truncated to 20 tokens (--max-source-length)"));
  CHECK(shop.read("r/config.toml").find("context = 512") != std::string::npos);
  CHECK(says(result, "now: rapt summarize r < FILE"));
}

TEST_CASE("separate vocabularies, words, unigram and BPE-dropout train") {
  Workshop shop;
  write_corpus(shop);
  const std::vector<std::string> pairs = {"--source", "train.en", "--target", "train.xx"};
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), pairs.begin(), pairs.end());
    return shop.rapt(train_small(more));
  };
  const ProgramResult two =
      run({"--tokenizer", "word", "--shared-vocabulary", "off", "--min-frequency", "1", "--out", "w"});
  REQUIRE_MESSAGE(two.code == 0, two.err);
  CHECK(says(two, "tokenizer: words, 21 entries, trained on the sources"));
  CHECK(says(two, "trained on the targets"));
  CHECK(shop.rapt({"checkpoint", "verify", "w/last.h5"}).code == 0);
  REQUIRE(shop.rapt({"tokenizer", "train", "train.en", "--type", "word", "--out", "words.json"}).code == 0);
  const std::vector<std::string> with_file = {"--tokenizer", "words.json", "--shared-vocabulary"};
  const auto sharing = [&](const char* value) {
    std::vector<std::string> more = with_file;
    more.insert(more.end(), {value, "--out", std::string("f-") + value});
    return run(more);
  };
  check_error(sharing("off"), 64,
              "--shared-vocabulary off requires a tokenizer for each side, got one in words.json; give "
              "--shared-vocabulary on to use it for both");
  CHECK(sharing("on").code == 0);
  CHECK(run({"--tokenizer", "unigram", "--vocab", "100", "--out", "u"}).code == 0);
  const std::vector<std::string> with_dropout = {"--tokenizer",   "bpe", "--vocab", "100",
                                                 "--bpe-dropout", "0.1", "--out",   "d"};
  const ProgramResult dropout = run(with_dropout);
  REQUIRE_MESSAGE(dropout.code == 0, dropout.err);
  CHECK(says(run(with_dropout), "d is finished: 12 updates"));  // the same command again
  check_error(run({"--tokenizer", "unigram", "--vocab", "100", "--bpe-dropout", "0.1", "--out", "x"}), 64,
              "--bpe-dropout needs a vocabulary of byte pairs, got --tokenizer unigram; give --tokenizer bpe, or leave "
              "--bpe-dropout out");
  check_error(run({"--shared-vocabulary", "off", "--copy-epochs", "2", "--out", "x"}), 64,
              "--copy-epochs needs one vocabulary, because passages of the sources become targets; leave it out, or "
              "give --shared-vocabulary on");
}

TEST_CASE("bad pairs are refused in one line, with file and line") {
  Workshop shop;
  shop.write("a.de", "eins\nzwei\ndrei\n");
  shop.write("a.en", "one\ntwo\n");
  shop.write("latin.en", "one\ntw\xF6\nthree\n");
  shop.write("empty.en", "\n\n\n");
  shop.write("p.tsv", "eins\tone\nzwei\n");
  shop.write("p.jsonl", "{\"de\":\"eins\",\"en\":\"one\"}\n{\"de\":\"zwei\"}\n");
  const auto pairs = [&](const std::string& source, const std::string& target) {
    return shop.rapt({"train", "--source", source, "--target", target, "--steps", "1"});
  };
  check_error(
      pairs("a.de", "a.en"), 65,
      "a.de and a.en: must have equally many lines, got 3 and 2; line n of one must be the translation of line n "
      "of the other");
  check_error(pairs("a.de", "latin.en"), 65,
              "latin.en: line 2: must be text in UTF-8, got 0xF6 at byte 6; convert Latin-1 text with: iconv -f "
              "LATIN1 -t UTF-8");
  check_error(pairs("a.de", "empty.en"), 65, "a.de: must hold pairs of texts, got none");
  check_error(pairs("a.de", "none.en"), 66, "none.en: no such file");
  check_error(shop.rapt({"train", "p.tsv", "--task", "translate", "--steps", "1"}), 65,
              "p.tsv: line 2: must have 2 cells, as the first line has, got 1; a cell cannot hold a tab");
  check_error(shop.rapt({"train", "p.jsonl", "--task", "translate", "--source-field", "de", "--target-field", "en",
                         "--steps", "1"}),
              65,
              "p.jsonl: line 2: must have a field \"en\", got \"de\"; name the fields with --source-field and "
              "--target-field");
  check_error(shop.rapt({"train", "--source", "a.de", "--steps", "1"}), 64,
              "--source and --target must name equally many files, which belong together line by line, got 1 and 0");
  check_error(shop.rapt({"train", "--source", "a.de", "--target", "a.de", "--task", "lm"}), 64,
              "--source applies to --task translate and summarize, got --task lm; leave it out");
  check_error(
      shop.rapt({"train", "--source", "a.de", "--target", "a.de", "--max-source-length", "300", "--steps", "1"}), 64,
      "--max-source-length must be at most the context, which is 256, got 300; raise --context");
}

TEST_CASE("data stats and data head show the tokenised pairs of a run") {
  Workshop shop;
  shop.write("a.tsv", "ein Hund\ta dog\nein Hund\ta dog\n\tno source\nein Hund\ta dog\n");
  REQUIRE(shop.rapt(train_small({"a.tsv", "--task", "translate", "--tokenizer", "word", "--out", "r"})).code == 0);
  const Json stats = Json::parse(shop.rapt({"data", "stats", "r/data.h5", "--json"}).out);
  CHECK(stats["train"]["pairs"] == 2);
  CHECK(stats["validation"]["pairs"] == 1);
  CHECK(stats["train"]["source_tokens"] == 4);
  CHECK(stats["empty"] == 1);
  const std::string table = shop.rapt({"data", "stats", "r/data.h5"}).out;
  CHECK(table.find("vocabularies of 8 and 8 entries\n") != std::string::npos);
  CHECK(table.find("left out: 1 with an empty side, 0 by --max-length-ratio; truncated: 0 sources, 0 targets\n") !=
        std::string::npos);
  CHECK(shop.rapt({"data", "head", "r/data.h5", "-n", "1"}).out ==
        "pair 0\n  source 7 4\n         ein Hund\n  target 5 6\n         a dog\n");
}
