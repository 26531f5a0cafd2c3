#include "text/corpus/table.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tensor/error.h"
#include "text/text_fixture.h"

using namespace rapt;
using Cells = std::vector<std::string>;

static TableReader table(const std::string& text, TableFormat format, bool header = true) {
  return TableReader(Input::from_memory("a.x", text), {.format = format, .header = header});
}

static std::vector<Cells> rows(TableReader reader) {
  std::vector<Cells> all;
  TableRow row;
  while (reader.next(row)) all.push_back(row.cells);
  return all;
}

static std::vector<Cells> csv(const std::string& text, bool header = false) {
  return rows(table(text, TableFormat::kCsv, header));
}

template <typename Call>
static std::string refusal(Call&& call) {
  return message_of<DataError>(call);
}

TEST_CASE("TSV: cells between tabs, quotation marks unchanged, header and line ends removed") {
  const std::string text = "\xEF\xBB\xBFlabel\t text_a \r\n1\t\"so\" good\r\n\r\n0\t\n";
  TableReader reader = table(text, TableFormat::kTsv);
  CHECK(reader.columns() == Cells{"label", "text_a"});
  TableRow row;
  REQUIRE(reader.next(row));
  CHECK(row.cells == Cells{"1", "\"so\" good"});
  CHECK(row.line == 2);
  CHECK(reader.where(row) == "a.x: line 2");
  REQUIRE(reader.next(row));
  CHECK(row.cells == Cells{"0", ""});
  CHECK(row.line == 4);
  CHECK_FALSE(reader.next(row));
  CHECK(rows(table("a\tb\nc\td", TableFormat::kTsv, false)) == std::vector<Cells>{{"a", "b"}, {"c", "d"}});
}

TEST_CASE("CSV: RFC 4180's quotation marks, with commas, line ends and quotation marks inside") {
  CHECK(csv("a,b\n") == std::vector<Cells>{{"a", "b"}});
  CHECK(csv("\"a,1\",\"b \"\"x\"\"\"\n") == std::vector<Cells>{{"a,1", "b \"x\""}});
  CHECK(csv("\"two\r\nlines\",b\r\nc,d") == std::vector<Cells>{{"two\nlines", "b"}, {"c", "d"}});
  CHECK(csv("\"\n\n\",b\n") == std::vector<Cells>{{"\n\n", "b"}});
  CHECK(csv("a,\n,b\n\"\",\n") == std::vector<Cells>{{"a", ""}, {"", "b"}, {"", ""}});
  CHECK(csv("it's 5\" wide,b") == std::vector<Cells>{{"it's 5\" wide", "b"}});  // not at the start of a cell
  CHECK(csv("a,b\n\nc,d\n\n") == std::vector<Cells>{{"a", "b"}, {"c", "d"}});
  CHECK(csv("\"a\"\"\",\"\"\"\"\n") == std::vector<Cells>{{"a\"", "\""}});

  TableReader reader = table("text,label\n\"one\ntwo\",1\nthree,2\n", TableFormat::kCsv);
  TableRow row;
  REQUIRE(reader.next(row));
  CHECK(row.line == 2);
  REQUIRE(reader.next(row));
  CHECK(row.line == 4);
}

TEST_CASE("malformed CSV is rejected with the line where the error starts") {
  CHECK(refusal([] { csv("a,b\n\"c,d\ne,f\n"); }) == "a.x: line 2: a quotation mark opens a cell that is never closed");
  CHECK(refusal([] { csv("a,b\n\"c\"d,e\n"); }) ==
        "a.x: line 2: a comma or the end of the line must follow a cell's closing quotation mark, got \"d,e\"; double "
        "the quotation marks inside such a cell");
  CHECK(refusal([] { csv("a,b\n1,2,3\n"); }) ==
        "a.x: line 2: must have 2 cells, as the first line has, got 3; put a cell that contains commas in quotation "
        "marks");
  const std::string lines(9'000'000, '\n');
  CHECK(refusal([&] { csv("a,b\n\"" + lines + lines); }) ==
        "a.x: line 2: a quotation mark opens a cell that is longer than 16 MiB");
}

