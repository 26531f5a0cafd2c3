#include "io/toml.h"

#include <doctest/doctest.h>

#include <string>

#include "temporary_folder.h"
#include "tensor/error.h"

namespace rapt {
namespace {

std::string toml_error(const std::string& text) {
  return message_of<ConfigError>([&] { read_flat_toml(text, "run.toml"); });
}

TEST_CASE("settings are read in file order, with their positions") {
  const auto entries = read_flat_toml(
      "# a run\nwidth = 128\n  dropout = 0.1\nbias = false\nstop = [\"a\", 'b']\nname = \"é\\n\"\n", "run.toml");
  REQUIRE(entries.size() == 5);
  CHECK(entries[0].key == "width");
  CHECK(entries[0].values == std::vector<TomlScalar>{std::int64_t{128}});
  CHECK(entries[0].where == "run.toml:2:9");
  CHECK(entries[1].values == std::vector<TomlScalar>{0.1});
  CHECK(entries[1].line == 3);
  CHECK(entries[2].values == std::vector<TomlScalar>{false});
  CHECK_FALSE(entries[2].is_list);
  CHECK(entries[3].is_list);
  CHECK(entries[3].values == std::vector<TomlScalar>{std::string("a"), std::string("b")});
  CHECK(entries[4].values == std::vector<TomlScalar>{std::string("é\n")});
  CHECK(read_flat_toml("", "run.toml").empty());
}

TEST_CASE("anything but flat TOML is rejected with line and column") {
  CHECK(toml_error("[model]\nlayers = 2\n") ==
        "run.toml:1:1: settings must be at the top level, got the table [model]; remove its heading");
  CHECK(toml_error("a = 1\nb = {c = 2}\n").rfind("run.toml:2:5: settings must be at the top level", 0) == 0);
  CHECK(toml_error("a = [1, [2]]") == "run.toml:1:5: a must be a string, a number, true or false");
  CHECK(toml_error("a = 2024-01-02") == "run.toml:1:5: a must be a string, a number, true or false");
  CHECK(toml_error("a = 1\na = 2\n").rfind("run.toml:2:", 0) == 0);
  for (const char* text :
       {"a", "a =", "a = 1 2", "= 1", "a = \"x", "a = \x1b[31m", "a = \"\xff\"", "a = 99999999999999999999"}) {
    CAPTURE(text);
    const std::string error = toml_error(text);
    CHECK(error.rfind("run.toml:1:", 0) == 0);
    CHECK(error.find(": not TOML: ") != std::string::npos);
    CHECK(error.find('\x1b') == std::string::npos);
  }
  CHECK(toml_error("a = " + std::string(200000, '[')).find("not TOML") != std::string::npos);
  CHECK(toml_error(std::string((1 << 20) + 1, '#')) == "run.toml: must be at most 1048576 bytes, got 1048577");
}

TEST_CASE("non-ASCII characters are only allowed in strings and comments") {
  CHECK(read_flat_toml("\xEF\xBB\xBF# é\na = \"é \\\" é\"\nb = 'é' # é\nc = \"\"\"\né\"é\n\"\"\"\nd = '''é'''\n", "f")
            .size() == 4);
  CHECK(toml_error("a = 1\né = 2") == "run.toml:2:1: not TOML: characters outside ASCII must be in quotes");
  CHECK(toml_error("a = 1 é") == "run.toml:1:7: not TOML: characters outside ASCII must be in quotes");
  CHECK(toml_error("a = \"x\nb = é").rfind("run.toml:2:5: not TOML", 0) == 0);
}

TEST_CASE("any text survives being written as a string") {
  std::string text = "quote \" backslash \\ é 日本";
  for (char c = 1; c < 127; ++c) text += c;
  text += '\x7f';
  const auto entries = read_flat_toml("text = " + toml_string(text), "run.toml");
  CHECK(entries.at(0).values == std::vector<TomlScalar>{text});
}

}  // namespace
}  // namespace rapt
