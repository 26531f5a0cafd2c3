#include "text/labelled/choices.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "io/shared_data.h"
#include "tensor/error.h"
#include "text/text_fixture.h"

using namespace rapt;
using Texts = std::vector<std::string>;

static std::vector<ChoiceExample> examples(const std::string& name, const std::string& text, bool required = true) {
  ChoiceReader reader(Input::from_memory(name, text), {.labels_required = required});
  std::vector<ChoiceExample> all;
  ChoiceExample example;
  while (reader.next(example)) all.push_back(example);
  return all;
}

static std::string choices_refusal(const std::string& name, const std::string& text) {
  return message_of<DataError>([&] { examples(name, text); });
}

TEST_CASE("SWAG: the second sentence starts each choice") {
  const auto all =
      examples("a.csv",
               ",video-id,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label\n"
               "0,x,\"Students lower their eyes, nervously.\",She,gold,pats her.,turns.,leaves.,sits.,2\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].context == "Students lower their eyes, nervously.");
  CHECK(all[0].choices == Texts{"She pats her.", "She turns.", "She leaves.", "She sits."});
  CHECK(all[0].label == 2);
  CHECK(all[0].line == 2);
}

TEST_CASE("ROCStories: four sentences, two endings, counted from 1") {
  const std::string header =
      "InputStoryid,InputSentence1,InputSentence2,InputSentence3,InputSentence4,RandomFifthSentenceQuiz1,"
      "RandomFifthSentenceQuiz2,AnswerRightEnding\n";
  const auto all = examples("a.csv", header + "7,One.,Two.,Three.,Four.,Good.,Bad.,1\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].context == "One. Two. Three. Four.");
  CHECK(all[0].choices == Texts{"Good.", "Bad."});
  CHECK(all[0].label == 0);
  CHECK(choices_refusal("a.csv", header + "7,One.,Two.,Three.,Four.,Good.,Bad.,0\n") ==
        "a.csv: line 2: \"AnswerRightEnding\" must be a choice's number from 1 to 2, got \"0\"");
}

TEST_CASE("the plain form: context, choices, label") {
  const auto all = examples("a.jsonl",
                            "{\"context\": \"c\", \"choices\": [\"x\", \"y\", \"z\"], \"label\": 2}\n"
                            "{\"context\": \"d\", \"choices\": [\"x\", \"y\"], \"label\": \"0\"}\n");
  REQUIRE(all.size() == 2);
  CHECK(all[0].choices == Texts{"x", "y", "z"});
  CHECK(all[0].label == 2);
  CHECK(all[1].context == "d");
  CHECK(all[1].label == 0);
}

TEST_CASE("invalid rows are rejected with their line") {
  CHECK(choices_refusal("a.jsonl", "{\"context\": \"c\", \"choices\": [\"x\"], \"label\": 0}\n") ==
        "a.jsonl: line 1: there must be 2 to 1000 choices, got 1");
  CHECK(choices_refusal("a.jsonl", "{\"context\": \"c\", \"choices\": \"x\", \"label\": 0}\n") ==
        "a.jsonl: line 1: \"choices\" must be an array of texts, which JSON lines can hold");
  CHECK(choices_refusal("a.jsonl", "{\"context\": \"c\", \"choices\": [\"x\", \"y\"], \"label\": 2}\n") ==
        "a.jsonl: line 1: \"label\" must be a choice's number from 0 to 1, got \"2\"");
  CHECK(choices_refusal("a.jsonl", "{\"context\": \"c\", \"choices\": [\"x\", \"y\"], \"label\": null}\n") ==
        "a.jsonl: line 1: \"label\" must be a choice's number from 0 to 1, got nothing");
  CHECK(choices_refusal("a.jsonl", "{\"context\": \"c\", \"choices\": [\"x\", \"y\"]}\n") ==
        "a.jsonl: must have the correct choice in column \"label\", got no such column");
  CHECK(choices_refusal("a.tsv", "text\tlabel\nx\t1\n") ==
        "a.tsv: must have SWAG's columns (sent1, sent2, ending0, ending1 ...), ROCStories' (InputSentence1 to 4, "
        "RandomFifthSentenceQuiz1 and 2), or context and choices, got others");
}

TEST_CASE("a test set may lack its answers") {
  CHECK_FALSE(examples("a.jsonl", "{\"question\": \"c\", \"choices\": [\"x\", \"y\"]}\n", false)[0].label.has_value());
  CHECK_FALSE(examples("a.csv", "sent1,sent2,ending0,ending1,label\na,b,c,d,-1\n", false)[0].label.has_value());
  CHECK_FALSE(examples("a.csv", "sent1,sent2,ending0,ending1,label\na,b,c,d,\n", false)[0].label.has_value());
}

TEST_CASE("the Hugging Face scripts' SWAG sample has ten examples") {
  const std::string path = shared_data("data/fixtures/hf-samples/swag/sample.json");
  if (path.empty()) return;
  ChoiceReader reader(Input::from_file(path));
  ChoiceExample example;
  REQUIRE(reader.next(example));
  CHECK(example.context == "Members of the procession walk down the street holding small horn brass instruments.");
  CHECK(example.choices.size() == 4);
  CHECK(example.choices[1] == "A drum line has heard approaching them.");
  CHECK(example.label == 0);
  int all = 1;
  while (reader.next(example)) ++all;
  CHECK(all == 10);
}