TEST_CASE("JSON lines: the first object's keys are the columns; text, numbers, lists") {
  TableReader reader = table(
      "{\"text\": \"a\\tb\", \"label\": 1, \"tags\": [\"x\", 2]}\n\n"
      "{\"label\": true, \"other\": 5, \"text\": null, \"tags\": \" x | y,z ||\"}\n",
      TableFormat::kJsonLines);
  CHECK(reader.columns() == Cells{"text", "label", "tags"});
  const std::size_t text = reader.column("text"), label = reader.column("label"), tags = reader.column("tags");
  TableRow row;
  REQUIRE(reader.next(row));
  CHECK(reader.text(row, text) == "a\tb");
  CHECK(reader.text(row, label) == "1");
  CHECK(reader.list(row, tags, '|') == Cells{"x", "2"});
  CHECK(refusal([&] { reader.text(row, tags); }) ==
        "a.x: line 1: \"tags\" must be a text or a number, got an array of 2");
  REQUIRE(reader.next(row));
  CHECK(row.line == 3);
  CHECK_FALSE(reader.text(row, text).has_value());
  CHECK(refusal([&] { reader.required_text(row, text); }) == "a.x: line 3: \"text\" is missing");
  CHECK(reader.text(row, label) == "true");
  CHECK(reader.list(row, tags, '|') == Cells{"x", "y,z"});
  CHECK_FALSE(reader.next(row));
}

TEST_CASE("JSON without one object per line is an error that says how to convert it") {
  const auto json = [](const std::string& text) {
    return refusal([&] {
      TableReader reader = table(text, TableFormat::kJsonLines);
      TableRow row;
      while (reader.next(row)) continue;
    });
  };
  CHECK(json("[[1]]\n") == "a.x: line 1: must be a JSON object, got an array of 1");
  CHECK(json("{\n  \"a\": 1\n}\n").ends_with("; write each object on its own line (jq -c does this)"));
  CHECK(json("{\"a\": 1}\n{\"a\": }\n").starts_with("a.x: line 2, column 7: malformed JSON: "));
  CHECK(json("{\"a\": 1}\n3\n") == "a.x: line 2: must be a JSON object, got 3");
  CHECK(json("{\"a\": 1, \"a\": 2}\n") == "a.x: line 1, column 12: key \"a\" occurs twice in the same object");
  CHECK(json("{}\n{\"a\": 1}\n") == "no error");
  CHECK(refusal([] { table("{}\n", TableFormat::kJsonLines).column("a"); }) ==
        "a.x: there is no column \"a\", the columns are none");
}

TEST_CASE("JSON may be one array of objects, over as many lines as it likes") {
  const auto texts = [](const std::string& text) {
    TableReader reader = table(text, TableFormat::kJsonLines);
    TableRow row;
    std::string all;
    while (reader.next(row)) all += std::to_string(row.line) + ':' + reader.text(row, 0).value_or("-") + ' ';
    return all;
  };
  CHECK(texts("[{\"a\": 1}, {\"a\": \"b ] } \\\" ,\"}]") == "1:1 1:b ] } \" , ");
  CHECK(texts("\n[\n  {\n    \"a\": \"x\"\n  },\n\n  {\"a\": 0, \"b\": {}}\n]\n") == "3:x 7:0 ");
  CHECK(texts("[{\"a\":1}\n,{\"a\":2}\n ]\n") == "1:1 2:2 ");
  CHECK(refusal([&] { texts("[{\"a\": 1}, {\"a\": 2}"); }) ==
        "a.x: line 1: the array of records is never closed with ]");
  CHECK(refusal([&] { texts("[{\"a\": 1}\n{\"a\": 2}]"); }) ==
        "a.x: line 2: records must be separated by a comma, got \"{\"a\": 2}]\"");
  CHECK(refusal([&] { texts("[{\"a\": 1}] x"); }) ==
        "a.x: line 1: nothing must follow the array of records, got \"x\"");
  CHECK(refusal([&] { texts("[]"); }) == "a.x: must hold text, got an empty file");
}

