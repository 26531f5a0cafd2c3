#include "text/corpus/corpus.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tensor/error.h"
#include "text/text_fixture.h"

using namespace rapt;
using Texts = std::vector<std::string>;

// The documents, each joined from its pieces.
static Texts documents(const Corpus& corpus) {
  Texts texts;
  CorpusReader reader = corpus.read();
  CorpusPiece piece;
  bool inside = false;
  while (reader.next(piece)) {
    CHECK(piece.begins == !inside);
    if (piece.begins) texts.emplace_back();
    CHECK(piece.offset == texts.back().size());
    CHECK(piece.text.size() <= 600'000);
    texts.back() += piece.text;
    inside = !piece.ends;
  }
  CHECK_FALSE(inside);
  return texts;
}

static Texts documents(const std::string& text, DocumentUnit unit) {
  return documents(Corpus::from_text("a.txt", text, unit));
}

TEST_CASE("a file is one document, or one for each line or paragraph") {
  const std::string text = "one\ntwo\n\n\n  \nthree\n four \n";
  CHECK(documents(text, DocumentUnit::kFile) == Texts{text});
  CHECK(documents(text, DocumentUnit::kLine) == Texts{"one", "two", "three", " four "});
  CHECK(documents(text, DocumentUnit::kParagraph) == Texts{"one\ntwo", "three\n four "});
  CHECK(documents("no newline at the end", DocumentUnit::kLine) == Texts{"no newline at the end"});
  CHECK(documents("a\r\n\r\nb\r\n", DocumentUnit::kParagraph) == Texts{"a", "b"});
  for (const DocumentUnit unit : {DocumentUnit::kFile, DocumentUnit::kLine, DocumentUnit::kParagraph}) {
    CHECK(documents("", unit).empty());
  }
  CHECK(documents("\n \n\n", DocumentUnit::kLine).empty());
  CHECK(documents("\n \n\n", DocumentUnit::kParagraph).empty());
}

TEST_CASE("documents larger than a piece are complete, in several pieces") {
  for (const std::size_t length : {262'143U, 262'144U, 262'145U, 1'000'000U}) {
    CAPTURE(length);
    const std::string a(length, 'a'), b(length, 'b');
    CHECK(documents(a + "\n" + b, DocumentUnit::kFile) == Texts{a + "\n" + b});
    CHECK(documents(a + "\n" + b, DocumentUnit::kLine) == Texts{a, b});
    CHECK(documents(a + "\n" + b + "\n", DocumentUnit::kLine) == Texts{a, b});
    CHECK(documents(a + "\n\n" + b, DocumentUnit::kParagraph) == Texts{a, b});
    CHECK(documents("x\n" + a + "\ny\n\n" + b + "\n", DocumentUnit::kParagraph) == Texts{"x\n" + a + "\ny", b});
  }
  std::string lines;
  for (int i = 0; i < 100'000; ++i) lines += "line " + std::to_string(i) + "\n";
  CHECK(documents(lines, DocumentUnit::kParagraph) == Texts{lines.substr(0, lines.size() - 1)});
  CHECK(documents(lines, DocumentUnit::kLine).size() == 100'000);
}

TEST_CASE("several files and gzip are read in the order given") {
  const TemporaryFolder folder;
  const std::string a = write_in(folder, "a.txt", "A"), b = write_in(folder, "b.txt.gz", gzipped("B")),
                    c = write_in(folder, "c", "C");
  CHECK(documents(Corpus({.sources = {c, a, b}})) == Texts{"C", "A", "B"});
  const Corpus corpus({.sources = {a, b}});
  Texts digests;
  for (const InputFile& file : corpus.files()) digests.push_back(file.digest);
  CHECK(digests == Texts{digest_of(std::string_view("A")), digest_of(std::string_view(gzipped("B")))});
}

TEST_CASE("a folder is walked in sorted order; hidden and binary files are skipped, and binary ones named") {
  const TemporaryFolder folder;
  write_in(folder, "data/b.txt", "B");
  write_in(folder, "data/a/z.txt", "Z");
  write_in(folder, "data/c.txt", "C");
  write_in(folder, "data/empty.txt", "");
  write_in(folder, "data/.hidden", "H");
  write_in(folder, "data/.git/config", "G");
  write_in(folder, "data/image.png", "\x89PNG\r\n");
  write_in(folder, "data/program", std::string("a\0b", 3));
  write_in(folder, "data/latin1.txt", "\xE9t\xE9");
  write_in(folder, "data/old.bin", "ab");
  write_in(folder, "data/packed.gz", gzipped("P"));
  write_in(folder, "data/pictures.gz", gzipped(std::string("a\0b", 3)));
  std::vector<std::string> notices;
  const Corpus corpus({.sources = {folder / "data"}}, [&](const std::string& line) { notices.push_back(line); });
  CHECK(documents(corpus) == Texts{"Z", "B", "C", "ab", "P"});
  CHECK(notices == Texts{(folder / "data") + ": skipped 4 non-text files (image.png, latin1.txt, pictures.gz, ...)"});
}

TEST_CASE("one field of each JSON object is read") {
  const TemporaryFolder folder;
  const std::string path = write_in(
      folder, "a.jsonl", "{\"text\":\"one\\ntwo\",\"n\":1}\n\n{\"text\":\"\"}\r\n{\"n\":2,\"text\":\"\\u00e9\"}");
  CHECK(documents(Corpus({.sources = {path}})) == Texts{"one\ntwo", "\xC3\xA9"});
  const std::string named = write_in(folder, "b.json", "{\"body\":\"x\"}\n{\"body\":\"y\"}\n");
  CHECK(documents(Corpus({.sources = {named}, .text_field = "body", .format = SourceFormat::kJsonLines})) ==
        Texts{"x", "y"});
  const std::string packed = write_in(folder, "c.jsonl.gz", gzipped("{\"text\":\"z\"}"));
  CHECK(documents(Corpus({.sources = {packed}})) == Texts{"z"});
  CHECK_FALSE(Corpus({.sources = {packed}}).documents_are_files());
}

TEST_CASE("a line that is not such an object is named with its number") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& lines) {
    const std::string path = write_in(folder, "a.jsonl", lines);
    const std::string message = message_of<std::exception>([&] { documents(Corpus({.sources = {path}})); });
    return message.starts_with(path) ? message.substr(path.size()) : message;
  };
  const std::string good = "{\"text\":\"x\"}\n\n";
  CHECK(message(good + "{\"text\":").starts_with(": line 3, column "));
  CHECK(message(good + "{\"text\":\"x\"} y").starts_with(": line 3, column "));
  CHECK(message(good + "[1]") == ": line 3: must be a JSON object, got an array of 1");
  CHECK(message(good + "{\"body\":\"x\",\"subject\":\"y\"}") ==
        ": line 3: must have a field \"text\", got \"body\", \"subject\"; say which one holds the text with "
        "--text-field");
  CHECK(message(good + "{}").find("got none") != std::string::npos);
  CHECK(message(good + "{\"text\":7}") == ": line 3: \"text\" must be text, got 7");
  CHECK(message(good + "{\"text\":\"\xFF\"}").find("got 0xFF at byte 23;") != std::string::npos);
}

TEST_CASE("missing and empty sources are named") {
  const TemporaryFolder folder;
  write_in(folder, "empty/.hidden", "x");
  const auto open = [](Texts sources) { Corpus({.sources = std::move(sources)}); };
  CHECK_THROWS_AS(open({folder / "none.txt"}), MissingInputError);
  CHECK_THROWS_WITH_AS(open({folder / "empty"}),
                       (folder / "empty" + ": the folder must hold text files, got none; name the file").c_str(),
                       MissingInputError);
  const std::string nothing = write_in(folder, "nothing.txt", ""), text = write_in(folder, "text.txt", "x");
  CHECK_THROWS_WITH_AS(open({nothing, nothing}), (nothing + ": must hold text, got an empty file").c_str(), DataError);
  std::vector<std::string> notices;
  const Corpus some({.sources = {nothing, text}}, [&](const std::string& line) { notices.push_back(line); });
  CHECK(documents(some) == Texts{"x"});
  CHECK(notices == Texts{nothing + ": skipped, the file is empty"});
  CHECK_THROWS_WITH_AS(open({}), "corpus: at least one file or folder must be given, got none", UsageError);
  CHECK_THROWS_WITH_AS(open({"-", "-"}), "corpus: - (standard input) can be given only once", UsageError);
}

TEST_CASE("token files are recognised, and cannot be mixed with text") {
  const TemporaryFolder folder;
  const std::string nano = write_in(folder, "train.bin", "ab"), text = write_in(folder, "a.txt", "x");
  const std::string llmc = write_in(folder, "shards/one", std::string("\x88\xD8\x34\x01", 4) + std::string(1020, '\0'));
  CHECK(Corpus({.sources = {nano}}).holds_tokens());
  CHECK(Corpus({.sources = {llmc}}).holds_tokens());
  CHECK(Corpus({.sources = {folder / "shards"}}).holds_tokens());
  CHECK_THROWS_WITH_AS(Corpus({.sources = {nano}}).read(), (nano + ": must be text, got token ids").c_str(),
                       UsageError);
  CHECK(message_of<std::exception>([&] {
          Corpus({.sources = {text, nano}});
        }) == "corpus: sources must be all text or all token files, got both (" + text + " and " + nano + ")");
}

TEST_CASE("a scan counts documents, bytes and characters") {
  const CorpusInfo info = Corpus::from_text("a", "h\xC3\xA9\r\n\nzwei\n", DocumentUnit::kLine).scan();
  CHECK(info.documents == 2);
  CHECK(info.bytes == 7);
  CHECK(info.characters == 6);
}

TEST_CASE("a corpus is counted once, in a reading that others may share, together with its digests") {
  const TemporaryFolder folder;
  const std::string path = write_in(folder, "a.txt", "one\n\ntwo"), packed = write_in(folder, "b.gz", gzipped("three"));
  const Corpus corpus({.sources = {path, packed}});
  std::string seen;
  CHECK(corpus.scan([&](const CorpusPiece& piece) { seen += piece.text; }).documents == 2);
  CHECK(seen == "one\n\ntwothree");
  write_plainly(path, "changed");  // no more readings: recorded facts stay
  CHECK(corpus.scan().bytes == 13);
  const std::vector<InputFile> files = Corpus(corpus).files();
  REQUIRE(files.size() == 2);
  CHECK(files[0].name == path);
  CHECK(files[0].bytes == 8);
  CHECK(files[0].digest == digest_of(std::string_view("one\n\ntwo")));
  CHECK(files[1].digest == digest_of(std::string_view(gzipped("three"))));
}

TEST_CASE("a file that changes between two readings is an error") {
  const TemporaryFolder folder;
  const std::string path = write_in(folder, "a.txt", "one\n");
  const std::string message = path +
                              ": must not change while it is used, got other bytes in a second reading; run the "
                              "command again when nothing writes to the file";
  for (const DocumentUnit unit : {DocumentUnit::kFile, DocumentUnit::kLine, DocumentUnit::kParagraph}) {
    write_plainly(path, "one\n");
    const Corpus corpus({.sources = {path}, .unit = unit});
    corpus.scan();
    CHECK(documents(corpus).size() == 1);
    write_plainly(path, "two\n");
    CHECK(message_of<DataError>([&] { documents(corpus); }) == message);
    write_plainly(path, "one\n\n");  // the same documents, but not the same file
    CHECK(message_of<DataError>([&] { documents(corpus); }) == message);
  }
  Corpus corpus({.sources = {path}});
  corpus.expect({{"a.txt", 1, digest_of(std::string_view("what it was"))}});
  CHECK(message_of<DataError>([&] { corpus.scan(); }) == message);
}
