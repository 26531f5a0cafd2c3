#include "text/labelled/tags.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "io/shared_data.h"
#include "tensor/error.h"
#include "text/text_fixture.h"

using namespace rapt;
using Words = std::vector<std::string>;

static std::vector<TaggedSentence> sentences(const std::string& text, TagOptions options = {},
                                             const std::string& name = "a.conll") {
  TagReader reader(Input::from_memory(name, text), options);
  std::vector<TaggedSentence> all;
  TaggedSentence sentence;
  while (reader.next(sentence)) all.push_back(sentence);
  return all;
}

static std::string tags_refusal(const std::string& text, TagOptions options = {}, const std::string& name = "a.conll") {
  return message_of<DataError>([&] { sentences(text, options, name); });
}

TEST_CASE("one word per line, its tag last, an empty line between sentences") {
  const auto all = sentences("-DOCSTART- -X- O O\n\nEU NNP I-NP B-ORG\nrejects VBZ I-VP O\n\n \t\n\nPeter\tB-PER\n");
  REQUIRE(all.size() == 2);
  CHECK(all[0].words == Words{"EU", "rejects"});
  CHECK(all[0].tags == Words{"B-ORG", "O"});
  CHECK(all[0].line == 3);
  CHECK(all[1].words == Words{"Peter"});
  CHECK(all[1].tags == Words{"B-PER"});
  CHECK(all[1].line == 8);
  CHECK(sentences("").empty());
  CHECK(sentences("\n\n").empty());
}

TEST_CASE("columns are separated by tabs if the line has any, else by spaces") {
  const auto all = sentences("New York\tB-LOC\r\na   b  O\n");
  CHECK(all[0].words == Words{"New York", "a"});
  CHECK(all[0].tags == Words{"B-LOC", "O"});
  const auto chosen = sentences("1 the DT O\n2 cat NN B\n", {.word_column = 2, .tag_column = -2});
  CHECK(chosen[0].words == Words{"the", "cat"});
  CHECK(chosen[0].tags == Words{"DT", "NN"});
  CHECK(sentences("1 the DT O\n", {.word_column = 2, .tag_column = 3})[0].tags == Words{"DT"});
}

TEST_CASE("words without tags are for prediction only") {
  CHECK(tags_refusal("a O\nb\n") == "a.conll: line 2: must have a word and a tag, got \"b\"");
  CHECK(tags_refusal("a\t\n") == "a.conll: line 1: must have a word and a tag, got \"a\\t\"");
  const auto all = sentences("a\nb\n\nc O\n", {.tags_required = false});
  CHECK(all[0].words == Words{"a", "b"});
  CHECK(all[0].tags.empty());
  CHECK(all[1].tags == Words{"O"});
  CHECK(tags_refusal("a O\nb\n", {.tags_required = false}) ==
        "a.conll: line 2: either all words of a sentence must have tags or none, got \"b\"");
  CHECK(tags_refusal("a\nb O\n", {.tags_required = false}) ==
        "a.conll: line 2: either all words of a sentence must have tags or none, got \"b O\"");
  CHECK(tags_refusal("\tO\n") == "a.conll: line 1: must have a word, got \"\\tO\"");
  CHECK(tags_refusal("a O\n", {.word_column = 3}) == "a.conll: line 1: must have a word, got \"a O\"");
}

