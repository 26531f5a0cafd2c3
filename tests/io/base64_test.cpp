#include "io/base64.h"

#include <doctest/doctest.h>

using namespace rapt;

TEST_CASE("base64 agrees with RFC 4648's examples") {
  const char* const examples[][2] = {{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    CHECK(to_base64(bytes) == text);
    CHECK(from_base64(text).value() == bytes);
  }
}

TEST_CASE("all bytes are restored, and nothing else is base64") {
  std::string bytes;
  for (int b = 0; b < 256; ++b) bytes.push_back(static_cast<char>(b));
  for (std::size_t size = 0; size <= 256; ++size) {
    CHECK(from_base64(to_base64(bytes.substr(256 - size))).value() == bytes.substr(256 - size));
  }
  for (const char* other : {"A", "AA", "AAA", "A===", "====", "AA=A", "AA==AAAA", "Zm9-", "Zm 9", "Zh==", "Zm9="}) {
    CAPTURE(other);
    CHECK_FALSE(from_base64(other).has_value());
  }
}
