// Labelled data as users provide it: what is reported, how columns and labels are detected, and predictions for plain
// text.
#include <doctest/doctest.h>
#include <poll.h>

#include <algorithm>
#include <map>
#include <regex>
#include <string>

#include "cli/little_bert.h"
#include "io/json.h"

using namespace rapt;

namespace {

ProgramResult learn(const Workshop& shop, const std::string& task, const std::string& data, const std::string& out,
                    std::vector<std::string> more = {}) {
  std::vector<std::string> call = {
      "finetune", "--task",  task, "--init",    "runs/b", "--train",         data,   "--steps", "20", "--eval-every",
      "20",       "--batch", "8",  "--threads", "1",      "--learning-rate", "1e-2", "--out",   out};
  call.insert(call.end(), more.begin(), more.end());
  return shop.rapt(call, more.empty() ? "" : more.back());
}

std::string tagged_words() {
  std::string text;
  for (int i = 0; i < 24; ++i) text += i % 3 == 0 ? "a O\ndog B-dog\nsat O\n\n" : "the O\ncat B-cat\nran O\n\n";
  return text;
}

/// The folder, with a classifier in runs/lc (cat, dog) and a tagger in runs/lt (O, B-cat, B-dog).
const Workshop& labelled_shop() {
  static const bool done = [] {
    const Workshop& shop = little_bert();
    shop.write("tags.txt", tagged_words());
    for (const auto& [task, data, out] :
         {std::tuple{"classify", "train.tsv", "runs/lc"}, {"tag", "tags.txt", "runs/lt"}}) {
      const ProgramResult result = learn(shop, task, data, out);
      INFO(result.err);
      REQUIRE(result.code == 0);
    }
    return true;
  }();
  (void)done;
  return little_bert();
}

}  // namespace

TEST_CASE("before training, a run reports what it read and what it holds out") {
  const Workshop& shop = little_bert();
  const std::string err = learn(shop, "classify", "train.tsv", "runs/told-1").err;
  CHECK(
      err.starts_with("data: train.tsv: 96 examples; text in column \"text\", label in column \"label\"\n"
                      "data: 2 classes: cat "));
  CHECK(std::regex_search(err, std::regex("\ndata: [0-9.]+ tokens per example on average, at most \\d+; none is "
                                          "truncated at 128\ndata: 9 of these, chosen at random, are held out for "
                                          "validation\n")));
  const std::string cut = learn(shop, "classify", "train.tsv", "runs/told-2", {"--max-length", "6"}).err;
  CHECK(std::regex_search(cut, std::regex("; 96 are truncated at 6\n")));
  const std::string none = learn(shop, "classify", "train.tsv", "runs/told-3", {"--validation-fraction", "0"}).err;
  CHECK(none.find("\nwarning: nothing is held out for validation, so no best checkpoint is selected; give "
                  "--validation-data FILE, or --validation-fraction 0.1\n") != std::string::npos);
  shop.write("one.tsv", "label\ttext\nx\tthe cat\nx\ta dog\nx\tone fish\n");
  CHECK(learn(shop, "classify", "one.tsv", "runs/told-4")
            .err.find("\nwarning: every label is \"x\"; the model will predict it for every text\n") !=
        std::string::npos);
  shop.write("rare.tsv", little_labels(30, 1) + "fish\tone fish\n");
  CHECK(learn(shop, "classify", "rare.tsv", "runs/told-5")
            .err.find("\nwarning: fewer than 5 examples of fish 1; add more of them for better predictions\n") !=
        std::string::npos);
  shop.write("tags.txt", tagged_words());
  CHECK(learn(shop, "tag", "tags.txt", "runs/told-6")
            .err.starts_with("data: tags.txt: 24 sentences, 72 words\ndata: 3 tags: O 48, B-cat 16, B-dog 8\n"));
}

