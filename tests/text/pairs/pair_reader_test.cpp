#include "text/pairs/pair_reader.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "io/shared_data.h"
#include "tensor/error.h"
#include "text/labelled/undecided_error.h"
#include "text/pairs/pair_corpus.h"
#include "text/text_fixture.h"

using namespace rapt;
using Texts = std::vector<std::string>;

static Input memory(const std::string& name, const std::string& text) { return Input::from_memory(name, text); }

// "line: source | target" of each pair.
static Texts all_of(PairReader& reader) {
  Texts out;
  for (Pair pair; reader.next(pair);) {
    out.push_back(std::to_string(pair.line) + ": " + pair.source + " | " + pair.target);
  }
  return out;
}

static Texts table(const std::string& name, const std::string& text, const PairColumns& columns = {}) {
  return all_of(*read_pair_table(memory(name, text), columns));
}

static Texts aligned(const std::string& source, const std::string& target) {
  return all_of(*read_aligned_files(memory("a.de", source), memory("a.en", target)));
}

TEST_CASE("line n of two files is a pair, whatever their line ends") {
  CHECK(aligned("eins\nzwei\n", "one\r\ntwo") == Texts{"1: eins | one", "2: zwei | two"});
  CHECK(aligned("\xEF\xBB\xBF"
                "eins\n\nzwei",
                "one\n\ntwo") == Texts{"1: eins | one", "2:  | ", "3: zwei | two"});
  CHECK(aligned("", "").empty());
}

TEST_CASE("files with different numbers of lines are named with both numbers") {
  const std::string rest = "; line n of one must be the translation of line n of the other";
  CHECK(message_of([] { aligned("a\nb\nc\n", "x\ny\n"); }) ==
        "a.de and a.en: must have equally many lines, got 3 and 2" + rest);
  CHECK(message_of([] { aligned("a\n", "x\ny\nz\n\n"); }) ==
        "a.de and a.en: must have equally many lines, got 1 and 4" + rest);
}

TEST_CASE("text that is not UTF-8 is named with its line") {
  const std::string rest = "; convert Latin-1 text with: iconv -f LATIN1 -t UTF-8";
  CHECK(message_of([] { aligned("a\nb\nB\xFCsche\n", "x\ny\nz\n"); }) ==
        "a.de: line 3: must be text in UTF-8, got 0xFC at byte 5" + rest);
  CHECK(message_of([] { aligned("a\n", "\xFF"); }) == "a.en: line 1: must be text in UTF-8, got 0xFF at byte 0" + rest);
  CHECK(message_of([] { table("p.tsv", "a\tb\nc\xE9\td\n"); }) ==
        "p.tsv: line 2: must be text in UTF-8, got 0xE9 0x09 at byte 5" + rest);
}

TEST_CASE("a table gives its columns 1 and 2, those with common names, or those that are named") {
  CHECK(table("p.tsv", "eins\tone\n\nzwei\ttwo\n") == Texts{"1: eins | one", "3: zwei | two"});
  CHECK(table("p.tsv", "id\tTarget\tSource\n1\tone\teins\n") == Texts{"2: eins | one"});
  CHECK(table("p.tsv", "de\ten\neins\tone\n", {.source = "en", .target = "de"}) == Texts{"2: one | eins"});
  CHECK(table("p.tsv", "7\teins\tone\n", {.source = "2", .target = "3"}) == Texts{"1: eins | one"});
  CHECK(table("p.csv", "\"eins, zwei\",\"one, two\"\n") == Texts{"1: eins, zwei | one, two"});
  CHECK(table("p", "eins\tone\n") == Texts{"1: eins | one"});
  CHECK(table("p.tsv", "source\ttarget\n", {.header = false}) == Texts{"1: source | target"});
  CHECK(table("p.tsv", gzipped("eins\tone\n")) == Texts{"1: eins | one"});
}

TEST_CASE("a broken table is named with the line") {
  CHECK(message_of([] { table("p.tsv", "a\tb\nc\n"); }) ==
        "p.tsv: line 2: must have 2 cells, as the first line has, got 1; a cell cannot hold a tab");
  CHECK(message_of([] { table("p.txt", "one text\nper line\n"); }) ==
        "p.txt: must have two columns, a source and a target, got one; put a tab between them, or give two files with "
        "--source and --target");
  CHECK(message_of([] { table("p.tsv", "de\ten\na\tb\n", {.source = "de", .target = "eng"}); }) ==
        "p.tsv: there is no column \"eng\", the columns are \"de\", \"en\"; did you mean en?");
  CHECK(message_of([] { table("p.tsv", ""); }) == "p.tsv: must hold text, got an empty file");
}

TEST_CASE("JSON gives fields by name, by common names, and inside of translation") {
  CHECK(table("p.jsonl", R"({"id": 1, "body": "long", "subject": "short"})") == Texts{"1: long | short"});
  CHECK(table("p.jsonl", "{\"de\": \"a\", \"en\": \"b\"}\n\n{\"en\": \"d\", \"de\": \"c\"}",
              {.source = "de", .target = "en"}) == Texts{"1: a | b", "3: c | d"});
  const std::string nested = R"([{"translation": {"de": "a", "en": "b"}},
  {"translation": {"de": "c", "en": "d"}}])";
  CHECK(table("p.json", nested, {.source = "en", .target = "de"}) == Texts{"1: b | a", "2: d | c"});
  CHECK(table("p.json", nested, {.source = "translation.de", .target = "translation.en"}) ==
        Texts{"1: a | b", "2: c | d"});
}

