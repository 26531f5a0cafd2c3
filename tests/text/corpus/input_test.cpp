#include "text/corpus/input.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <string>

#include "tensor/error.h"
#include "text/text_fixture.h"

using namespace rapt;

static std::string read_all(ByteReader reader, std::size_t block) {
  std::string all, piece(block, '\0');
  while (const std::size_t got = reader.read(piece.data(), piece.size())) all.append(piece, 0, got);
  return all;
}

static std::string unpack(const std::string& packed, std::size_t block = 100) {
  return read_all(ByteReader(Input::from_memory("x.gz", packed)), block);
}

TEST_CASE("an input can be read again, from anywhere") {
  const TemporaryFolder folder;
  const Input input = Input::from_file(write_in(folder, "a.txt", "0123456789"));
  CHECK(input.bytes() == 10);
  std::string text(4, ' ');
  CHECK(input.read(3, text.data(), 4) == 4);
  CHECK(text == "3456");
  CHECK(input.read(8, text.data(), 4) == 2);
  CHECK(text == "8956");
  CHECK(input.read(10, text.data(), 4) == 0);
  CHECK(read_all(ByteReader(input), 3) == "0123456789");
  CHECK(read_all(ByteReader(input), 100) == "0123456789");
}

TEST_CASE("standard input is kept, so that it can be read twice") {
  const TemporaryFolder folder;
  const std::string text = std::string(300'000, 'x') + "end";
  const int file = open(write_in(folder, "in.txt", text).c_str(), O_RDONLY);
  const int saved = dup(STDIN_FILENO);
  dup2(file, STDIN_FILENO);
  const Input input = Input::from_standard_input();
  dup2(saved, STDIN_FILENO);
  close(saved);
  close(file);
  CHECK(input.name() == "standard input");
  CHECK(read_all(ByteReader(input), 1000) == text);
  CHECK(read_all(ByteReader(input), 1 << 20) == text);
}

TEST_CASE("gzip is recognised by its bytes and decompressed, all members in sequence") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i * 7919 % 1000) + '\n';
  const std::string packed = gzipped(text);
  CHECK(unpack(packed) == text);
  CHECK(unpack(packed, 1 << 20) == text);
  CHECK(unpack(gzipped("one ") + gzipped("") + gzipped("two")) == "one two");
  CHECK(unpack(gzipped("zeros may follow") + std::string(1000, '\0')) == "zeros may follow");
  CHECK(unpack(gzipped("")) == "");
  CHECK(ByteReader(Input::from_memory("x", packed)).unpacks());
  CHECK_FALSE(ByteReader(Input::from_memory("x", text)).unpacks());
}

TEST_CASE("truncated or damaged gzip data is named") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i * 7919 % 1000) + '\n';
  const std::string packed = gzipped(text);
  CHECK_THROWS_WITH_AS(unpack(packed.substr(0, 1000)),
                       "x.gz: the gzip data ends too early, after 1000 bytes; the file is incomplete", DataError);
  CHECK_THROWS_WITH_AS(unpack(packed.substr(0, packed.size() - 1)),
                       ("x.gz: the gzip data ends too early, after " + std::to_string(packed.size() - 1) +
                        " bytes; the file is incomplete")
                           .c_str(),
                       DataError);
  std::string damaged = packed;
  damaged[packed.size() - 6] ^= 1;
  CHECK(message_of<std::exception>([&] { unpack(damaged); }).ends_with("(incorrect data check)"));
  CHECK(message_of<std::exception>([&] { unpack(gzipped("a") + "garbage"); }).ends_with("(incorrect header check)"));
  for (std::size_t cut = 2; cut < 30; ++cut) CHECK_THROWS_AS(unpack(packed.substr(0, cut)), DataError);
}

TEST_CASE("digests are XXH3-128 of the stored bytes") {
  CHECK(digest_of(std::string_view("")) == "99aa06d3014798d86001c324468d497f");  // the published value
  const std::string text(1'000'000, 'a');
  CHECK(digest_of(Input::from_memory("x", text)) == digest_of(std::string_view(text)));
  CHECK(digest_of(std::string_view("a")) != digest_of(std::string_view("b")));
}
