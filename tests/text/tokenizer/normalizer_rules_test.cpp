#include "text/tokenizer/normalizer_rules.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "io/base64.h"
#include "io/file.h"
#include "io/json.h"
#include "io/shared_data.h"
#include "io/temporary_folder.h"
#include "tensor/error.h"
#include "text/text_fixture.h"
#include "text/tokenizer/chars_map.h"
#include "text/tokenizer/files/sentencepiece_file.h"
#include "text/utf8.h"

using namespace rapt;

static std::unique_ptr<Normalizer> rule(const Json& json) { return normalizer_from_json(json, "t.json"); }
static std::string rule_error(const Json& json) {
  return message_of<DataError>([&] { rule(json); });
}

// A table in the layout of darts-clone with rules "a" -> "b" and "ab" -> "cde". Unit i is at the position to which its
// byte leads from the previous base; bases are chosen so that no two units collide.
static std::string small_table(std::uint32_t value_of_ab = 2) {
  std::vector<std::uint32_t> units(512, 0);
  const auto unit = [](std::uint32_t label, std::uint32_t base_xor_place, bool ends) {
    return label | (ends ? 0x100u : 0u) | base_xor_place << 10;
  };
  units[0] = unit(0, 0, false);                             // the root's base is 0
  units['a'] = unit('a', 'a' ^ 256u, true);                 // after "a": base 256
  units[256] = 0x80000000u | 0u;                            // its value: the first replacement
  units[256 ^ 'b'] = unit('b', (256u ^ 'b') ^ 511u, true);  // after "ab": base 511
  units[511] = 0x80000000u | value_of_ab;
  std::string bytes = {0, 8, 0, 0};  // 512 units of 4 bytes
  for (const std::uint32_t value : units) {
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(value >> shift & 0xFF));
  }
  return bytes + std::string("b\0cde\0", 6);
}

TEST_CASE("white space is stripped, text is prepended, and rare spaces and control characters are removed") {
  CHECK(rule({{"type", "Strip"}})->normalize(" \u3000a b\n ") == "a b");
  CHECK(rule({{"type", "Strip"}, {"strip_left", false}})->normalize(" a ") == " a");
  CHECK(rule({{"type", "Strip"}, {"strip_right", false}})->normalize(" a ") == "a ");
  CHECK(rule({{"type", "Strip"}})->normalize(" ") == "");
  CHECK(rule({{"type", "Prepend"}, {"prepend", "\u2581"}})->normalize("a") == "\u2581a");
  CHECK(rule({{"type", "Prepend"}, {"prepend", "\u2581"}})->normalize("") == "");
  CHECK(rule({{"type", "Nmt"}})
            ->normalize("a\tb\x01\x0B"
                        "c\u200B\u2581\uFEFFd\x7F\xFF") == "a bc   d ");
  CHECK(rule({{"type", "StripAccents"}})->normalize("e\u0301\u0903") == "e");
}

TEST_CASE("a replacement table is applied by clusters, or to its longest matching text") {
  const CharsMap table(small_table(), "t.json");
  CHECK(table.shortest_match("abc").length == 1);
  CHECK(table.shortest_match("abc").replacement == "b");
  CHECK(table.longest_match("abc").length == 2);
  CHECK(table.longest_match("abc").replacement == "cde");
  CHECK(table.longest_match("ac").length == 1);
  CHECK(table.longest_match("c").length == 0);
  CHECK(table.longest_match("").length == 0);

  Json json = {{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(small_table())}};
  // A letter and its accent are one cluster, which is replaced by the rule for the shortest text of the table.
  CHECK(rule(json)->normalize("aab a\u0301 \u00E9\xFF") == "bbb b \u00E9\uFFFD");
  CHECK(rule(json)->to_json() == json);
  json["longest_match"] = true;
  CHECK(rule(json)->normalize("aab a\u0301 \u00E9\xFF") == "bcde b\u0301 \u00E9\uFFFD");
  CHECK(rule(json)->to_json() == json);
  json["user_defined"] = {"bab", "b"};
  CHECK(rule(json)->normalize("babab") == "babcde");
  CHECK(rule(json)->to_json() == json);
}

TEST_CASE("a damaged table is rejected, and invalid entries that its form does not show find nothing") {
  const auto with_bytes = [](const std::string& bytes) {
    return rule_error({{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(bytes)}});
  };
  CHECK(
      with_bytes("ab") ==
      "tokenizer: t.json: precompiled_charsmap must begin with its table's size in bytes, a multiple of 4 and at most "
      "0, got 0");
  CHECK(with_bytes(std::string("\x08\0\0\0abcd", 8)).find("at most 4, got 8") != std::string::npos);
  CHECK(with_bytes(std::string("\x03\0\0\0abcd", 8)).find("at most 4, got 3") != std::string::npos);
  CHECK(with_bytes(small_table() + "\xFF").find("replacements in UTF-8 of at most 256 bytes, got") !=
        std::string::npos);
  CHECK(with_bytes(small_table() + std::string(257, 'x')).find("at most 256 bytes, got \"xxx") != std::string::npos);
  CHECK(rule_error({{"type", "Precompiled"}, {"precompiled_charsmap", "%%%%"}}) ==
        "t.json: \"normalizer.precompiled_charsmap\" must be base64, got \"%%%%\"");
  // A value that points outside the replacements.
  CHECK(CharsMap(small_table(6), "t.json").longest_match("ab").length == 1);
  CHECK(CharsMap(std::string("\0\0\0\0", 4), "t.json").longest_match("ab").length == 0);
  std::mt19937 random(2);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = small_table();
    for (int n = 0; n < 3; ++n) bytes[4 + random() % (bytes.size() - 10)] = static_cast<char>(random());
    const CharsMap table(bytes, "t.json");
    table.longest_match("abab");
    table.shortest_match("b\xFF");
  }
}

TEST_CASE("T5's table equals Unicode's compatibility forms, with spaces for space-like characters") {
  const std::string path = shared_data("data/tokenizers/t5/t5-base-spiece.model");
  if (path.empty()) return;
  const TokenizerParts parts = read_sentencepiece_model(read_file(path), "t5");
  CHECK(parts.normalizer->normalize("  \uFB01ne\u3000 ½ e\u0301\t\uFF21 ") == "\u2581fine\u25811\u20442\u2581é\u2581A");
  // With clusters, the mark below would belong to the letter.
  CHECK(parts.normalizer->normalize("\uFF4C\u0332") == "\u2581l\u0332");
  CHECK(parts.normalizer->normalize(" \u3000 ") == "");
  CHECK(parts.normalizer->normalize("") == "");
}
