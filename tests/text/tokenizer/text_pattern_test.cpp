#include "text/tokenizer/text_pattern.h"

#include <doctest/doctest.h>

#include <string>

#include "io/temporary_folder.h"
#include "tensor/error.h"

using namespace rapt;

static std::string replaced(const Json& pattern, const std::string& text, const std::string& content = "_") {
  return TextPattern(JsonFields(pattern, "t.json", "pattern")).replace_all(text, content);
}
static std::string by_expression(const std::string& expression, const std::string& text) {
  return replaced({{"Regex", expression}}, text);
}

TEST_CASE("every occurrence of a text is replaced") {
  CHECK(replaced({{"String", "''"}}, "a'''b''", "\"") == "a\"'b\"");
  CHECK(replaced({{"String", " {2,}"}}, "a  b {2,}") == "a  b_");
  CHECK(replaced({{"String", "x"}}, "") == "");
  CHECK(replaced({{"String", "aa"}}, "aaa", "") == "a");
}

TEST_CASE("regular expressions of tokenizer files have their usual meaning") {
  CHECK(by_expression(" {2,}", " a  b   c ") == " a_b_c ");
  CHECK(by_expression(" {2}", "a     b") == "a__ b");
  CHECK(by_expression("\u2581+", "\u2581\u2581a\u2581") == "_a_");
  CHECK(by_expression("\\s+", "a \u3000\tb\n") == "a_b_");
  CHECK(by_expression("\\s", "a \tb") == "a__b");
  CHECK(by_expression("\\A +", "  a  b") == "_a  b");
  CHECK(by_expression("\\A +", "a  b") == "a  b");
  CHECK(by_expression(" +\\z", "  a  b  ") == "  a  b_");
  CHECK(by_expression(" {2,}\\z", "a  b ") == "a  b ");
  CHECK(by_expression(" {2}\\z", "a   ") == "a _");
  CHECK(by_expression("\\A +\\z", "   ") == "_");
  CHECK(by_expression("\\A +\\z", "  a") == "  a");
  CHECK(by_expression("aa\\z", "aaa") == "a_");
  CHECK(by_expression("\\n", "a\nb") == "a_b");
  CHECK(by_expression("\\.\\.", "a...") == "a_.");
  CHECK(by_expression("''", "''") == "_");
}

TEST_CASE("other expressions are rejected") {
  for (const char* other : {"",   "+",    " *",    "a|b",   "[ab]", "a+b",    "ab+",  "\\d",
                            "^a", "a$",   "a{,2}", "a{0,}", "a{2",  "a{2,3}", "a{x}", "a{2}b",
                            "\\", "\\sa", ".",     "(a)",   "a++",  "\\A",    "\\z",  "a{99999999999999999999999}"}) {
    CAPTURE(other);
    CHECK(message_of<DataError>([&] { by_expression(other, "a"); }).find("\"pattern.Regex\" must be a text, or one") !=
          std::string::npos);
  }
  CHECK(message_of<DataError>([] {
          replaced({{"String", ""}}, "a");
        }) == "t.json: \"pattern.String\" must be a text that is not empty, got \"\"");
  CHECK(message_of<DataError>([] { replaced({{"Other", "a"}}, "a"); }) == "t.json: \"pattern.String\" is missing");
}

TEST_CASE("a megabyte that nearly matches everywhere takes no longer than one that matches") {
  const std::string spaces(std::size_t{1} << 20, ' ');
  CHECK(by_expression(" +\\z", spaces + "a") == spaces + "a");
  CHECK(by_expression(" {2000000,}", spaces) == spaces);
  CHECK(by_expression("\\s+\\z", spaces + "a") == spaces + "a");
}
