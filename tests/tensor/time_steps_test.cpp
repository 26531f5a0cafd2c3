#include "tensor/time_steps.h"

#include <doctest/doctest.h>

using namespace rapt;

TEST_CASE("steps hold the rows of the sequences that are long enough, the longest first") {
  const Packed layout = pack_lengths(std::vector<Dim>{2, 0, 3, 1, 3});
  const TimeSteps steps = time_steps(layout);
  CHECK(steps.sequences == std::vector<std::int32_t>{2, 4, 0, 3, 1});
  CHECK(steps.rows == std::vector<std::int32_t>{2, 6, 0, 5, 3, 7, 1, 4, 8});
  CHECK(steps.starts == std::vector<Dim>{0, 4, 7, 9});
  CHECK(steps.rows_of(1).size() == 3);
  CHECK(steps.rows_of(1)[2] == 1);
}

TEST_CASE("in reverse each sequence starts at its own last token") {
  const TimeSteps steps = time_steps(pack_lengths(std::vector<Dim>{2, 3}), Direction::kReverse);
  CHECK(steps.rows == std::vector<std::int32_t>{4, 1, 3, 0, 2});
}

TEST_CASE("a packing without tokens has no steps") {
  CHECK(time_steps(pack_lengths(std::vector<Dim>{})).steps() == 0);
  CHECK(time_steps(pack_lengths(std::vector<Dim>{0, 0})).steps() == 0);
}

TEST_CASE("groups have every sequence once, with lengths alike") {
  const auto groups = grouped_time_steps(pack_lengths(std::vector<Dim>{2, 0, 3, 1, 3}), Direction::kForward, 2);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].sequences == std::vector<std::int32_t>{2, 0, 1});
  CHECK(groups[0].rows == std::vector<std::int32_t>{2, 0, 3, 1, 4});
  CHECK(groups[1].sequences == std::vector<std::int32_t>{4, 3});
  CHECK(groups[1].rows == std::vector<std::int32_t>{6, 5, 7, 8});
  CHECK(groups[1].steps() == 3);
}