TEST_CASE(
    "labels that are not in the training data count as wrong, in validation and evaluation, and are reported once") {
  const Workshop& shop = labelled_shop();
  shop.write("more.tsv", "label\ttext\ncat\tthe cat sat\nfish\tone fish ran\nfish\tone fish sat\nbird\tthe bird ran\n");
  const ProgramResult judged = shop.rapt({"eval", "runs/lc", "--data", "more.tsv", "--json"});
  CHECK(judged.code == 0);
  CHECK(judged.err ==
        "note: the data has 2 labels that the model does not know (fish 2, bird 1); they count as wrong\n");
  const Json result = Json::parse(judged.out);
  CHECK(result["accuracy"].get<double>() <= 0.25);
  CHECK(result["classes"]["fish"]["support"] == 2);
  CHECK(result["classes"]["fish"]["recall"] == 0);
  CHECK(result["unknown_labels"].get<std::map<std::string, int>>() ==
        std::map<std::string, int>{{"bird", 1}, {"fish", 2}});
  CHECK(result["confusion"].size() == 4);
  CHECK(result["positive_class"] == "dog");
  const std::string text = shop.rapt({"eval", "runs/lc", "--data", "more.tsv"}).out;
  CHECK(text.find("\nf1 of \"dog\" ") != std::string::npos);

  shop.write("more.conll", "the O\ncat B-cat\n\none O\nfish B-fish\n");
  const ProgramResult tags = shop.rapt({"eval", "runs/lt", "--data", "more.conll", "--json"});
  CHECK(tags.err == "note: the data has 1 label that the model does not know (B-fish 1); it counts as wrong\n");
  CHECK(Json::parse(tags.out)["classes"]["fish"]["support"] == 1);
  CHECK(Json::parse(tags.out)["recall"].get<double>() <= 0.5);
  CHECK(shop.rapt({"predict", "runs/lt", "more.conll"}).out.find("fish\tB-fish\t") != std::string::npos);

  const ProgramResult rows = shop.rapt({"predict", "runs/lc", "more.tsv", "--json"});
  CHECK(rows.code == 0);
  CHECK(rows.err.empty());
  CHECK(rows.out.find("\"gold\":\"fish\"") != std::string::npos);

  const ProgramResult trained = learn(shop, "classify", "train.tsv", "runs/unknown", {"--valid", "more.tsv"});
  CHECK(trained.code == 0);
  CHECK(
      trained.err.find("\nwarning: more.tsv has 2 labels that the model does not know (fish 2, bird 1); they count as "
                       "wrong\n") != std::string::npos);
}

TEST_CASE("plain text is predicted: on standard input, on lines, in tables with other columns") {
  const Workshop& shop = labelled_shop();
  const ProgramResult piped = shop.rapt({"predict", "runs/lc"}, "the cat sat on the mat .\na dog ran, I think .\n");
  CHECK(piped.code == 0);
  CHECK(std::regex_match(piped.out, std::regex("line\tprediction\tprobability\ttext\n"
                                               "1\t(cat|dog)\t[0-9.e-]+\tthe cat sat on the mat \\.\n"
                                               "2\t(cat|dog)\t[0-9.e-]+\ta dog ran, I think \\.\n")));
  shop.write("lines.txt", "the cat sat .\na dog ran .\n");
  const ProgramResult top = shop.rapt({"predict", "runs/lc", "lines.txt", "--top", "3"});
  CHECK(top.out.starts_with("line\tprediction\tprobability\tlabel_2\tprobability_2\ttext\n1\t"));
  const Json best = Json::parse(shop.rapt({"predict", "runs/lc", "--top", "1", "--json"}, "the cat\n").out);
  CHECK(best["top"].size() == 1);
  CHECK(best["top"][0]["label"] == best["prediction"]);
  shop.write("ids.csv", "id,what was said,when\n7,\"the cat, it sat\",now\n8,a dog ran,then\n");
  const ProgramResult table = shop.rapt({"predict", "runs/lc", "ids.csv", "--out", "ids-out.csv"});
  CHECK(table.err == "wrote ids-out.csv\n");
  CHECK(std::regex_match(shop.read("ids-out.csv"), std::regex("line,prediction,probability,text,id,when\n"
                                                              "2,(cat|dog),[0-9.e-]+,\"the cat, it sat\",7,now\n"
                                                              "3,(cat|dog),[0-9.e-]+,a dog ran,8,then\n")));
  const Json line = Json::parse(
      shop.rapt({"predict", "runs/lc", "--json"}, "[{\"id\": 7, \"said\": \"the cat\", \"prediction\": null}]").out);
  CHECK(line["id"] == 7);
  CHECK(line["input_prediction"].is_null());
  CHECK(line["text"] == "the cat");

  const ProgramResult tags = shop.rapt({"predict", "runs/lt"}, "The cat's dog, sat.\n");
  CHECK(std::regex_match(tags.out, std::regex("The\t\\S+\ncat\t\\S+\n'\t\\S+\ns\t\\S+\ndog\t\\S+\n,\t\\S+\nsat\t\\S+\n"
                                              "\\.\t\\S+\n\n")));
  CHECK(Json::parse(shop.rapt({"predict", "runs/lt", "--json"}, "id\ttext\n7\tthe cat sat\n").out)["id"] == "7");
  CHECK(shop.rapt({"predict", "runs/lt", "more.conll", "--out", "t.csv"}).code == 0);
  CHECK(shop.read("t.csv").starts_with("line,word,gold,prediction\n1,the,O,"));
}

