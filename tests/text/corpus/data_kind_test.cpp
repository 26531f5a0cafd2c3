#include "text/corpus/data_kind.h"

#include <doctest/doctest.h>

#include <string>

#include "text/text_fixture.h"

using namespace rapt;

static DataKind kind(const std::string& text, const std::string& name = "a.txt") {
  return data_kind_of(Input::from_memory(name, text));
}

TEST_CASE("prose is text, with tabs, commas, colons and brackets in it") {
  for (const char* text : {"Once upon a time.\n", "a\tb\nc\td\n", "One, two,\nthree, four,\n",
                           "[Enter HAMLET]\nWho's there?\n", "HAMLET: Who's there?\nGHOST: Me.\n", "http://a.b c\n",
                           "{curly} prose\n", "", "name\tvalue\nx\t1\ny\t2\n", "text\tnumber\na b\t1\n"}) {
    CAPTURE(text);
    CHECK(kind(text) == DataKind::kText);
  }
}

TEST_CASE("labelled data is recognised by headers, tags and keys") {
  CHECK(kind("label\ttext\n1\tgood\n") == DataKind::kTable);
  CHECK(kind("text,label\ngood,1\n", "standard input") == DataKind::kTable);
  CHECK(kind("one,two\nx,y\n", "a.csv") == DataKind::kTable);  // a table by its name
  CHECK(kind(gzipped("one\ttwo\nx\ty\n"), "a.tsv.gz") == DataKind::kTable);
  CHECK(kind("NUM:dist How far?\nLOC:city Where?\nNUM:date When?\nHUM:ind Who?\nLOC:other Where to?\n", "TREC") ==
        DataKind::kTable);
  CHECK(kind("-DOCSTART- -X- O O\n\nEU NNP I-NP B-ORG\nsays VBZ I-VP O\n") == DataKind::kTags);
  CHECK(kind("{\"tokens\": [\"a\"], \"ner_tags\": [\"O\"]}\n", "a.jsonl") == DataKind::kTags);
  CHECK(kind("{\"text\": \"a\", \"label\": 1}\n", "a.jsonl") == DataKind::kTable);
  CHECK(kind("{\"version\": \"1.1\", \"data\": [{\"paragraphs\": [", "a.json") == DataKind::kQuestions);
  CHECK(kind("[{\"context\": \"a\", \"question\": \"b\", \"answers\": {}}]", "a.json") == DataKind::kQuestions);
  CHECK(kind("sent1,sent2,ending0,ending1,label\na,b,c,d,1\n", "a.csv") == DataKind::kChoices);
  CHECK(task_for(DataKind::kChoices) == "choice");
  CHECK(fields_of(Input::from_memory("a", "[{\"x\": 1, \"y\": 2}]")) == std::vector<std::string>{"x", "y"});
}
