#include "text/corpus/text_reader.h"

#include <doctest/doctest.h>

#include <string>

#include "tensor/error.h"
#include "text/text_fixture.h"

using namespace rapt;

static std::string read(const std::string& bytes) {
  TextReader reader(Input::from_memory("a.txt", bytes));
  std::string text;
  while (reader.read(text)) {
  }
  return text;
}

TEST_CASE("text of any length is read unchanged") {
  for (const std::size_t length : {0, 1, 15, 16, 17, 262143, 262144, 262145, 600000}) {
    CAPTURE(length);
    std::string text(length, 'x');
    if (length > 0) text.back() = '\n';
    CHECK(read(text) == text);
  }
}

TEST_CASE("a character across two blocks stays whole") {
  for (const std::size_t before : {262141, 262142, 262143, 262144}) {
    const std::string text = std::string(before, 'x') + "\xF0\x9F\x98\x80 end";
    CHECK(read(text) == text);
  }
}

TEST_CASE("a byte-order mark at the beginning is dropped, and only there") {
  CHECK(read("\xEF\xBB\xBFhello \xEF\xBB\xBF") == "hello \xEF\xBB\xBF");
  CHECK(read("\xEF\xBB\xBF") == "");
}

TEST_CASE("line ends become a newline, and a carriage return alone stays") {
  CHECK(read("a\r\nb\r\n\r\nc\rd\r\re\r\r\nf\r") == "a\nb\n\nc\rd\r\re\r\nf\r");
  for (const std::size_t before : {262142, 262143, 262144}) {
    const std::string text(before, 'x');
    CHECK(read(text + "\r\ny") == text + "\ny");
    CHECK(read(text + "\r") == text + "\r");
  }
}

TEST_CASE("bytes that are not UTF-8 are named with file and offset") {
  CHECK_THROWS_WITH_AS(
      read("plain \xC3( text"),
      "a.txt: must be text in UTF-8, got 0xC3 0x28 at byte 6; convert Latin-1 text with: iconv -f LATIN1 -t UTF-8",
      DataError);
  CHECK(message_of<std::exception>([] { read(std::string(300'000, 'x') + "\xFF"); }).find("got 0xFF at byte 300000;") !=
        std::string::npos);
  CHECK(message_of<std::exception>([] { read(std::string(262'143, 'x') + "\xE2\x82"); }).find(" at byte 262143;") !=
        std::string::npos);
  CHECK(message_of<std::exception>([] { read("\xEF\xBB\xBFx\r\ny\x80"); }).find("got 0x80 at byte 7;") !=
        std::string::npos);
  TextReader packed(Input::from_memory("a.gz", gzipped("ab\xFF")));
  std::string text;
  CHECK(packed.read(text));
  CHECK(text == "ab");
  CHECK_THROWS_WITH_AS(
      packed.read(text),
      "a.gz (unpacked): must be text in UTF-8, got 0xFF at byte 2; convert Latin-1 text with: iconv -f LATIN1 -t UTF-8",
      DataError);
}

TEST_CASE("non-text files are named with their format") {
  CHECK_THROWS_WITH_AS(read("\xFF\xFEh\0i\0"),
                       "a.txt: must be text in UTF-8, got UTF-16 text; convert it with: iconv -f UTF-16 -t UTF-8",
                       DataError);
  CHECK(message_of<std::exception>([] { read("PK\x03\x04........................"); }).find("zip archive") !=
        std::string::npos);
  CHECK(message_of<std::exception>([] { read("%PDF-1.7 ....................."); }).find("convert it to a text file") !=
        std::string::npos);
  CHECK(message_of<std::exception>([] {
          read(
              "\xFD"
              "7zXZ................");
        }).find("got an xz file; decompress it first") != std::string::npos);
  CHECK(read("PKlong and short") == "PKlong and short");
}