TEST_CASE("a JSON field that is missing or not text is named with the line") {
  const PairColumns columns{.source = "de", .target = "en"};
  CHECK(message_of([&] { table("p.jsonl", "{\"de\":\"a\",\"en\":\"b\"}\n{\"de\":\"c\"}", columns); }) ==
        "p.jsonl: line 2: must have a field \"en\", got \"de\"; name the fields with --source-field and "
        "--target-field");
  CHECK(message_of([&] { table("p.jsonl", "{\"de\":\"a\",\"en\":null}", columns); }) ==
        "p.jsonl: line 1: \"en\" must be text, got null");
  CHECK(message_of([&] { table("p.jsonl", "{\"de\":\"a\"", columns); }).starts_with("p.jsonl: line 1, column 10: "));
  try {
    table("p.jsonl", R"({"de": "a", "translation": {"en": "b"}})");
    FAIL("it must throw");
  } catch (const UndecidedError& error) {
    CHECK(error.what() == std::string("p.jsonl: cannot tell which fields hold source and target (\"de\", "
                                      "\"translation.en\"); name them with --source-field and --target-field"));
    CHECK(error.option() == "--source-field de --target-field translation.en");
  }
}

// -------------------------------------------------------------------------------------------------------------- corpus

static PairCorpusOptions two(const std::string& source, const std::string& target) {
  return {.sources = {source}, .targets = {target}};
}

TEST_CASE("a corpus reads several files in order, skips pairs with an empty side and counts them") {
  const TemporaryFolder folder;
  const std::string a = write_in(folder, "a.de", "eins\n \ndrei\n"), b = write_in(folder, "a.en", "one\ntwo\n\n");
  const std::string c = write_in(folder, "b.de", "vier\n"), d = write_in(folder, "b.en.gz", gzipped("four\n"));
  const PairCorpus corpus({.sources = {a, c}, .targets = {b, d}});
  Texts sources;
  const PairCorpusInfo info = corpus.scan([&](const Pair& pair) { sources.push_back(pair.source); });
  CHECK(sources == Texts{"eins", "vier"});
  CHECK(info.pairs == 2);
  CHECK(info.empty == 2);
  CHECK(info.first_empty == a + ": line 2");
  CHECK(info.source_bytes == 8);
  CHECK(info.target_bytes == 7);
  CHECK(info.source_characters == 6);  // e i n s v r
  const std::vector<InputFile> files = corpus.files();
  REQUIRE(files.size() == 4);
  CHECK(files[0].digest == digest_of(Input::from_file(a)));
  CHECK(files[3].digest == digest_of(Input::from_file(d)));
}

TEST_CASE("a file that changes between two readings is an error") {
  const TemporaryFolder folder;
  const std::string a = write_in(folder, "a.de", "eins\n"), b = write_in(folder, "a.en", "one\n");
  const PairCorpus corpus(two(a, b));
  corpus.scan([](const Pair&) {});
  write_in(folder, "a.en", "two\n");
  const PairCorpus again(two(a, b));
  again.expect(corpus.files());
  CHECK(message_of([&] { again.scan([](const Pair&) {}); }) ==
        b + ": must not change while it is used, got other bytes in a second reading; run the command again when "
            "nothing writes to the file");
}

TEST_CASE("files that cannot be pairs are refused before they are read") {
  const TemporaryFolder folder;
  const std::string a = write_in(folder, "a.de", "eins\n"), empty = write_in(folder, "empty.en", " \n");
  const auto refused = [](PairCorpusOptions options) {
    return message_of([&] { PairCorpus{options}.scan([](const Pair&) {}); });
  };
  CHECK(refused({.sources = {a, a}, .targets = {a}}) ==
        "--source and --target must name equally many files, which belong together line by line, got 2 and 1");
  CHECK(refused({}) == "pairs must be given, got none; give --source FILE --target FILE, or a .tsv or .jsonl file");
  CHECK(refused({.sources = {a}, .targets = {a}, .tables = {a}}) ==
        "pairs must come from --source and --target or from tables, got both; leave one out");
  CHECK(refused(two("-", "-")) == "- (standard input) can be given only once; give a file for the other side");
  CHECK(refused({.tables = {a}, .columns = {.target = "en"}}) ==
        "--source-field and --target-field must be given together, got only --target-field");
  CHECK(refused(two(a, folder / "")) == (folder / "") + ": must be a file of texts, got a folder; name its files");
  CHECK(refused(two(a, empty)) == a + ": must hold pairs of texts, got none");
  CHECK_THROWS_AS(PairCorpus(two(a, folder / "none")), MissingInputError);
}

TEST_CASE("Multi30k's files are read as they come") {
  const std::string de = shared_data("data/mt/multi30k/val.de.gz"), en = shared_data("data/mt/multi30k/val.en.gz");
  if (de.empty() || en.empty()) return;
  const PairCorpusInfo info = PairCorpus(two(de, en)).scan([](const Pair&) {});
  CHECK(info.pairs == 1014);
  CHECK(info.empty == 0);
}
