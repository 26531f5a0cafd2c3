#include "io/suggest.h"

#include <doctest/doctest.h>

using namespace rapt;

TEST_CASE("a swap of neighbours is one edit, so is a letter more, less or other") {
  CHECK(edit_distance("train", "trian") == 1);
  CHECK(edit_distance("train", "trains") == 1);
  CHECK(edit_distance("train", "rain") == 1);
  CHECK(edit_distance("train", "brain") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the nearest name is found through case, underscores and beginnings, and nothing when nothing is near") {
  const std::vector<std::string> names = {"layers", "learning-rate", "width", "warmup"};
  CHECK(nearest("layer", names) == "layers");
  CHECK(nearest("LEARNING_RATE", names) == "learning-rate");
  CHECK(nearest("learn", names) == "learning-rate");
  CHECK(nearest("widht", names) == "width");
  CHECK(nearest("zzz", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(did_you_mean("widht", names, "--") == "; did you mean --width?");
  CHECK(did_you_mean("zzz", names, "--").empty());
  CHECK(did_you_mean("labl", {"la\x1B"
                              "bel"}) == "; did you mean la\\x1bbel?");
}

TEST_CASE("a flag of a million letters is not compared") { CHECK(nearest(std::string(1000000, 'a'), {"aa"}).empty()); }
