#include "text/labelled/squad.h"

#include <doctest/doctest.h>

#include <string>

#include "io/shared_data.h"
#include "tensor/error.h"
#include "text/text_fixture.h"

using namespace rapt;

static QaData read(const std::string& text, const std::string& name = "a.json") {
  return read_squad(Input::from_memory(name, text));
}

static std::string squad_refusal(const std::string& text, const std::string& name = "a.json") {
  return message_of<DataError>([&] { read(text, name); });
}

// One question about one context, in the official format.
static std::string document(const std::string& context, const std::string& rest, const std::string& version = "1.1") {
  return R"({"version": ")" + version +
         R"(", "data": [{"title": "t", "paragraphs": [{"qas": [{"id": "q1", "question": "What?")" + rest +
         R"(}], "context": ")" + context + R"("}]}]})";
}

TEST_CASE("version 1.1: answers are found in their context by character offsets") {
  const QaData data = read(
      document("É è was in Paris.",
               R"(, "answers": [{"text": "Paris", "answer_start": 11}, {"text": "in Paris", "answer_start": 8}])"));
  REQUIRE(data.questions.size() == 1);
  const QaQuestion& question = data.questions[0];
  CHECK(question.id == "q1");
  CHECK(question.question == "What?");
  CHECK(data.contexts[question.context] == "É è was in Paris.");
  REQUIRE(question.answers.size() == 2);
  CHECK(question.answers[0].text == "Paris");
  CHECK(question.answers[0].begin == 13);  // two letters of two bytes before it
  CHECK(question.answers[1].begin == 10);
  CHECK_FALSE(data.may_be_unanswerable);
}

TEST_CASE("version 2.0: impossible questions have no answers; plausible answers are ignored") {
  const QaData data = read(
      document("In Paris.",
               R"(, "is_impossible": true, "answers": [], "plausible_answers": [{"text": "Paris", "answer_start": 3}])",
               "v2.0"));
  CHECK(data.may_be_unanswerable);
  CHECK(data.questions[0].answers.empty());
  CHECK(read(document("In Paris.", R"(, "is_impossible": false, "answers": [{"text": "Paris", "answer_start": 3}])"))
            .may_be_unanswerable);
  CHECK_FALSE(read(document("In Paris.", "")).may_be_unanswerable);  // a test set
}

TEST_CASE("a list of questions, each with its context; equal contexts are kept once") {
  const std::string one =
      R"({"id": "1", "question": "a?", "context": "In Paris.", "answers": {"text": ["Paris"], "answer_start": [3]}})";
  const std::string two =
      R"({"id": "2", "question": "b?", "context": "In Paris.", "answers": {"text": [], "answer_start": []}})";
  for (const QaData& data : {read("{\"data\": [" + one + ", " + two + "]}"), read(one + "\n\n" + two + "\n", "a.jsonl"),
                             read("[" + one + ",\n" + two + "]"), read(one + "\n" + two + "\n", "standard input")}) {
    CHECK(data.contexts.size() == 1);
    REQUIRE(data.questions.size() == 2);
    CHECK(data.questions[0].answers[0].begin == 3);
    CHECK(data.questions[1].answers.empty());
    CHECK(data.may_be_unanswerable);
  }
  CHECK_FALSE(read("{\"data\": [" + one + "]}").may_be_unanswerable);
}

TEST_CASE("prediction ignores answers; data of another kind is named") {
  const std::string wrong = document("In Paris.", R"(, "answers": [{"text": "Paris", "answer_start": 2}])");
  CHECK(read_squad(Input::from_memory("a.json", wrong), false).questions[0].answers.empty());
  CHECK(squad_refusal("label\ttext\n1\tgood\n", "a.tsv") ==
        "a.tsv: must be SQuAD's JSON: questions about texts; got a table with one text per row; use --task classify");
  CHECK(squad_refusal("EU B-ORG\nsays O\n", "a.conll").ends_with("got words with tags; use --task tag"));
  CHECK(squad_refusal("Once upon a time.\n", "a.txt") ==
        "a.txt: must be SQuAD's JSON: questions about texts; got \"Once upon a time.\"");
  CHECK(squad_refusal("", "a.json") == "a.json: must hold text, got an empty file");
}

TEST_CASE("an answer that is not at its offset is named with the text there") {
  CHECK(
      squad_refusal(document("In Paris.", R"(, "answers": [{"text": "Paris", "answer_start": 2}])")) ==
      "a.json: \"data[0].paragraphs[0].qas[0].answers[0].answer_start\" must be the character of the context at which "
      "\"Paris\" begins, got 2, where \" Pari\" stands (question \"q1\")");
  for (const char* start : {"10", "-1", "9223372036854775807"}) {
    CAPTURE(start);
    CHECK(squad_refusal(
              document("In Paris.", R"(, "answers": [{"text": "Paris", "answer_start": )" + std::string(start) + "}]"))
              .ends_with(", which is outside the context (question \"q1\")"));
  }
  CHECK(squad_refusal(document("In Paris.", R"(, "answers": [{"text": "Paris", "answer_start": 9}])"))
            .find("where \"\" stands") != std::string::npos);
  CHECK(squad_refusal(document("In Paris.", R"(, "answers": [{"text": "", "answer_start": 2}])")) ==
        "a.json: \"data[0].paragraphs[0].qas[0].answers[0].text\" must not be empty (question \"q1\")");
  CHECK_FALSE(
      read(document("In Paris.", R"(, "answers": [{"text": "Rome"}])")).questions[0].answers[0].begin.has_value());
}

TEST_CASE("missing fields and fields of another type are named with their place") {
  CHECK(squad_refusal("[]") == "a.json: must hold questions, got none");
  CHECK(squad_refusal("{}") == "a.json: \"data\" is missing");
  CHECK(squad_refusal(R"({"data": []})") == "a.json: must hold questions, got none");
  CHECK(squad_refusal(R"({"data": [{"paragraphs": [{"context": "c", "qas": [{"id": "1"}]}]}]})") ==
        "a.json: \"data[0].paragraphs[0].qas[0].question\" is missing");
  CHECK(squad_refusal(R"({"data": [{"paragraphs": [{"qas": []}]}]})") ==
        "a.json: \"data[0].paragraphs[0].context\" is missing");
  CHECK(squad_refusal(R"({"data": [{"paragraphs": 3}]})") == "a.json: \"data[0].paragraphs\" must be an array, got 3");
  const std::string twice = R"({"id": "1", "question": "a?", "context": "c"})";
  CHECK(squad_refusal(twice + "\n" + twice + "\n", "a.jsonl") ==
        "a.jsonl: line 2: \"id\" must be one question's alone, got \"1\" again");
  CHECK(
      squad_refusal(R"({"id": "1", "question": "a?", "context": "c", "answers": {"text": ["c"], "answer_start": []}})",
                    "a.jsonl") ==
      "a.jsonl: line 1: \"answers.answer_start\" must be an array of 1, one for each text, got an array of 0");
  CHECK(squad_refusal(
            R"({"id": "1", "question": "a?", "context": "c", "answers": {"text": ["c"], "answer_start": ["0"]}})",
            "a.jsonl") == "a.jsonl: line 1: \"answers.answer_start\" must be an array of integers, got an array of 1");
  CHECK(squad_refusal("{\"data\": [", "a.json").starts_with("a.json: line 1, column 11: malformed JSON"));
}

TEST_CASE("the Hugging Face scripts' sample is read, and every answer is found in its context") {
  const std::string path = shared_data("data/fixtures/hf-samples/SQUAD/sample.json");
  if (path.empty()) return;
  const QaData data = read_squad(Input::from_file(path));
  CHECK(data.may_be_unanswerable);
  CHECK(data.questions.size() == 14);
  CHECK(data.contexts.size() == 4);
  CHECK(data.questions[0].id == "56ddde6b9a695914005b9628");
  CHECK(data.questions[0].answers.size() == 4);
  for (const QaQuestion& question : data.questions) {
    for (const QaAnswer& answer : question.answers) {
      REQUIRE(answer.begin.has_value());
      CHECK(data.contexts[question.context].substr(*answer.begin, answer.text.size()) == answer.text);
    }
  }
}
