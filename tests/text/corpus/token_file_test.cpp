#include "text/corpus/token_file.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tensor/error.h"
#include "text/text_fixture.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;

static std::string words(const std::vector<std::uint32_t>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * 4);
}
static std::string halves(const std::vector<std::uint16_t>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * 2);
}
static std::string header(std::uint32_t magic, std::uint32_t version, std::uint32_t count) {
  return words({magic, version, count}) + std::string(253 * 4, '\0');
}
static TokenFile file(const std::string& bytes) { return TokenFile(Input::from_memory("a.bin", bytes)); }
static Ids ids_of(TokenFile file, std::int32_t vocabulary = 1 << 30) {
  Ids ids(static_cast<std::size_t>(file.size()));
  file.read(ids, vocabulary);
  return ids;
}

TEST_CASE("the three formats are read") {
  const std::string llmc16 = header(20240520, 1, 3) + halves({50256, 1, 65535});
  CHECK(file(llmc16).format() == TokenFileFormat::kLlmc16);
  CHECK(ids_of(file(llmc16)) == Ids{50256, 1, 65535});
  const std::string llmc32 = header(20240801, 7, 2) + words({128000, 5});
  CHECK(file(llmc32).format() == TokenFileFormat::kLlmc32);
  CHECK(ids_of(file(llmc32)) == Ids{128000, 5});
  const std::string nano = halves({7, 8, 9});
  CHECK(file(nano).format() == TokenFileFormat::kNanoGpt);
  CHECK(ids_of(file(nano)) == Ids{7, 8, 9});
  for (const std::string& bytes : {llmc16, llmc32, nano}) {
    TokenFile pieces = file(bytes);
    Ids ids(static_cast<std::size_t>(pieces.size()));
    pieces.read(std::span(ids).first(1), 1 << 30);
    pieces.read(std::span(ids).subspan(1), 1 << 30);
    CHECK(ids == ids_of(file(bytes)));
    CHECK(pieces.contents().digest == digest_of(std::string_view(bytes)));
    CHECK(pieces.contents().bytes == bytes.size());
  }
}

TEST_CASE("what is written can be read, and has the bytes that the formats prescribe") {
  const TemporaryFolder folder;
  const auto written = [&](TokenFileFormat format, const Ids& ids) {
    TokenFileWriter writer(folder / "t.bin", format, static_cast<Dim>(ids.size()));
    writer.append(ids);
    writer.commit();
    return read_plainly(folder / "t.bin");
  };
  CHECK(written(TokenFileFormat::kLlmc16, {1, 2}) == header(20240520, 1, 2) + halves({1, 2}));
  CHECK(written(TokenFileFormat::kLlmc32, {1, 200000}) == header(20240801, 7, 2) + words({1, 200000}));
  CHECK(written(TokenFileFormat::kNanoGpt, {1, 65535}) == halves({1, 65535}));
  CHECK(message_of<std::exception>([&] {
          written(TokenFileFormat::kNanoGpt, {1, 65536});
        }) == (folder / "t.bin") + ": this format holds ids up to 65535, got 65536");
  TokenFileWriter writer(folder / "t.bin", TokenFileFormat::kNanoGpt, 3);
  CHECK_THROWS_AS(writer.commit(), std::logic_error);
}

TEST_CASE("invalid token files are named") {
  const auto message = [](const std::string& bytes) { return message_of<std::exception>([&] { file(bytes); }); };
  CHECK(message(header(20240326, 3, 0)) == "a.bin: must be token ids, got a model of llm.c");
  CHECK(message(header(20240522, 1, 0)) == "a.bin: must be token ids, got an evaluation set of llm.c");
  CHECK(message(header(20240520, 2, 0)) == "a.bin: the version must be 1, got 2");
  CHECK(message(header(20240801, 1, 0)) == "a.bin: the version must be 7, got 1");
  CHECK(message(header(20240520, 1, 3) + halves({1, 2})) ==
        "a.bin: the header says 3 tokens, the file has 4 bytes of them; it is incomplete or damaged");
  CHECK(message(header(20240520, 1, 0xFFFFFFFF)).find("says -1 tokens") != std::string::npos);
  CHECK(message(words({20240520, 1})) == "a.bin: the header must have 1024 bytes, got 8");
  CHECK(message("abc") == "a.bin: a token file without a header must be 16-bit numbers, got 3 bytes");
  CHECK(message_of<std::exception>([] {
          ids_of(file(halves({1, 2, 300})), 300);
        }) ==
        "a.bin: ids must be below the vocabulary's 300, got 300 at token 2; the file was made with another tokenizer");
  CHECK(message_of<std::exception>([] {
          ids_of(file(header(20240801, 7, 1) + words({0xFFFFFFFF})));
        }).find("4294967295 at token 0") != std::string::npos);
}
