// Looking up a word in a table of names.
#include "io/names.h"

#include <doctest/doctest.h>

#include <array>

#include "tensor/error.h"

using namespace rapt;

namespace {

enum class Colour { kRed, kGreen };
constexpr std::array<std::pair<Colour, const char*>, 2> kColours{{{Colour::kRed, "red"}, {Colour::kGreen, "green"}}};

struct Row {
  std::string name;
  int value;
};
const std::vector<Row> kRows = {{"one", 1}, {"two", 2}};

}  // namespace

TEST_CASE("an enumerator is found by its name, and its name by the enumerator") {
  CHECK(value_named("green", kColours, "--colour") == Colour::kGreen);
  for (const auto& [colour, name] : kColours) {
    CHECK(value_named(name, kColours, "--colour") == colour);
    CHECK(std::string(name_in(kColours, colour)) == name);
  }
  CHECK(name_in(std::array<std::pair<Colour, const char*>, 1>{{{Colour::kRed, "red"}}}, Colour::kGreen) == nullptr);
}

TEST_CASE("a row of a table is found by its name and is not copied") {
  CHECK(&find_named("two", kRows, &Row::name, "row:") == &kRows[1]);
}

TEST_CASE("an unknown name is rejected with all names and the most similar one") {
  CHECK_THROWS_WITH_AS(value_named("gren", kColours, "--colour"),
                       "--colour must be one of red, green, got \"gren\"; did you mean green?", UsageError);
  CHECK_THROWS_WITH_AS(find_named("x\n", kRows, &Row::name, "row:"), "row: must be one of one, two, got \"x\\n\"",
                       UsageError);
  CHECK_THROWS_WITH_AS(find_named("", kRows, &Row::name, "row:"), "row: must be one of one, two, got \"\"", UsageError);
}
