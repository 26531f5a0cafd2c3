#include "text/batches/lm_batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "support/batch_checks.h"
#include "tensor/error.h"

using namespace rapt;
using rapt::testing::ids_of;
using rapt::testing::same_batch;
using Ids = std::vector<std::int32_t>;

// Token i is i, so that a token shows its position.
static TokenStore counting(Dim size, Dim train_tokens) {
  Ids ids(static_cast<std::size_t>(size));
  std::iota(ids.begin(), ids.end(), 0);
  return TokenStore::from_ids(std::move(ids), static_cast<std::int32_t>(size), train_tokens);
}

TEST_CASE("a window's targets are its tokens one later, every row a target") {
  const LmBatches batches(counting(100, 90), Part::kTrain, 4, LmOrder::kRandom, 1);
  const Batch batch = batches.batch(0, 3);
  CHECK(ids_of(batch.input.layout.offsets) == Ids{0, 4, 8, 12});
  CHECK(batch.input.layout.longest == 4);
  CHECK(ids_of(batch.input.positions) == Ids{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3});
  CHECK(ids_of(batch.targets.rows) == Ids{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const Ids tokens = ids_of(batch.input.tokens), targets = ids_of(batch.targets.ids);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    CHECK(targets[i] == tokens[i] + 1);
    if (i % 4 > 0) CHECK(tokens[i] == tokens[i - 1] + 1);
  }
  CHECK_FALSE(batch.input.segments.defined());
}

TEST_CASE("a sample depends on seed and index alone, not on the batch it comes in") {
  for (const LmOrder order : {LmOrder::kRandom, LmOrder::kEpoch, LmOrder::kDocuments}) {
    const TokenStore store = TokenStore::from_ids(Ids(60, 1), 2, 60, {0, 5, 11, 18, 20, 29, 40, 41, 60});
    const LmBatches a(store, Part::kTrain, 6, order, 1), b(store, Part::kTrain, 6, order, 1);
    std::vector<LmSequence> split;
    for (std::uint64_t i = 3; i < 11; ++i) split.push_back(b.sequence(i));
    CHECK(same_batch(a.batch(3, 8), make_lm_batch(store, split)));
  }
  const LmBatches one(counting(1000, 1000), Part::kTrain, 6, LmOrder::kRandom, 1);
  const LmBatches two(counting(1000, 1000), Part::kTrain, 6, LmOrder::kRandom, 2);
  CHECK_FALSE(same_batch(one.batch(0, 8), two.batch(0, 8)));
  CHECK_FALSE(same_batch(one.batch(0, 8), one.batch(8, 8)));
}

TEST_CASE("random windows start at every position equally often, and stay within their part") {
  const LmBatches batches(counting(30, 20), Part::kTrain, 8, LmOrder::kRandom, 5);
  std::map<Dim, int> count;
  for (std::uint64_t i = 0; i < 12'000; ++i) ++count[batches.sequence(i).first];
  CHECK(count.begin()->first == 0);
  CHECK(count.rbegin()->first == 11);  // 11 + 8 is the last token of the part: the last target
  CHECK(count.size() == 12);
  for (const auto& place : count) CHECK(std::abs(place.second - 1000) < 180);  // six standard deviations
  const LmBatches validation(counting(30, 20), Part::kValidation, 8, LmOrder::kRandom, 5);
  for (std::uint64_t i = 0; i < 100; ++i) {
    CHECK(validation.sequence(i).first >= 20);
    CHECK(validation.sequence(i).first <= 21);
  }
}

TEST_CASE("an epoch's windows do not overlap, and epochs differ in order and phase") {
  for (const Dim size : {17, 18, 33, 34, 100, 1000}) {
    CAPTURE(size);
    const LmBatches batches(counting(size, size), Part::kTrain, 16, LmOrder::kEpoch, 7);
    const std::uint64_t n = batches.samples_per_epoch();
    CHECK(n == static_cast<std::uint64_t>(std::max<Dim>(1, size / 16 - 1)));
    std::set<Dim> phases;
    std::set<std::vector<Dim>> orders;
    for (std::uint64_t epoch = 0; epoch < 30; ++epoch) {
      std::vector<Dim> begins;
      for (std::uint64_t i = 0; i < n; ++i) begins.push_back(batches.sequence(epoch * n + i).first);
      orders.insert(begins);
      std::sort(begins.begin(), begins.end());
      for (std::size_t i = 1; i < begins.size(); ++i) CHECK(begins[i] == begins[i - 1] + 16);
      CHECK(begins.front() >= 0);
      CHECK(begins.back() + 16 < size);
      phases.insert(begins.front());
    }
    if (size >= 34) CHECK(phases.size() > 10);
    if (size == 1000) CHECK(orders.size() == 30);
  }
}

TEST_CASE("a part shorter than the context is one window") {
  const LmBatches batches(counting(10, 10), Part::kTrain, 64, LmOrder::kRandom, 1);
  CHECK(batches.context() == 9);
  CHECK(ids_of(batches.batch(0, 1).input.tokens) == Ids{0, 1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(LmBatches(counting(10, 10), Part::kTrain, 64, LmOrder::kEpoch, 1).sequence(5).length == 9);
}

TEST_CASE("documents start with the end-of-text token, and are truncated to the context") {
  // Documents "1 2 3 0", "4 0", "5 6 0" with 0 as the end of text.
  const TokenStore store = TokenStore::from_ids({1, 2, 3, 0, 4, 0, 5, 6, 0}, 10, 9, {0, 4, 6, 9}, 0);
  const LmBatches batches(store, Part::kTrain, 3, LmOrder::kDocuments, 1);
  CHECK(batches.samples_per_epoch() == 3);
  std::set<std::pair<Ids, Ids>> seen;
  for (std::uint64_t i = 0; i < 3; ++i) {
    const Batch batch = batches.batch(i, 1);
    seen.insert({ids_of(batch.input.tokens), ids_of(batch.targets.ids)});
  }
  CHECK(seen == std::set<std::pair<Ids, Ids>>{{{0, 1, 2}, {1, 2, 3}}, {{0, 4}, {4, 0}}, {{0, 5, 6}, {5, 6, 0}}});
}

TEST_CASE("without an end-of-text token a document predicts all but its first token") {
  const TokenStore store = TokenStore::from_ids({1, 2, 3, 4, 5}, 10, 5, {0, 3, 4, 5});
  const LmBatches batches(store, Part::kTrain, 8, LmOrder::kDocuments, 1);
  const Batch batch = batches.batch(0, 3);
  CHECK(batch.input.layout.rows() == 4);
  CHECK(ids_of(batch.targets.ids) == Ids{2, 3});
  const Ids tokens = ids_of(batch.input.tokens), rows = ids_of(batch.targets.rows);
  CHECK(tokens[static_cast<std::size_t>(rows[0])] == 1);
  CHECK(tokens[static_cast<std::size_t>(rows[1])] == 2);
  const LmEvaluation evaluation(store, Part::kTrain, 8, LmOrder::kDocuments);
  CHECK(evaluation.targets() == 2);
  CHECK(evaluation.sequences() == 1);
  CHECK(ids_of(evaluation.batch(0, 5).targets.ids) == Ids{2, 3});
}

TEST_CASE("an evaluation predicts every token of the part once, in order") {
  for (const Dim context : {1, 3, 9, 10, 11, 100}) {
    CAPTURE(context);
    const LmEvaluation evaluation(counting(30, 10), Part::kValidation, context, LmOrder::kEpoch);
    CHECK(evaluation.targets() == 19);
    CHECK(evaluation.sequences() == (19 + context - 1) / context);
    Ids targets;
    for (Dim i = 0; i < evaluation.sequences(); i += 4) {
      const Batch batch = evaluation.batch(i, 4);
      const Ids more = ids_of(batch.targets.ids);
      CHECK(batch.input.layout.longest <= context);
      targets.insert(targets.end(), more.begin(), more.end());
    }
    Ids expected(19);
    std::iota(expected.begin(), expected.end(), 11);
    CHECK(targets == expected);
  }
}

TEST_CASE("an evaluation by documents predicts every token, long documents in several windows") {
  const TokenStore store = TokenStore::from_ids({1, 2, 3, 4, 5, 0, 6, 0, 7, 8, 9, 0}, 10, 6, {0, 6, 8, 12}, 0);
  for (const Dim context : {1, 2, 3, 4, 5, 6, 7}) {
    CAPTURE(context);
    Ids tokens, targets;
    for (const Part part : {Part::kTrain, Part::kValidation}) {
      const LmEvaluation evaluation(store, part, context, LmOrder::kDocuments);
      CHECK(evaluation.targets() == 6);
      for (Dim i = 0; i < evaluation.sequences(); ++i) {
        const Batch batch = evaluation.batch(i, 1);
        for (const std::int32_t id : ids_of(batch.input.tokens)) tokens.push_back(id);
        for (const std::int32_t id : ids_of(batch.targets.ids)) targets.push_back(id);
      }
    }
    CHECK(targets == Ids{1, 2, 3, 4, 5, 0, 6, 0, 7, 8, 9, 0});
    CHECK(tokens == Ids{0, 1, 2, 3, 4, 5, 0, 6, 0, 7, 8, 9});
  }
}

TEST_CASE("parts that are too small are named") {
  CHECK_THROWS_WITH_AS(LmBatches(counting(10, 9), Part::kValidation, 4, LmOrder::kRandom, 1),
                       "corpus: the validation part must have at least 2 tokens, got 1; give more text", DataError);
  CHECK_THROWS_WITH_AS(LmEvaluation(counting(10, 10), Part::kValidation, 4, LmOrder::kDocuments),
                       "corpus: the validation part must have at least 1 document, got 0; give more text", DataError);
  CHECK_THROWS_WITH_AS(LmBatches(counting(10, 9), Part::kTrain, 0, LmOrder::kRandom, 1),
                       "batches: the context must be at least 1, got 0", UsageError);
}