TEST_CASE("input that arrives line by line is answered line by line") {
  const Workshop& shop = labelled_shop();
  int to[2], from[2];
  REQUIRE((::pipe(to) == 0 && ::pipe(from) == 0));
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(to[0], STDIN_FILENO);
    ::dup2(from[1], STDOUT_FILENO);
    for (const int fd : {to[0], to[1], from[0], from[1]}) ::close(fd);
    if (::chdir(shop.path("").c_str()) != 0) ::_exit(127);
    ::execl(RAPT_PROGRAM, "rapt", "predict", "runs/lc", "--json", nullptr);
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  const auto answer = [&] {
    std::string line;
    for (char c = 0; ::read(from[0], &c, 1) == 1 && c != '\n';) line += c;
    return line;
  };
  for (const std::string text : {"the cat", "a dog"}) {  // each is sent only after the previous one was answered
    REQUIRE(::write(to[1], (text + "\n").data(), text.size() + 1) == static_cast<ssize_t>(text.size() + 1));
    CHECK(Json::parse(answer())["text"] == text);
  }
  ::close(to[1]);
  CHECK(answer().empty());
  ::close(from[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("labelled data is read from standard input in every format, detected or given by --format") {
  const Workshop& shop = labelled_shop();
  const auto examples = [&](const char* run, const std::string& input, std::vector<std::string> more = {}) {
    std::vector<std::string> call = {"eval", run, "--data", "-", "--json"};
    call.insert(call.end(), more.begin(), more.end());
    const ProgramResult result = shop.rapt(call, input);
    CAPTURE(result.err);
    CAPTURE(input);
    REQUIRE(result.code == 0);
    return Json::parse(result.out)["examples"].get<int>();
  };
  CHECK(examples("runs/lc", "label\ttext\ncat\tthe cat\n") == 1);
  CHECK(examples("runs/lc", "label,text\ncat,the cat\ndog,\"a dog, ran\"\n") == 2);
  CHECK(examples("runs/lc", "{\"text\": \"the cat\", \"label\": \"cat\"}\n") == 1);
  CHECK(examples("runs/lc", "[{\"text\": \"the cat\", \"label\": \"cat\"}]") == 1);
  CHECK(examples("runs/lc", "cat:x the cat\ndog:y a dog\n") == 2);
  CHECK(examples("runs/lc", "cat:x the cat\n", {"--format", "trec"}) == 1);
  CHECK(examples("runs/lt", "the O\ncat B-cat\n\na O\ndog B-dog\n") == 2);
  CHECK(examples("runs/lt", "[{\"tokens\": [\"the\"], \"tags\": [\"O\"]}]") == 1);
  const ProgramResult trained =
      shop.rapt({"train", "-", "--task", "classify", "--steps", "2", "--width", "16", "--batch", "4", "--threads", "1",
                 "--format", "csv", "--out", "runs/stdin"},
                "said,kind\nthe cat,cat\na dog,dog\nthe cat,cat\na dog,dog\nthe cat ran,cat\n");
  CHECK(trained.err.find("data: -: 5 examples; text in column \"said\", label in column \"kind\"\n") !=
        std::string::npos);
  CHECK(trained.code == 0);
  CHECK(shop.read("runs/stdin/config.toml").find("text-column = \"said\"") != std::string::npos);
}

TEST_CASE("errors for ambiguous data and data for another task end with the command to paste") {
  const Workshop& shop = labelled_shop();
  shop.write("three.csv", "a,b,c\none two three,four five six,x\nseven eight nine,ten eleven twelve,x\n");
  check_error(
      shop.rapt({"finetune", "--task", "classify", "--init", "runs/b", "--train", "three.csv", "--out", "runs/x1"}), 65,
      "three.csv: cannot tell which column holds the text (columns: \"a\", \"b\", \"c\"); use --text-column: "
      "rapt finetune --task classify --init runs/b --train three.csv --out runs/x1 --text-column b");
  check_error(shop.rapt({"finetune", "--task=tag", "--init", "runs/b", "--train", "train.tsv"}), 65,
              "train.tsv: must have a word and its tag on each line, got a table with one text per row; use --task "
              "classify: rapt finetune --task classify --init runs/b --train train.tsv");
  check_error(shop.rapt({"finetune", "--task", "qa", "--init", "runs/b", "--train", "train.tsv"}), 65,
              "train.tsv: must be SQuAD's JSON: questions about texts; got a table with one text per row; use --task "
              "classify: rapt finetune --task classify --init runs/b --train train.tsv");
  check_error(
      shop.rapt({"finetune", "--task", "classify", "--init", "runs/b", "--train", "tags.txt", "--out", "runs/x1"}), 65,
      "tags.txt: must be a table with one text per row and its label, got words with tags; use --task "
      "tag: rapt finetune --task tag --init runs/b --train tags.txt --out runs/x1");
  // eval does not have --task.
  check_error(shop.rapt({"eval", "runs/lt", "--data", "train.tsv"}), 65,
              "train.tsv: must have a word and its tag on each line, got a table with one text per row; use --task "
              "classify");
  shop.write("latin.tsv", "label\ttext\ncat\tcaf\xE9\n");
  check_error(shop.rapt({"eval", "runs/lc", "--data", "latin.tsv"}), 65,
              "latin.tsv: line 2: must be text in UTF-8, got 0xE9 0x0A at byte 18; convert Latin-1 text with: iconv -f "
              "LATIN1 -t "
              "UTF-8");
  shop.write("empty.tsv", "");
  check_error(shop.rapt({"eval", "runs/lc", "--data", "empty.tsv"}), 65,
              "empty.tsv: must hold text, got an empty file");
}

TEST_CASE("labelled data and checkpoints are not training text, unless --format text says so") {
  const Workshop& shop = labelled_shop();
  check_error(shop.rapt({"train", "train.tsv", "--steps", "2"}), 65,
              "train.tsv: must be plain text, got a table with one text per row; --format text trains on it as plain "
              "text; to train on its labels, use --task classify: rapt train train.tsv --steps 2 --task classify");
  check_error(shop.rapt({"train", "tags.txt", "--steps", "2"}), 65,
              "tags.txt: must be plain text, got words with tags; --format text trains on it as plain text; to "
              "train on its labels, use --task tag: rapt train tags.txt --steps 2 --task tag");
  shop.write("said.jsonl", "{\"said\": \"the cat\", \"label\": \"cat\"}\n");
  CHECK(shop.rapt({"train", "said.jsonl", "--steps", "2"})
            .err.ends_with("to train on its labels, use --task classify: rapt train said.jsonl --steps 2 --task "
                           "classify\n"));
  shop.write("texts.json", "[{\"text\": \"the cat\"}]\n");
  CHECK(shop.rapt({"train", "texts.json", "--steps", "2"})
            .err.ends_with("--format jsonl trains on its field \"text\": rapt train texts.json --steps 2 --format "
                           "jsonl\n"));
  check_error(shop.rapt({"train", "runs/b/best.h5", "--steps", "2"}), 65,
              "runs/b/best.h5: must be plain text, got a rapt checkpoint; to continue from it, give the text as data "
              "and --init runs/b/best.h5");
  const ProgramResult as_text = shop.rapt({"train", "train.tsv", "--format", "text", "--steps", "2", "--layers", "1",
                                           "--width", "16", "--context", "16", "--threads", "1", "--out", "runs/tsv"});
  CAPTURE(as_text.err);
  CHECK(as_text.code == 0);
  shop.write("tabs.txt", "Once\tupon a time, there was\nno table\tat all.\n" + little_paragraphs());
  CHECK(shop.rapt({"train", "tabs.txt", "--steps", "2", "--layers", "1", "--width", "16", "--context", "16",
                   "--threads", "1", "--out", "runs/tabs"})
            .code == 0);
  check_error(shop.rapt({"train", "text.txt", "--format", "tsv", "--steps", "2", "--quiet"}), 64,
              "--format tsv is for labelled data, got --task lm, which trains on text; give --task classify or tag, or "
              "--format text");
}
