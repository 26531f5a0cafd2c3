#include "io/suggest.h"

#include <doctest/doctest.h>

using namespace rapt;

TEST_CASE("a swap of adjacent letters is one edit, and so is an inserted, deleted or replaced letter") {
  CHECK(edit_distance("train", "trian") == 1);
  CHECK(edit_distance("train", "trains") == 1);
  CHECK(edit_distance("train", "rain") == 1);
  CHECK(edit_distance("train", "brain") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the most similar name is found despite case, underscores and prefixes, and none if none is similar") {
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

TEST_CASE("an option of a million letters is not compared") {
  CHECK(nearest(std::string(1000000, 'a'), {"aa"}).empty());
}