TEST_CASE("TREC's lines have a coarse and a fine label; plain lines are texts") {
  TableReader reader = table("NUM:dist How far : is it ?\nLOC:city Where ?\n", TableFormat::kTrec);
  CHECK(reader.columns() == Cells{"label", "fine_label", "text"});
  CHECK(rows(std::move(reader)) ==
        std::vector<Cells>{{"NUM", "NUM:dist", "How far : is it ?"}, {"LOC", "LOC:city", "Where ?"}});
  CHECK(refusal([] { table("How far ?\n", TableFormat::kTrec); }) ==
        "a.x: line 1: must be LABEL:fine and a question, got \"How far ?\"");
  CHECK(rows(table("one\n \ntwo\twords\n", TableFormat::kLines)) == std::vector<Cells>{{"one"}, {"two\twords"}});
}

TEST_CASE("columns are found by name, or by number from 1; errors list the existing columns") {
  const TableReader reader = table("label\ttext_a\ttext_b\n", TableFormat::kTsv);
  CHECK(reader.column("text_a") == 1);
  CHECK(reader.column("3") == 2);
  CHECK(reader.find("text_b") == 2);
  CHECK_FALSE(reader.find("3").has_value());
  CHECK(refusal([&] { reader.column("txt_a"); }) ==
        "a.x: there is no column \"txt_a\", the columns are \"label\", \"text_a\", \"text_b\"; did you mean text_a?");
  CHECK(refusal([&] { reader.column("0"); }) ==
        "a.x: a column's number must be from 1 to 3, got 0; the columns are \"label\", \"text_a\", \"text_b\"");
  CHECK(refusal([&] { reader.column("4"); }).starts_with("a.x: a column's number must be from 1 to 3, got 4"));
  CHECK(refusal([&] { reader.column(""); }).starts_with("a.x: there is no column \"\""));
  CHECK(table("2\tx\n", TableFormat::kTsv).column("2") == 0);         // a name takes precedence
  CHECK(table("b\ta\n", TableFormat::kTsv, false).column("2") == 1);  // without a header, numbers are the names
  CHECK(refusal([] { table("a\tb\ta\n", TableFormat::kTsv).column("a"); }) ==
        "a.x: two columns are named \"a\"; give the column's number, counted from 1");
  CHECK(refusal([] { table("x\x1B[31m\n", TableFormat::kTsv).column("x[31"); }).find('\x1B') == std::string::npos);
}

TEST_CASE("rows of a different length are rejected, or skipped and counted") {
  const std::string text = "a\tb\n1\t2\n3\n4\t5\t6\n7\t8\n";
  CHECK(refusal([&] { rows(table(text, TableFormat::kTsv)); }) ==
        "a.x: line 3: must have 2 cells, as the first line has, got 1; a cell cannot hold a tab");
  TableReader reader(Input::from_memory("a.tsv", text), {.skip_uneven = true});
  TableRow row;
  std::vector<Cells> all;
  while (reader.next(row)) all.push_back(row.cells);
  CHECK(all == std::vector<Cells>{{"1", "2"}, {"7", "8"}});
  CHECK(reader.skipped() == 2);
}

