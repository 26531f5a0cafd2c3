#include "tensor/packed.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace rapt;

TEST_CASE("lengths become offsets, and the longest is known") {
  const std::vector<Dim> lengths = {3, 0, 5, 1};
  const Packed packed = pack_lengths(lengths);
  const auto offsets = packed.offsets.span<std::int32_t>();
  CHECK(std::vector<std::int32_t>(offsets.begin(), offsets.end()) == std::vector<std::int32_t>{0, 3, 3, 8, 9});
  CHECK(packed.longest == 5);
  CHECK(packed.sequences() == 4);
  CHECK(packed.rows() == 9);
}

TEST_CASE("no sequences make an empty packing") {
  const Packed packed = pack_lengths({});
  CHECK(packed.sequences() == 0);
  CHECK(packed.rows() == 0);
  CHECK(packed.longest == 0);
}

TEST_CASE("invalid lengths are named") {
  CHECK_THROWS_WITH_AS(pack_lengths(std::vector<Dim>{2, -1}),
                       "pack_lengths: a length must not be negative, got -1 for sequence 1", ShapeError);
  CHECK_THROWS_AS(pack_lengths(std::vector<Dim>{Dim{1} << 30, Dim{1} << 30, 1}), ShapeError);
}

TEST_CASE("positions count from 0 within each sequence") {
  const Tensor positions = positions_of(pack_lengths(std::vector<Dim>{3, 0, 2}));
  const auto values = positions.span<std::int32_t>();
  CHECK(std::vector<std::int32_t>(values.begin(), values.end()) == std::vector<std::int32_t>{0, 1, 2, 0, 1});
}

TEST_CASE("first and last rows are those of the sequences") {
  const auto values = [](const Tensor& t) {
    const auto span = t.span<std::int32_t>();
    return std::vector<std::int32_t>(span.begin(), span.end());
  };
  const Packed packed = pack_lengths(std::vector<Dim>{3, 1, 5});
  CHECK(values(first_rows(packed)) == std::vector<std::int32_t>{0, 3, 4});
  CHECK(values(last_rows(packed)) == std::vector<std::int32_t>{2, 3, 8});
  CHECK(values(all_rows(3)) == std::vector<std::int32_t>{0, 1, 2});
  CHECK(all_rows(0).size() == 0);
  CHECK_THROWS_WITH_AS(last_rows(pack_lengths(std::vector<Dim>{3, 0})),
                       "batch: sequence 1 is empty, so it has no first or last token", ShapeError);
}

TEST_CASE("each row has the number of its sequence") {
  const Tensor sequences = sequences_of(pack_lengths(std::vector<Dim>{2, 0, 1}));
  CHECK(std::vector<std::int32_t>(sequences.span<std::int32_t>().begin(), sequences.span<std::int32_t>().end()) ==
        std::vector<std::int32_t>{0, 0, 2});
}