TEST_CASE("a file without empty lines does not fill the memory") {
  std::string text;
  for (int i = 0; i < 100'001; ++i) text += "a O\n";
  CHECK(tags_refusal(text) ==
        "a.conll: line 100001: a sentence must have at most 100000 words, got more; an empty line ends a sentence");
}

TEST_CASE("a line of a million tabs is refused") {
  CHECK(tags_refusal("a" + std::string(1'000'000, '\t')) ==
        "a.conll: line 1: must have at most 1000 columns, got more");
}

TEST_CASE("JSON lines: words and tags as arrays") {
  const auto all = sentences("{\"tokens\": [\"a\", \"b c\"], \"tags\": [\"O\", 3]}\n{\"tokens\": [], \"tags\": []}\n",
                             {}, "a.jsonl");
  REQUIRE(all.size() == 1);
  CHECK(all[0].words == Words{"a", "b c"});
  CHECK(all[0].tags == Words{"O", "3"});
  CHECK(tags_refusal("{\"tokens\": [\"a\"], \"tags\": []}\n", {}, "a.jsonl") ==
        "a.jsonl: line 1: there must be a tag for each of the 1 words, got 0");
  CHECK(tags_refusal("{\"tokens\": \"a b\", \"tags\": []}\n", {}, "a.jsonl") ==
        "a.jsonl: line 1: \"tokens\" must be an array of words, got \"a b\"");
  CHECK(tags_refusal("{\"tokens\": [\"a\"]}\n", {}, "a.jsonl") ==
        "a.jsonl: an object must have its tags in \"tags\", \"ner_tags\", \"ner\" or \"labels\", got none");
  CHECK(sentences("{\"words\": [\"a\"]}\n", {.tags_required = false}, "a.jsonl")[0].tags.empty());
  CHECK(tags_refusal("{\"text\": [\"a\"]}\n", {}, "a.jsonl") ==
        "a.jsonl: an object must have its words in \"tokens\" or \"words\", got neither");
}

TEST_CASE("JSON is recognised by its beginning, and may be an array") {
  const std::string array = "[{\"tokens\": [\"a\"], \"tags\": [\"O\"]},\n {\"tokens\": [\"b\"], \"tags\": [\"X\"]}]";
  for (const char* name : {"a.json", "standard input"}) CHECK(sentences(array, {}, name)[1].tags == Words{"X"});
  CHECK(sentences("{\"tokens\": [\"a\"], \"tags\": [\"O\"]}\n", {}, "standard input")[0].words == Words{"a"});
}

TEST_CASE("a table of texts and prose are not tagged words") {
  CHECK(tags_refusal("label\ttext\n1\ta very good film\n0\ta very bad film\n", {}, "a.tsv") ==
        "a.tsv: must have a word and its tag on each line, got a table with one text per row; use --task classify");
  CHECK(tags_refusal("a,b\n", {}, "a.csv").ends_with("use --task classify"));
  CHECK(tags_refusal("one\ntwo words\nthree words here\nfour words are here\nfive\n", {}, "a.txt") ==
        "a.txt: must have a word and its tag on each line, got lines of text; --format conll reads it as words and "
        "tags anyway");
  CHECK(sentences("The\tDET\ncat\tNOUN\n", {}, "a.tsv")[0].tags == Words{"DET", "NOUN"});
}

TEST_CASE("prediction splits plain texts into words, on lines and in tables") {
  TagOptions options{.tags_required = false, .tags = {"X", "Y"}};
  options.cut = [](std::string_view text) {
    return Words{std::string(text.substr(0, 1)), std::string(text.substr(1))};
  };
  options.texts = {.labels = LabelKind::kNone, .labels_required = false};
  const auto lines = sentences("Hello there.\nBye, all of you\n", options, "a.txt");
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].words == Words{"B", "ye, all of you"});
  CHECK(lines[1].tags.empty());
  CHECK(lines[1].line == 2);
  const auto table = sentences("id,text\n7,\"Hello, you there\"\n", options, "a.csv");
  REQUIRE(table.size() == 1);
  CHECK(table[0].words[1] == "ello, you there");
  CHECK(table[0].text.others == std::vector<Json>{"7"});
  CHECK(sentences("a X\nb Y\n\nc X\n", options, "a.txt")[0].tags == Words{"X", "Y"});  // the model's tags
  CHECK(sentences("a B-new\nb O\n", options, "a.txt")[0].tags == Words{"B-new", "O"});
  CHECK(sentences("a\nb\n\nc\n", options, "a.txt").size() == 2);  // one word per line
}

TEST_CASE("WNUT 2017 is read whole") {
  const std::string folder = shared_data("data/ner/wnut17");
  if (folder.empty()) return;
  const std::map<std::string, std::pair<std::size_t, std::size_t>> expected = {
      {"train", {3'394, 62'730}}, {"dev", {1'009, 15'733}}, {"test", {1'287, 23'394}}};
  for (const auto& item : expected) {
    const std::string split = item.first;
    const auto counts = item.second;
    CAPTURE(split);
    TagReader reader(Input::from_file(folder + "/" + split + ".conll.gz"));
    std::size_t all = 0, words = 0;
    TaggedSentence sentence;
    while (reader.next(sentence)) {
      ++all;
      words += sentence.words.size();
      CHECK(sentence.words.size() == sentence.tags.size());
    }
    CHECK(all == counts.first);
    CHECK(words == counts.second);
  }
}

TEST_CASE("the Hugging Face scripts' sample has ten sentences") {
  const std::string path = shared_data("data/fixtures/hf-samples/conll/sample.json");
  if (path.empty()) return;
  TagReader reader(Input::from_file(path));
  TaggedSentence sentence;
  std::size_t all = 0;
  while (reader.next(sentence)) ++all;
  CHECK(all == 10);
  CHECK(reader.where(sentence).find("sample.json: line") != std::string::npos);
}