TEST_CASE("the format follows from the name, with or without .gz, else from the first line") {
  const auto of = [](const std::string& name, const std::string& text) {
    return table_format_of(Input::from_memory(name, text));
  };
  CHECK(of("a.tsv", "") == TableFormat::kTsv);
  CHECK(of("a.csv.gz", "") == TableFormat::kCsv);
  CHECK(of("a.jsonl.gz", "") == TableFormat::kJsonLines);
  CHECK(of("a.json", "") == TableFormat::kJsonLines);
  CHECK(of("a.txt", "x y") == TableFormat::kLines);
  CHECK(of("a.txt", "label\ttext\n1\tgood\n") == TableFormat::kTsv);
  CHECK(of("a.txt", "1\tgood\nno tab here\n") == TableFormat::kLines);
  CHECK(of("TREC.train.gz", gzipped("NUM:dist How far ?\n")) == TableFormat::kTrec);
  CHECK(of("standard input", "\n\n1\tgood\n") == TableFormat::kTsv);
  CHECK(of("standard input", " {\"a\": 1}\n") == TableFormat::kJsonLines);
  CHECK(of("standard input", "[{\"a\": 1}]") == TableFormat::kJsonLines);
  CHECK(of("standard input", "text,label\ngood,1\n") == TableFormat::kCsv);
  CHECK(of("standard input", "a,b\n\"c, d\",e\nf,g\nh,i\nj,k\n") == TableFormat::kCsv);
  CHECK(of("standard input", "Good, but long.\nBad, I think.\n") == TableFormat::kLines);
  CHECK(of("standard input", "Review, please\n") == TableFormat::kLines);
  CHECK(of("data", "some words: here\n") == TableFormat::kLines);
  CHECK(refusal([&] { of("data", ""); }) == "data: must hold text, got an empty file");
  CHECK(table_format("jsonl") == TableFormat::kJsonLines);
  CHECK(message_of<UsageError>([] { table_format("tvs"); }) ==
        "--format must be tsv, csv, jsonl, json, trec or lines for a table, got \"tvs\"; did you mean tsv?");
}

TEST_CASE("empty files, endless lines and rows of a million cells are rejected") {
  CHECK(refusal([] { table("", TableFormat::kTsv); }) == "a.x: must hold text, got an empty file");
  CHECK(refusal([] { table("\n\n", TableFormat::kCsv, false); }) == "a.x: must hold text, got an empty file");
  CHECK(rows(table("a\tb\n", TableFormat::kTsv)).empty());
  const std::string huge(17'000'000, 'x');
  CHECK(refusal([&] { table("a\n" + huge, TableFormat::kLines).next(*std::make_unique<TableRow>()); }) == "no error");
  CHECK(refusal([&] { rows(table("a\n" + huge, TableFormat::kLines)); }) ==
        "a.x: line 2 must not be longer than 16 MiB");
  CHECK(refusal([] { table(std::string(20'000, '\t') + "x", TableFormat::kTsv); }) ==
        "a.x: line 1: must have at most 16384 columns, got more");
  CHECK(refusal([] { table("a\tb\xFF\n", TableFormat::kTsv); }).find("must be text in UTF-8, got 0xFF at byte 3") !=
        std::string::npos);
}

TEST_CASE("gzip files are read decompressed") {
  const TemporaryFolder folder;
  const std::string path = write_in(folder, "a.tsv.gz", gzipped("label\ttext\n1\tgood\n"));
  TableReader reader(Input::from_file(path));
  CHECK(reader.columns() == Cells{"label", "text"});
  TableRow row;
  REQUIRE(reader.next(row));
  CHECK(row.cells == Cells{"1", "good"});
}

TEST_CASE("lines do not depend on where the pieces that are read end") {
  for (const std::size_t length : {262'140U, 262'143U, 262'144U, 262'145U}) {
    CAPTURE(length);
    const std::string a(length, 'a');
    CHECK(rows(table(a + "\nb\n\n" + a + "\n" + a, TableFormat::kLines)) == std::vector<Cells>{{a}, {"b"}, {a}, {a}});
    CHECK(csv("\"" + a + "\n" + a + "\",b\nc,d\n") == std::vector<Cells>{{a + "\n" + a, "b"}, {"c", "d"}});
  }
}
