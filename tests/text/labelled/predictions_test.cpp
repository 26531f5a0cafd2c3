#include "text/labelled/predictions.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "io/json.h"

using namespace rapt;

struct Collected {
  std::string text;
  TextSink sink() {
    return [this](std::string_view bytes) { text += bytes; };
  }
};

TEST_CASE("a TSV has a header, probabilities that read back, and texts in one line") {
  Collected out;
  PredictionWriter writer({.classes = {"0", "a\tb"}, .gold = true, .texts = {"text", "pair"}}, out.sink());
  writer.write({.line = 2,
                .labels = {"0"},
                .gold = {"a\tb"},
                .probabilities = {0.75F, 0.1F},
                .texts = {"one\ttwo\nthree", "back\\slash\r"}});
  writer.write({.line = 3, .labels = {"0"}, .probabilities = {1, 1e-20F}, .texts = {"", "x"}});
  CHECK(out.text ==
        "line\tprediction\tgold\tp(0)\tp(a\\tb)\ttext\tpair\n"
        "2\t0\ta\\tb\t0.75\t0.1\tone\\ttwo\\nthree\tback\\\\slash\\r\n"
        "3\t0\t\t1\t1e-20\t\tx\n");
}

TEST_CASE("JSON lines have the same, by name") {
  Collected out;
  PredictionWriter writer(
      {.format = PredictionFormat::kJsonLines, .classes = {"no", "yes"}, .gold = true, .texts = {"text"}}, out.sink());
  writer.write({.line = 2, .labels = {"yes"}, .gold = {"no"}, .probabilities = {0.1F, 0.9F}, .texts = {"a\tb\n\"c\""}});
  writer.write({.line = 3, .labels = {"no"}, .probabilities = {1, 0}, .texts = {"d"}});
  CHECK(out.text ==
        "{\"line\":2,\"prediction\":\"yes\",\"gold\":\"no\",\"probabilities\":{\"no\":0.1,\"yes\":0.9},"
        "\"text\":\"a\\tb\\n\\\"c\\\"\"}\n"
        "{\"line\":3,\"prediction\":\"no\",\"gold\":null,\"probabilities\":{\"no\":1.0,\"yes\":0.0},\"text\":\"d\"}\n");
}

TEST_CASE("several labels are joined in a TSV and an array in JSON; questions have their ids") {
  Collected tsv, json;
  PredictionWriter a({.ids = true, .sets = true}, tsv.sink());
  PredictionWriter b({.format = PredictionFormat::kJsonLines, .ids = true, .gold = true, .sets = true}, json.sink());
  const Prediction prediction = {.id = "q\t1", .labels = {"x", "y"}};
  a.write(prediction);
  b.write(prediction);
  CHECK(tsv.text == "id\tprediction\nq\\t1\tx,y\n");
  CHECK(json.text == "{\"id\":\"q\\t1\",\"prediction\":[\"x\",\"y\"],\"gold\":[]}\n");
}

TEST_CASE("a row that does not fit the file's columns is a caller's error") {
  Collected out;
  PredictionWriter writer({.classes = {"0"}, .texts = {"text"}}, out.sink());
  CHECK_THROWS_AS(writer.write({.labels = {"0"}, .texts = {"a"}}), std::invalid_argument);
  CHECK_THROWS_AS(writer.write({.labels = {"0"}, .probabilities = {1}}), std::invalid_argument);
  CHECK_THROWS_AS(writer.write({.probabilities = {1}, .texts = {"a"}}), std::invalid_argument);
}

TEST_CASE("tags are written beside their words, for conlleval and for programs") {
  const std::vector<std::string> words = {"New York", "is"}, gold = {"B-LOC", "O"}, tags = {"O", "O"};
  CHECK(tagged_sentence(PredictionFormat::kTsv, 7, words, gold, tags) == "New York\tB-LOC\tO\nis\tO\tO\n\n");
  CHECK(tagged_sentence(PredictionFormat::kTsv, 7, words, {}, tags) == "New York\tO\nis\tO\n\n");
  CHECK(tagged_sentence(PredictionFormat::kJsonLines, 7, words, gold, tags) ==
        "{\"line\":7,\"tokens\":[\"New York\",\"is\"],\"gold\":[\"B-LOC\",\"O\"],\"tags\":[\"O\",\"O\"]}\n");
  CHECK_THROWS_AS(tagged_sentence(PredictionFormat::kTsv, 1, words, gold, {}), std::invalid_argument);
}

TEST_CASE("answers are written as SQuAD's scripts read them") {
  Collected out, empty;
  SquadPredictionWriter writer(out.sink());
  writer.write("1", "10th \"and\" é");
  writer.write("2", "");
  writer.finish();
  const Json read = parse_json(out.text, "out");
  CHECK(read.size() == 2);
  CHECK(read["1"] == "10th \"and\" é");
  CHECK(read["2"] == "");
  SquadPredictionWriter(empty.sink()).finish();
  CHECK(empty.text == "{}\n");
}

TEST_CASE("the format follows from the file's name") {
  CHECK(prediction_format_of("a.jsonl") == PredictionFormat::kJsonLines);
  CHECK(prediction_format_of("a.json") == PredictionFormat::kJsonLines);
  CHECK(prediction_format_of("a.tsv") == PredictionFormat::kTsv);
  CHECK(prediction_format_of("-") == PredictionFormat::kTsv);
}

TEST_CASE("CSV: cells with commas, quotation marks and line ends are quoted") {
  std::string out;
  const TextSink sink = [&](std::string_view text) { out += text; };
  CHECK(prediction_format_of("x.csv") == PredictionFormat::kCsv);
  PredictionWriter writer({.format = PredictionFormat::kCsv,
                           .probability = true,
                           .top = 2,
                           .gold = true,
                           .texts = {"text"},
                           .others = {"id", "gold"}},
                          sink);
  writer.write({.line = 2,
                .labels = {"a,b"},
                .gold = {"c"},
                .probability = 0.75F,
                .top = {{"a,b", 0.75F}, {"c", 0.25F}},
                .texts = {"so \"good\"\nit is"},
                .others = {7, nullptr}});
  CHECK(out ==
        "line,prediction,probability,gold,label_2,probability_2,text,id,input_gold\n"
        "2,\"a,b\",0.75,c,c,0.25,\"so \"\"good\"\"\nit is\",7,\n");
  CHECK(tagged_sentence(PredictionFormat::kCsv, 3, std::vector<std::string>{"a", ","}, {},
                        std::vector<std::string>{"O", "O"}) == "3,a,,O\n3,\",\",,O\n");
}
