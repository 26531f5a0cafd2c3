#include "decode/translate.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/table_decoder.h"
#include "support/thread_counts.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

// A source's first token is the number of its table.
std::unique_ptr<Decoder> decoder_for(const Stream& sources) {
  std::vector<std::int32_t> numbers;
  const auto offsets = sources.layout.offsets.span<std::int32_t>();
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b)
    numbers.push_back(sources.tokens.data<std::int32_t>()[offsets[b]]);
  return std::make_unique<TableDecoder>(numbers);
}

TokenLists numbered_sources(std::int32_t count) {
  TokenLists lists;
  for (std::int32_t i = 0; i < count; ++i) lists.emplace_back(static_cast<std::size_t>(1 + i * 5 % 7), i);
  return lists;
}

std::vector<std::vector<Generated>> translated(const TokenLists& from, const TranslateOptions& options,
                                               std::size_t first = 0) {
  std::vector<std::vector<Generated>> texts(from.size());
  translate(from, decoder_for, options, first, [&](std::size_t i, std::vector<Generated> found) {
    REQUIRE(texts[i].empty());
    REQUIRE_FALSE(found.empty());
    texts[i] = std::move(found);
  });
  return texts;
}

bool same(const std::vector<Generated>& a, const std::vector<Generated>& b) {
  return std::ranges::equal(a, b, [](const Generated& x, const Generated& y) {
    return x.tokens == y.tokens && x.score == y.score && x.log_probability == y.log_probability;
  });
}

}  // namespace

TEST_CASE("translations do not depend on the batches, searched or sampled") {
  const TokenLists from = numbered_sources(20);
  TranslateOptions options;
  options.prompt = {0};
  options.limits.most = 8;
  options.sampling.stop_ids = {kTableStop};
  options.sampling.samples = 2;
  for (const bool beam : {false, true}) {
    if (beam) options.beam = BeamOptions{.beams = 3, .stop_ids = {kTableStop}, .best = 2};
    options.batch_sources = 64;
    const auto together = translated(from, options);
    for (const auto& texts : together) CHECK(texts.size() == 2);
    options.batch_sources = 3;
    const auto few = on_threads(1, [&] { return translated(from, options); });
    const auto side_by_side = on_threads(3, [&] { return translated(from, options); });
    options.batch_sources = 64;
    options.batch_tokens = 10;
    const auto small = translated(from, options);
    for (std::size_t i = 0; i < from.size(); ++i) {
      CHECK(same(few[i], together[i]));
      CHECK(same(small[i], together[i]));
      CHECK(same(side_by_side[i], together[i]));
      CHECK(same(translated({from[i]}, options, i)[0], together[i]));
    }
    options.batch_tokens = 4096;
  }
}

TEST_CASE("a batch has similar lengths, and no more sources or tokens than allowed") {
  const WithThreads one(1);  // batches in order
  TranslateOptions options;
  options.prompt = {0};
  options.sampling.sampling.greedy = true;
  options.batch_sources = 4;
  options.batch_tokens = 13;
  Dim before = 1000;
  translate(
      numbered_sources(30),
      [&](const Stream& batch) {
        CHECK(batch.layout.sequences() <= 4);
        CHECK(batch.layout.rows() <= 13);
        CHECK(batch.layout.longest <= before);
        before = batch.layout.longest;
        return decoder_for(batch);
      },
      options, 0, [](std::size_t, const std::vector<Generated>&) {});
  options.batch_tokens = 2;
  CHECK(translated(numbered_sources(10), options).size() == 10);  // longer sources are on their own
}

TEST_CASE("limits by ratio count the source's tokens, and the maximum wins") {
  TranslateOptions options;
  options.limits = {2, 50};
  CHECK(limits_for(options, 10).least == 2);
  CHECK(limits_for(options, 10).most == 50);
  options.most_ratio = 1.25;
  options.least_ratio = 0.5;
  CHECK(limits_for(options, 10).least == 5);
  CHECK(limits_for(options, 10).most == 13);
  CHECK(limits_for(options, 100).most == 50);
  CHECK(limits_for(options, 1).least == 2);
  CHECK(limits_for(options, 1).most == 2);
}
