#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <regex>

#include "cli/little_bert.h"
#include "io/json.h"

using namespace rapt;

namespace {

std::vector<std::string> finetune(const std::string& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {"finetune",  "--task",    "classify", "--init",    "runs/b",
                                  "--train",   "train.tsv", "--valid",  "valid.tsv", "--learning-rate",
                                  "1e-2",      "--epochs",  "2",        "--batch",   "8",
                                  "--threads", "1",         "--out",    out};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// The folder, with a classifier in runs/c.
const Workshop& classifier() {
  static const bool done = [] {
    const ProgramResult result = little_bert().rapt(finetune("runs/c", {"--epochs", "20"}));
    INFO(result.err);
    REQUIRE(result.code == 0);
    return true;
  }();
  (void)done;
  return little_bert();
}

std::ptrdiff_t count_lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

TEST_CASE("fine-tuning prints the deciding metric, the baseline beside accuracy, and the next command") {
  const Workshop& shop = little_bert();
  const ProgramResult result = shop.rapt(finetune("runs/told"));
  CHECK(result.code == 0);
  CHECK(result.out.empty());
  CHECK(std::regex_search(result.err,
                          std::regex("\nvalidation at step 24 \\| loss \\d\\.\\d{4} \\| accuracy \\d\\.\\d{4} "
                                     "\\| majority accuracy \\d\\.\\d{4} \\| f1 \\d\\.\\d{4}( \\| best)?\n")));
  CHECK(
      std::regex_search(result.err, std::regex("\nbest validation loss \\d\\.\\d{4}, accuracy \\d\\.\\d{4} \\(majority "
                                               "baseline: 0\\.\\d{4}\\)\n")));
  CHECK(result.err.ends_with("; now: rapt eval runs/told --data FILE, rapt predict runs/told --data FILE\n"));
  CHECK(shop.read("runs/told/metrics.jsonl").find("\"matthews\":") != std::string::npos);
}

TEST_CASE("the default folder is named after the model and the task") {
  const Workshop& shop = little_bert();
  std::vector<std::string> call = finetune("x", {"--quiet"});
  call.erase(std::find(call.begin(), call.end(), "--out"), std::find(call.begin(), call.end(), "--out") + 2);
  CHECK(shop.rapt(call).code == 0);
  CHECK(shop.has("runs/b-classify-train/best.h5"));
}

TEST_CASE("seeds have separate folders and a table with mean and standard deviation, and are not run twice") {
  const Workshop& shop = little_bert();
  const std::vector<std::string> call = finetune("runs/seeds", {"--seeds", "2"});
  const ProgramResult table = shop.rapt(call);
  CHECK(table.code == 0);
  CHECK(std::regex_match(table.out, std::regex("seed +accuracy +loss\n"
                                               "1 +[01]\\.\\d{4} +\\d\\.\\d{4}\n"
                                               "2 +[01]\\.\\d{4} +\\d\\.\\d{4}\n"
                                               "mean +[01]\\.\\d{4} +\\d\\.\\d{4}\n"
                                               "deviation +\\d\\.\\d{4} +\\d\\.\\d{4}\n"
                                               "majority +0\\.\\d{4} +-\n")));
  const Json saved = Json::parse(shop.read("runs/seeds/seeds.json"));
  const double first = saved["runs"][0]["loss"], second = saved["runs"][1]["loss"];
  CHECK(saved["mean"]["loss"].get<double>() == doctest::Approx((first + second) / 2));
  CHECK(saved["deviation"]["loss"].get<double>() == doctest::Approx(std::abs(first - second) / std::sqrt(2.0)));
  CHECK(first != second);

  const std::string before = shop.read("runs/seeds/seed-1/last.h5");
  const ProgramResult again = shop.rapt(finetune("runs/seeds", {"--seeds", "3", "--json"}));
  CHECK(again.code == 0);
  CHECK(again.err.find("runs/seeds/seed-1 is finished\n") != std::string::npos);
  CHECK(shop.read("runs/seeds/seed-1/last.h5") == before);
  const Json three = Json::parse(again.out);
  CHECK(three["metric"] == "accuracy");
  CHECK(three["runs"].size() == 3);
  CHECK(three["runs"][0] == saved["runs"][0]);

  check_error(shop.rapt({"predict", "runs/seeds", "--data", "valid.tsv"}), 64,
              "model: runs/seeds holds a run for each seed; name one of them: runs/seeds/seed-1");
}

TEST_CASE("a classifier is trained from scratch, and uses no more of the minutes than its data is worth") {
  const Workshop& shop = little_bert();
  const auto train = [&](const char* data, const char* out, const std::vector<std::string>& more = {}) {
    std::vector<std::string> call = {"train", data,      "--task", "classify", "--minutes", "600",   "--threads",
                                     "1",     "--width", "16",     "--vocab",  "200",       "--out", out};
    call.insert(call.end(), more.begin(), more.end());
    return shop.rapt(call);
  };
  const ProgramResult result = train("train.tsv", "runs/scratch");
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(shop.has("runs/scratch/words/best.h5"));
  const std::string words = shop.read("runs/scratch/words/config.toml");
  for (const char* line : {"\nbatch = 32\n", "\nheads = 4\n", "\ncontext = 128\n", "\nwarmup = \"20%\"\n",
                           "\nattention-start = \"neighbours\"\n"}) {
    CAPTURE(line);
    CHECK(words.find(line) != std::string::npos);
  }
  CHECK(shop.read("runs/scratch/config.toml").find("init = \"runs/scratch/words\"") != std::string::npos);
  CHECK(train("train.tsv", "runs/scratch").err.find("runs/scratch is finished: ") != std::string::npos);
  CHECK(train("train.tsv", "runs/labels", {"--self-pretrain", "off"}).code == 0);
  CHECK_FALSE(shop.has("runs/labels/words"));
  std::filesystem::create_directories(shop.path("runs/other"));
  std::filesystem::copy(shop.path("runs/scratch/words"), shop.path("runs/other/words"),
                        std::filesystem::copy_options::recursive);
  check_error(train("valid.tsv", "runs/other", {"--quiet"}), 78,
              "runs/other/words was started with other texts; use another --out");
  const ProgramResult judged = shop.rapt({"eval", "runs/scratch", "--data", "valid.tsv", "--json"});
  CHECK(Json::parse(judged.out)["examples"] == 32);
}

TEST_CASE("a classifier is evaluated with all metrics, intervals, baseline and confusion matrix") {
  const Workshop& shop = classifier();
  const ProgramResult json = shop.rapt({"eval", "runs/c", "--data", "valid.tsv", "--json"});
  CHECK(json.code == 0);
  const Json result = Json::parse(json.out);
  for (const char* key : {"loss", "accuracy", "majority_accuracy", "f1_macro", "matthews"}) {
    CAPTURE(key);
    CHECK(result[key].is_number());
  }
  CHECK(result["task"] == "classify");
  CHECK(result["metric"] == "accuracy");
  CHECK(result["examples"] == 32);
  CHECK(result["majority_accuracy"].get<double>() < 0.7);
  CHECK(result["accuracy"].get<double>() > 0.9);
  CHECK(result["intervals"]["accuracy"][0].get<double>() <= result["accuracy"].get<double>());
  CHECK(result["intervals"]["accuracy"][1].get<double>() >= result["accuracy"].get<double>());
  CHECK(result["classes"]["cat"]["support"].get<int>() + result["classes"]["dog"]["support"].get<int>() == 32);
  CHECK(result["confusion"][0][0].get<int>() + result["confusion"][0][1].get<int>() ==
        result["classes"]["cat"]["support"]);
  const std::string text = shop.rapt({"eval", "runs/c", "--data", "valid.tsv"}).out;
  CHECK(text.find("\naccuracy ") != std::string::npos);
  CHECK(text.find("\nmajority_accuracy ") != std::string::npos);
  CHECK(std::regex_search(text, std::regex("gold +cat +dog +recall\n")));
  CHECK(std::regex_search(text, std::regex("precision +recall +F1 +support\n")));
}

TEST_CASE("options select the columns of a file that differs from the run's") {
  const Workshop& shop = classifier();
  shop.write("other.csv", "dog,\"a dog ran to a tree .\"\ncat,the cat sat on the mat .\n");
  const std::vector<std::string> columns = {"--no-header", "--label-column", "1", "--text-column", "2"};
  std::vector<std::string> call = {"eval", "runs/c", "--data", "other.csv", "--json"};
  call.insert(call.end(), columns.begin(), columns.end());
  CHECK(Json::parse(shop.rapt(call).out)["examples"] == 2);
}

TEST_CASE("predictions are rows beside their texts, need no labels, and may have probabilities") {
  const Workshop& shop = classifier();
  const ProgramResult file = shop.rapt({"predict", "runs/c", "--data", "valid.tsv", "--out", "pred.tsv"});
  CHECK(file.code == 0);
  CHECK(file.out.empty());
  CHECK(file.err == "wrote pred.tsv\n");
  const std::string rows = shop.read("pred.tsv");
  CHECK(rows.starts_with("line\tprediction\tprobability\tgold\ttext\n2\t"));
  CHECK(count_lines(rows) == 33);

  shop.write("plain.tsv", "text\nthe cat sat on the mat .\na dog sat on the mat .\n");
  const ProgramResult plain = shop.rapt({"predict", "runs/c", "--data", "plain.tsv", "--probabilities", "--json"});
  CHECK(plain.code == 0);
  CHECK(count_lines(plain.out) == 2);
  const Json first = Json::parse(plain.out.substr(0, plain.out.find('\n')));
  CHECK(first["text"] == "the cat sat on the mat .");
  CHECK(first["prediction"] == "cat");
  CHECK_FALSE(first.contains("gold"));
  CHECK(first["probabilities"]["cat"].get<double>() + first["probabilities"]["dog"].get<double>() ==
        doctest::Approx(1));
  CHECK(shop.rapt({"predict", "runs/c", "--data", "-"}, "text\tx\nthe cat\t1\n").out.starts_with("line\tprediction\t"));
}

TEST_CASE("large files are read in pieces, and none is lost") {
  const Workshop& shop = classifier();
  shop.write("large.tsv", little_labels(4200, 5));  // more than a piece
  const ProgramResult rows = shop.rapt({"predict", "runs/c", "--data", "large.tsv"});
  CHECK(rows.code == 0);
  CHECK(count_lines(rows.out) == 4201);
  CHECK(rows.out.find("\n4201\t") != std::string::npos);
  const Json judged = Json::parse(shop.rapt({"eval", "runs/c", "--data", "large.tsv", "--json"}).out);
  CHECK(judged["examples"] == 4200);
  std::int64_t right = 0;
  for (const std::string label : {"cat", "dog"}) {
    const std::regex both("\t" + label + "\t[0-9.e-]+\t" + label + "\t");
    right += std::distance(std::sregex_iterator(rows.out.begin(), rows.out.end(), both), std::sregex_iterator());
  }
  CHECK(judged["accuracy"].get<double>() == doctest::Approx(static_cast<double>(right) / 4200));
}

TEST_CASE("numbers, sets, tags, choices and answers are trained, evaluated and predicted") {
  const Workshop& shop = little_bert();
  std::string numbers = "sentence1\tsentence2\tscore\n", sets, tags, choices, rows;
  for (int i = 0; i < 24; ++i) {
    const bool cat = i % 3 != 0;
    const std::string who = cat ? "the cat" : "a dog", mark = cat ? "B-cat" : "B-dog";
    numbers += who + " sat .\t" + (i % 2 == 0 ? "the cat" : "a dog") + " ran .\t" + std::to_string(i % 5) + ".5\n";
    sets += "{\"text\":\"" + who + " sat on the mat .\",\"labels\":[" + (cat ? "\"cat\",\"mat\"" : "\"mat\"") + "]}\n";
    tags += std::string(cat ? "the\tO\ncat\t" : "a\tO\ndog\t") + mark + "\nsat\tO\n.\tO\n\n";
    rows += std::string(i == 0 ? "" : ",") + "{\"id\":\"q" + std::to_string(i) +
            "\",\"question\":\"who sat ?\",\"context\":\"" + who + " sat on the mat .\",\"answers\":{\"text\":[\"" +
            who + "\"],\"answer_start\":[0]}}";
    choices += "{\"sent1\":\"" + who +
               " sat\",\"sent2\":\"on\",\"ending0\":\"the mat .\",\"ending1\":\"looked\",\"ending2\":\"ran "
               "ran\",\"ending3\":\". .\",\"label\":" +
               std::to_string(i % 4) + "}\n";
  }
  shop.write("numbers.tsv", numbers);
  shop.write("sets.jsonl", sets);
  shop.write("tags.conll", tags);
  shop.write("choices.jsonl", choices);
  shop.write("squad.json", "{\"data\":[" + rows + "]}");
  struct Case {
    const char *task, *data, *metric, *out, *begins;
  };
  const Case cases[] = {
      {"regress", "numbers.tsv", "pearson", "p1.tsv", "line\tprediction\tgold\ttext\tpair\n2\t"},
      {"multilabel", "sets.jsonl", "f1_micro", "p2.jsonl", "{\"line\":1,\"prediction\":["},
      {"tag", "tags.conll", "f1", "p3.tsv", "a\tO\t"},
      {"choice", "choices.jsonl", "accuracy", "p4.tsv", "line\tprediction\tprobability\tgold\ttext\n1\t"},
      {"qa", "squad.json", "exact_match", "p5.json", "{\n  \"q0\": \""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.task);
    const std::string run = std::string("runs/t-") + c.task;
    const ProgramResult trained =
        shop.rapt({"finetune", "--task", c.task, "--init", "runs/b", "--train", c.data, "--valid", c.data, "--epochs",
                   "1", "--batch", "8", "--threads", "1", "--out", run});
    CAPTURE(trained.err);
    CHECK(trained.code == 0);
    const ProgramResult judged = shop.rapt({"eval", run, "--data", c.data, "--json"});
    CAPTURE(judged.err);
    REQUIRE(judged.code == 0);
    CHECK(Json::parse(judged.out).contains(c.metric));
    const ProgramResult predicted = shop.rapt({"predict", run, "--data", c.data, "--out", c.out});
    CHECK(predicted.err == std::string("wrote ") + c.out + "\n");
    const std::string written = shop.read(c.out);
    CHECK(written.substr(0, std::string(c.begins).size()) == c.begins);
  }
}

TEST_CASE("a language model is fine-tuned on other text") {
  const Workshop& shop = little_bert();
  CHECK(shop.rapt({"train", "text.txt", "--layers", "1", "--heads", "2", "--width", "16", "--context", "16", "--steps",
                   "10", "--tokenizer", "char", "--threads", "1", "--quiet", "--out", "runs/gpt"})
            .code == 0);
  const ProgramResult result = shop.rapt({"finetune", "--task", "lm", "--init", "runs/gpt", "--train", "text.txt",
                                          "--epochs", "1", "--threads", "1", "--out", "runs/gpt2"});
  CHECK(result.code == 0);
  CHECK(result.err.find("now: rapt generate runs/gpt2") != std::string::npos);
  CHECK(shop.read("runs/gpt2/config.toml").find("learning-rate = 5e-5") != std::string::npos);
}

TEST_CASE("errors of finetune, eval and predict are reported in one line") {
  const Workshop& shop = classifier();
  check_error(shop.rapt({"finetune", "--task", "classify", "--train", "train.tsv"}), 64,
              "rapt finetune needs --init MODEL, the run, checkpoint or Hugging Face directory to start from; to train "
              "from scratch: rapt train");
  check_error(shop.rapt({"finetune", "--init", "runs/b", "--train", "train.tsv"}), 64,
              "rapt finetune needs --task "
              "classify|regress|multilabel|tag|qa|choice|translate|summarize|lm|mlm|mlm-nsp, or --preset "
              "glue/NAME");
  check_error(shop.rapt({"finetune", "--init", "runs/b", "--glue", "sst2", "--train", "train.tsv"}), 64,
              "rapt finetune needs --task with --glue; --preset glue/sst2 sets both");
  check_error(shop.rapt({"finetune", "--task", "classify", "--init", "runs/b"}), 64,
              "rapt finetune needs training data; give it with --train FILE");
  check_error(shop.rapt({"finetune", "--task", "classify", "--init", "runs/none", "--train", "train.tsv", "--quiet"}),
              66, "model not found: runs/none");
  check_error(shop.rapt(finetune("runs/x", {"--seeds", "0"})), 64,
              "--seeds must be a whole number from 1 to 1000, got \"0\"");
  check_error(shop.rapt(finetune("runs/c", {"--seeds", "2"})), 73,
              "runs/c holds best.h5, which is not the run of a seed; use another --out for --seeds");
  check_error(shop.rapt({"finetune", "--resume", "runs/c", "--seeds", "2"}), 64,
              "--seeds resumes by itself; run the same command again without --resume");
  check_error(shop.rapt(finetune("runs/x", {"--json"})), 64, "--json requires --seeds");
  check_error(shop.rapt({"eval", "runs/c"}), 64, "rapt eval needs --data FILE");
  check_error(shop.rapt({"predict", "runs/c"}), 65, "standard input: must hold text, got an empty file");
  check_error(shop.rapt({"predict", "runs/c", "--data", "none.tsv"}), 66, "none.tsv: no such file");
  check_error(shop.rapt({"predict", "runs/b", "--data", "valid.tsv"}), 64,
              "model: runs/b/best.h5 must be a model with a task head, got a bert for --task mlm-nsp; use it with "
              "rapt fill-mask, eval or embed");
  check_error(shop.rapt({"generate", "runs/c", "--prompt", "x"}), 64,
              "model: runs/c/best.h5 must be a language model, got a bert for --task classify; use it with rapt "
              "predict or eval");
  check_error(shop.rapt({"eval", "runs/c", "--data", "valid.tsv", "--labels", "cat"}), 64,
              "--labels must have one name per output of the model, 2, got 1");
  check_error(shop.rapt({"predict", "runs/c", "--data", "valid.tsv", "--format", "xml"}), 64,
              "--format must be one of text|lines|tsv|csv|jsonl|json|conll|trec, got \"xml\"");
  check_error(shop.rapt({"predict", "runs/c", "--data", "valid.tsv", "--output-format", "xml"}), 64,
              "--output-format must be one of tsv|csv|jsonl, got \"xml\"");
  shop.write("unlabelled.tsv", "text\nthe cat sat .\n");
  const ProgramResult unlabelled = shop.rapt({"eval", "runs/c", "--data", "unlabelled.tsv"});
  CHECK(unlabelled.code == 65);
  CHECK(unlabelled.err.starts_with("error: unlabelled.tsv: "));
}
