#include "io/crc32c.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace rapt {
namespace {

TEST_CASE("published values match, with the instruction and with tables") {
  struct Case {
    std::string bytes;
    std::uint32_t crc;
  };
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
    falling += static_cast<char>(31 - i);
  }
  // RFC 3720, appendix B.4; the first two are the common check values.
  for (const Case& c :
       {Case{"", 0}, Case{"123456789", 0xE3069283}, Case{std::string(32, '\0'), 0x8A9136AA},
        Case{std::string(32, '\xff'), 0x62A8AB43}, Case{rising, 0x46DD794E}, Case{falling, 0x113FDB5C}}) {
    CHECK(crc32c(c.bytes.data(), c.bytes.size()) == c.crc);
    CHECK(crc32c_by_tables(c.bytes.data(), c.bytes.size()) == c.crc);
  }
}

TEST_CASE("any split, any alignment and either method give the same checksum") {
  std::vector<unsigned char> bytes(1000);
  std::uint32_t state = 1;
  for (auto& byte : bytes) byte = static_cast<unsigned char>((state = state * 1664525U + 1013904223U) >> 24U);
  const std::uint32_t whole = crc32c(bytes.data(), bytes.size());
  for (std::size_t cut = 0; cut <= bytes.size(); cut += 7) {
    CAPTURE(cut);
    CHECK(crc32c(bytes.data() + cut, bytes.size() - cut, crc32c(bytes.data(), cut)) == whole);
    CHECK(crc32c_by_tables(bytes.data() + cut, bytes.size() - cut, crc32c_by_tables(bytes.data(), cut)) == whole);
  }
}

}  // namespace
}  // namespace rapt
