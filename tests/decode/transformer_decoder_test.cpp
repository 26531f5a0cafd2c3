#include "decode/transformer_decoder.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "decode/beam.h"
#include "support/thread_counts.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

constexpr Dim kTargetVocabulary = 23, kSourceVocabulary = 17;

Transformer random_transformer(NormPlacement norm, Dim width = 24) {
  TransformerConfig c;
  c.vocabulary = kTargetVocabulary;
  c.source_vocabulary = kSourceVocabulary;
  c.context = 40;
  c.width = width;
  c.layers = 1;
  c.decoder_layers = 2;
  c.heads = 3;
  c.norm = norm;
  c.head_bias = HeadBias::kTrained;
  c.init_std = 0.4;  // so that the next token is clear
  Initializer init(4);
  return Transformer(c, init);
}

// `count` sources of different lengths.
TokenLists varied_sources(std::int32_t count) {
  TokenLists lists;
  for (std::int32_t b = 0; b < count; ++b) {
    auto& list = lists.emplace_back();
    for (std::int32_t i = 0; i <= b % 5; ++i)
      list.push_back((7 * b + 3 * i) % static_cast<std::int32_t>(kSourceVocabulary));
  }
  return lists;
}

Stream stream_of(const TokenLists& lists) { return continued_stream(lists, std::vector<Dim>(lists.size(), 0)); }

// The scores of the next token without a cache.
std::vector<float> plain_scores(const Transformer& model, const std::vector<std::int32_t>& source,
                                const std::vector<std::int32_t>& text) {
  const NoGrad no_grad;
  Context ctx;
  const Variable states = model.states({.input = stream_of({text}), .source = stream_of({source})}, ctx);
  const auto N = static_cast<Dim>(text.size());
  const Tensor logits = model.logits(states).value().slice(N - 1, N);
  const auto row = logits.span<float>();
  return {row.begin(), row.end()};
}

std::vector<float> row_of(const Tensor& scores, std::size_t b) {
  const auto row = scores.span<float>().subspan(b * static_cast<std::size_t>(kTargetVocabulary), kTargetVocabulary);
  return {row.begin(), row.end()};
}

void check_close(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) < 1e-4);
}

}  // namespace

TEST_CASE("decoding token by token, in any order of sequences, gives the scores of whole texts") {
  for (const NormPlacement norm : {NormPlacement::kPost, NormPlacement::kPre}) {
    const Transformer model = random_transformer(norm);
    const TokenLists from = varied_sources(4);
    TransformerDecoder decoder(model, stream_of(from));
    TokenLists texts = {{0}, {0, 3}, {0}, {0, 1, 2, 3, 4, 5, 6}};
    std::vector<std::size_t> source_of = {0, 1, 2, 3};
    TokenLists next = texts;
    const std::vector<std::vector<Dim>> orders = {{3, 0, 1}, {1, 1, 0, 2, 2, 2}, {5, 4, 1, 0}, {0, 1}, {}};
    for (const std::vector<Dim>& order : orders) {
      const Tensor scores = decoder.advance(next);
      for (std::size_t b = 0; b < texts.size(); ++b) {
        check_close(row_of(scores, b), plain_scores(model, from[source_of[b]], texts[b]));
      }
      TokenLists moved;
      std::vector<std::size_t> moved_sources;
      next.clear();
      for (const Dim b : order) {
        moved.push_back(texts[static_cast<std::size_t>(b)]);
        moved_sources.push_back(source_of[static_cast<std::size_t>(b)]);
        next.push_back({static_cast<std::int32_t>(moved.size() + 5)});
        moved.back().push_back(next.back()[0]);
      }
      texts = moved;
      source_of = moved_sources;
      decoder.reorder(order);
      REQUIRE(decoder.sequences() == order.size());
    }
  }
}

TEST_CASE("a text's scores have the same bits in any batch and on any number of threads") {
  const Transformer model = random_transformer(NormPlacement::kPost);
  const TokenLists from = varied_sources(45);
  const auto scores = [&](const TokenLists& some) {
    TransformerDecoder decoder(model, stream_of(some));
    std::vector<std::vector<float>> rows(some.size());
    TokenLists next(some.size(), {0});
    for (std::int32_t step = 0; step < 4; ++step) {
      const Tensor logits = decoder.advance(next);
      for (std::size_t b = 0; b < some.size(); ++b) {
        const auto row = row_of(logits, b);
        rows[b].insert(rows[b].end(), row.begin(), row.end());
        next[b] = {(step + some[b][0]) % 20};
      }
    }
    return rows;
  };
  const auto together = on_threads(1, [&] { return scores(from); });
  CHECK(on_threads(2, [&] { return scores(from); }) == together);
  for (std::size_t p = 0; p < from.size(); ++p) CHECK(scores({from[p]}).front() == together[p]);
}

TEST_CASE("sentences translated together have the tokens and the scores of each alone") {
  const Transformer model = random_transformer(NormPlacement::kPre);
  const TokenLists from = varied_sources(12);
  const TokenLists starts(from.size(), {0});
  const BeamOptions options{.beams = 4, .max_tokens = 12, .stop_ids = {2}, .best = 2};
  TransformerDecoder decoder(model, stream_of(from));
  const auto together = beam_search(decoder, starts, options);
  for (std::size_t p = 0; p < from.size(); ++p) {
    TransformerDecoder own(model, stream_of({from[p]}));
    const auto alone = beam_search(own, {{0}}, options).front();
    REQUIRE(alone.size() == together[p].size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      CHECK(together[p][i].tokens == alone[i].tokens);
      CHECK(together[p][i].score == alone[i].score);
    }
  }
}

TEST_CASE("the attention of a token sums to 1 over its source, and follows the sequences") {
  const Transformer model = random_transformer(NormPlacement::kPost);
  const TokenLists from = varied_sources(3);
  const auto weights = [&](const std::vector<Dim>& order, const TokenLists& first) {
    TransformerDecoder decoder(model, stream_of(from));
    REQUIRE(decoder.keep_attention());
    static_cast<void>(decoder.advance(first));
    decoder.reorder(order);
    static_cast<void>(decoder.advance(TokenLists(order.size(), {5})));
    const SourceWeights all = decoder.attention();
    std::vector<std::vector<float>> rows;
    for (std::size_t b = 0; b < order.size(); ++b) {
      const auto row = all.of(b);
      float sum = 0;
      for (const float w : row) sum += w;
      CHECK(row.size() == from[static_cast<std::size_t>(order[b])].size());
      CHECK(sum == doctest::Approx(1));
      rows.emplace_back(row.begin(), row.end());
    }
    return rows;
  };
  const TokenLists first = {{0}, {0}, {0, 1, 2, 3, 4, 5}};
  const auto straight = weights({0, 1, 2}, first), turned = weights({2, 1, 1}, first);
  CHECK(turned[0] == straight[2]);
  CHECK(turned[1] == straight[1]);
  CHECK(turned[2] == straight[1]);
}

TEST_CASE("no text is longer than the context, and a source that is longer is named") {
  const Transformer model = random_transformer(NormPlacement::kPost);
  TransformerDecoder decoder(model, stream_of({{1, 2}}));
  GenerateOptions options;
  options.max_tokens = 1000;
  options.sampling.greedy = true;
  CHECK(generate(decoder, {{0, 1}}, options).front().tokens.size() == 38);
  CHECK_THROWS_WITH_AS(TransformerDecoder(model, stream_of({std::vector<std::int32_t>(41, 1)})),
                       "transformer: a sequence of 41 tokens does not fit the context of 40; shorten it or raise "
                       "--context",
                       ShapeError);
}
