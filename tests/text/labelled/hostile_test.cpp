// Files that are truncated or have a byte changed: they are either read or rejected.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/error.h"
#include "text/labelled/choices.h"
#include "text/labelled/glue.h"
#include "text/labelled/squad.h"
#include "text/labelled/tags.h"
#include "text/labelled/texts.h"
#include "text/text_fixture.h"

using namespace rapt;

struct Sample {
  std::string name, text;
  std::function<void(const Input&)> read;
};

template <typename Reader, typename Example>
static void drain(Reader reader) {
  Example example;
  while (reader.next(example)) continue;
}

static std::vector<Sample> samples() {
  const auto texts = [](LabelKind kind) {
    return [kind](const Input& input) {
      drain<LabelledTextReader, LabelledText>(LabelledTextReader(input, {.labels = kind}));
    };
  };
  const auto tags = [](const Input& input) { drain<TagReader, TaggedSentence>(TagReader(input)); };
  const auto choices = [](const Input& input) { drain<ChoiceReader, ChoiceExample>(ChoiceReader(input)); };
  const auto squad = [](const Input& input) { read_squad(input); };
  const std::string csv = "text,label\n\"one, \"\"two\"\"\nthree\",1\n\xC3\xA9,0\n";
  return {
      {"a.tsv", "text\tlabel\r\na \"b\t1\n\nc\t0\n", texts(LabelKind::kClass)},
      {"a.csv", csv, texts(LabelKind::kSet)},
      {"a.csv.gz", gzipped(csv), texts(LabelKind::kValue)},
      {"a.jsonl", "{\"text\": \"a\\u00e9\", \"label\": [\"x\", 1]}\n{\"text\": \"b\", \"label\": \"y|z\"}\n",
       texts(LabelKind::kSet)},
      {"TREC", "NUM:dist How far ?\nLOC:city Where ?\n", texts(LabelKind::kClass)},
      {"m.tsv", "1\t2\t3\tone\ttwo\n0\t2\t3\ta\tb\n",
       [](const Input& input) {
         drain<LabelledTextReader, LabelledText>(LabelledTextReader(input, glue_options(glue_task("mrpc"), input)));
       }},
      {"a.conll", "-DOCSTART- O\n\nEU NNP B-ORG\nx\tO\n\ny\tO\n", tags},
      {"b.jsonl", "{\"tokens\": [\"a\", \"b\"], \"tags\": [\"O\", \"B-X\"]}\n", tags},
      {"c.csv", "sent1,sent2,ending0,ending1,label\na,b,c,d,1\n", choices},
      {"c.jsonl", "{\"context\": \"c\", \"choices\": [\"x\", \"y\"], \"label\": 1}\n", choices},
      {"s.json",
       R"({"version": "v2.0", "data": [{"paragraphs": [{"context": "É in Paris.", "qas": [{"id": "1", "question": "?", "is_impossible": false, "answers": [{"text": "Paris", "answer_start": 5}]}]}]}]})",
       squad},
      {"s.jsonl",
       R"({"id": "1", "question": "?", "context": "in Paris", "answers": {"text": ["Paris"], "answer_start": [3]}})",
       squad},
  };
}

// Passes on every exception except those that users see.
static bool read_or_refused(const Sample& sample, const std::string& bytes) {
  try {
    sample.read(Input::from_memory(sample.name, bytes));
  } catch (const Error&) {
    return false;
  }
  return true;
}

TEST_CASE("the samples themselves are read") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    CAPTURE(sample.text);
    CHECK(read_or_refused(sample, sample.text));
  }
}

TEST_CASE("a file truncated anywhere is read or rejected") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    for (std::size_t length = 0; length < sample.text.size(); ++length) {
      CAPTURE(length);
      CHECK_NOTHROW(read_or_refused(sample, sample.text.substr(0, length)));
    }
  }
}

TEST_CASE("a file with any byte changed, removed or repeated is read or rejected") {
  using namespace std::string_view_literals;
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    for (std::size_t at = 0; at < sample.text.size(); ++at) {
      CAPTURE(at);
      for (const char byte : "\0\n\r\t\"\\,:{}[]-0 9a\x80\xC3\xFF"sv) {
        std::string bytes = sample.text;
        bytes[at] = byte;
        CHECK_NOTHROW(read_or_refused(sample, bytes));
      }
      CHECK_NOTHROW(read_or_refused(sample, std::string(sample.text).erase(at, 1)));
      CHECK_NOTHROW(read_or_refused(sample, std::string(sample.text).insert(at, 1, sample.text[at])));
    }
  }
}
