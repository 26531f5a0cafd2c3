#include "tensor/batch.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/batch_checks.h"

using namespace rapt;
using rapt::testing::ids_of;
using Ids = std::vector<std::int32_t>;

TEST_CASE("a stream's positions count from 0 within each sequence") {
  const Stream stream = make_stream(std::vector<Dim>{2, 1, 3}, {7, 8, 9, 4, 5, 6}, {0, 1, 0, 0, 0, 1});
  CHECK(ids_of(stream.layout.offsets) == Ids{0, 2, 3, 6});
  CHECK(ids_of(stream.tokens) == Ids{7, 8, 9, 4, 5, 6});
  CHECK(ids_of(stream.positions) == Ids{0, 1, 0, 0, 1, 2});
  CHECK(ids_of(stream.segments) == Ids{0, 1, 0, 0, 0, 1});
  CHECK_FALSE(make_stream(std::vector<Dim>{1}, {7}).segments.defined());
}

TEST_CASE("a stream with inconsistent parts is rejected") {
  CHECK_THROWS_WITH_AS(make_stream(std::vector<Dim>{2, 2}, {1, 2, 3}),
                       "batch: the lengths must add up to the number of tokens, 3, got 4", ShapeError);
  CHECK_THROWS_WITH_AS(make_stream(std::vector<Dim>{3}, {1, 2, 3}, {0, 1}),
                       "batch: each of 3 tokens must have a segment, got 2", ShapeError);
  CHECK_THROWS_WITH_AS(make_targets({0, 2}, {5}), "batch: each of 2 predicted rows must have a target, got 1",
                       ShapeError);
}

TEST_CASE("labels of the requested type are returned, and others are named in an error") {
  const Labels classes = ClassLabels{Tensor::from<std::int32_t>({1, 0, 2}, {3})};
  CHECK(ids_of(labels_as<ClassLabels>(classes, {3}, "classify")) == Ids{1, 0, 2});
  CHECK_THROWS_WITH_AS(labels_as<ClassLabels>(classes, {2}, "classify"),
                       "classify: the batch's labels must be classes [2] i32, got classes [3] i32", ShapeError);
  // The same shape and type, but another meaning.
  CHECK_THROWS_WITH_AS(labels_as<ChoiceLabels>(classes, {3}, "choice"),
                       "choice: the batch's labels must be choices [3] i32, got classes [3] i32", ShapeError);
  CHECK_THROWS_WITH_AS(labels_as<SpanLabels>(Labels(), {3, 2}, "qa"),
                       "qa: the batch's labels must be spans [3, 2] i32, got none", ShapeError);
  CHECK_THROWS_WITH_AS(labels_as<NumberLabels>(NumberLabels{Tensor::zeros({3, 1}, DType::kF64)}, {3, 1}, "regress"),
                       "regress: the batch's labels must be numbers [3, 1] f32, got numbers [3, 1] f64", ShapeError);
}

TEST_CASE("the counts of a batch are those of its streams, targets and labels, and add up over an update") {
  Batch batch{.input = make_stream(std::vector<Dim>{2, 3}, {1, 2, 3, 4, 5}),
              .targets = make_targets({0, 4}, {8, 9}),
              .labels = YesNoLabels{Tensor::zeros({2, 7})}};
  BatchCounts counts = counts_of(batch);
  CHECK(counts.input.rows == 5);
  CHECK(counts.input.sequences == 2);
  CHECK(counts.targets == 2);
  CHECK(counts.labels == 2);
  CHECK(counts.tokens() == 5);
  batch.source = make_stream(std::vector<Dim>{1, 1, 1}, {1, 2, 3});
  batch.targets = {};
  batch.labels = {};
  counts += counts_of(batch);
  CHECK(counts.input.rows == 10);
  CHECK(counts.source.rows == 3);
  CHECK(counts.source.sequences == 3);
  CHECK(counts.targets == 2);
  CHECK(counts.labels == 2);
  CHECK(counts.tokens() == 13);
}
