#include "decode/recurrent_decoder.h"

#include <doctest/doctest.h>

#include "decode/beam.h"
#include "decode/generate.h"
#include "support/network_checks.h"
#include "support/small_networks.h"
#include "support/with_precision.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

struct Source {
  Stream stream;
  explicit Source(const RecurrentConfig& c) : stream(random_batch({4, 1, 6}, c.vocabulary, 5).input) {}
  const Stream* of(const RecurrentConfig& c) const { return c.encoder ? &stream : nullptr; }
};

Recurrent network_of(const RecurrentConfig& c) {
  Initializer init(3);
  return Recurrent(c, init);
}

const TokenLists kRecurrentPrompts = {{1, 5, 3}, {2}, {7, 4}};
constexpr Precision kPrecisions[] = {Precision::kF32, Precision::kBf16};

// The scores after all of `tokens`, from the whole text at once.
Tensor scores_of(const Recurrent& model, const TokenLists& tokens, const Source& source) {
  const NoGrad no_grad;
  Context ctx;
  const Stream stream = continued_stream(tokens, {0, 0, 0});
  Batch batch{.input = stream};
  if (model.config().encoder) batch.source = source.stream;
  return model.logits(model.pooled(model.states(batch, ctx), stream.layout)).value();
}

}  // namespace

TEST_CASE("token by token, a recurrent decoder gives the scores of the whole text") {
  for (const RecurrentConfig& c : small_recurrent()) {
    CAPTURE(static_cast<int>(c.attention));
    CAPTURE(c.input_feeding);
    const Recurrent model = network_of(c);
    const Source source(c);
    RecurrentDecoder decoder(model, 3, source.of(c));
    CHECK(max_difference(decoder.advance(kRecurrentPrompts), scores_of(model, kRecurrentPrompts, source)) < 1e-5);
    TokenLists longer = kRecurrentPrompts;
    for (const std::int32_t token : {6, 0}) {
      for (auto& text : longer) text.push_back(token);
      CHECK(max_difference(decoder.advance({{token}, {token}, {token}}), scores_of(model, longer, source)) < 1e-5);
    }
  }
}

TEST_CASE("sequences move with their sources and states, may double, and may leave") {
  for (const RecurrentConfig& c : small_recurrent()) {
    CAPTURE(static_cast<int>(c.attention));
    CAPTURE(c.input_feeding);
    const Recurrent model = network_of(c);
    const Source source(c);
    RecurrentDecoder decoder(model, 3, source.of(c));
    static_cast<void>(decoder.advance(kRecurrentPrompts));
    const std::vector<Dim> from = {2, 0, 2, 2};
    decoder.reorder(from);
    CHECK(decoder.sequences() == 4);
    const Tensor scores = decoder.advance({{6}, {6}, {6}, {8}});
    const Tensor same = scores_of(model, {{1, 5, 3, 6}, {2, 6}, {7, 4, 6}}, source);
    CHECK(max_difference(scores.slice(0, 1), same.slice(2, 3)) < 1e-5);
    CHECK(max_difference(scores.slice(1, 2), same.slice(0, 1)) < 1e-5);
    CHECK(same_bits(scores.slice(0, 1).clone(), scores.slice(2, 3).clone()));
    CHECK(max_difference(scores.slice(3, 4), scores.slice(2, 3)) > 1e-4);
    decoder.reorder(std::vector<Dim>{1});
    CHECK(max_difference(decoder.advance({{9}}), scores_of(model, {{1, 5, 3, 6, 9}, {2}, {7}}, source).slice(0, 1)) <
          1e-5);
  }
}

TEST_CASE("a sequence's scores do not depend on the rest of the batch, to the last bit") {
  for (const Precision precision : kPrecisions) {
    const WithPrecision with(precision);
    for (const RecurrentConfig& c : small_recurrent()) {
      const Recurrent model = network_of(c);
      const Source source(c);
      RecurrentDecoder decoder(model, 3, source.of(c));
      const Tensor together = decoder.advance(kRecurrentPrompts);
      const Stream own = part_of(source.stream, 2, 3);
      RecurrentDecoder alone(model, 1, c.encoder ? &own : nullptr);
      CHECK(same_bits(alone.advance({kRecurrentPrompts[2]}), together.slice(2, 3).clone()));
    }
  }
}

// More sequences than groups of sequences that go through the encoder side by side, and more than a product of few
// rows.
TEST_CASE("the scores of a sequence among 200 are its own, to the last bit, on one thread and on two") {
  const std::size_t many = 200;
  for (const Precision precision : kPrecisions) {
    const WithPrecision with(precision);
    for (RecurrentConfig c : small_recurrent()) {
      if (!c.encoder) continue;
      c.width = 40;
      const Recurrent model = network_of(c);
      std::vector<Dim> lengths(many);
      for (std::size_t i = 0; i < many; ++i) lengths[i] = 1 + static_cast<Dim>(i * 7 % 5);
      const Stream source = random_batch(lengths, c.vocabulary, 5).input;
      const auto scores = [&](const Stream& stream, std::size_t sequences) {
        RecurrentDecoder decoder(model, sequences, &stream);
        static_cast<void>(decoder.advance(TokenLists(sequences, {1, 5})));
        return decoder.advance(TokenLists(sequences, {3}));
      };
      const Tensor together = on_threads(2, [&] { return scores(source, many); });
      CHECK(same_bits(together, on_threads(1, [&] { return scores(source, many); })));
      for (const Dim b : {0, 101, 199}) {
        CHECK(same_bits(scores(part_of(source, b, b + 1), 1), together.slice(b, b + 1).clone()));
      }
    }
  }
}

TEST_CASE("the attention of the last token is offered by networks that attend, and sums to 1") {
  for (const RecurrentConfig& c : small_recurrent()) {
    const Recurrent model = network_of(c);
    const Source source(c);
    RecurrentDecoder decoder(model, 3, source.of(c));
    CHECK(decoder.keep_attention() == c.attends());
    if (!c.attends()) continue;
    static_cast<void>(decoder.advance(kRecurrentPrompts));
    const Batch batch{.input = continued_stream(kRecurrentPrompts, {0, 0, 0}), .source = source.stream};
    const Tensor all = model.attention(batch);  // [3, 4], [1, 1], [2, 6]
    const SourceWeights last = decoder.attention();
    REQUIRE(last.offsets == std::vector<std::size_t>{0, 4, 5, 11});
    for (std::size_t s = 0; s < 4; ++s) {
      CHECK(last.of(0)[s] == doctest::Approx(all.data<float>()[8 + s]).epsilon(1e-4));
    }
    for (std::size_t s = 0; s < 6; ++s) {
      CHECK(last.of(2)[s] == doctest::Approx(all.data<float>()[12 + 1 + 6 + s]).epsilon(1e-4));
    }
  }
}

TEST_CASE("beams of several sources are those of each source alone") {
  for (const Precision precision : kPrecisions) {
    const WithPrecision with(precision);
    const RecurrentConfig c = small_recurrent()[5];
    const Recurrent model = network_of(c);
    const Source source(c);
    const BeamOptions options{.beams = 4, .max_tokens = 8, .stop_ids = {c.end_token}, .best = 2};
    RecurrentDecoder decoder(model, 3, source.of(c));
    const auto together = beam_search(decoder, {{0}, {0}, {0}}, options);
    for (Dim b = 0; b < 3; ++b) {
      const Stream own = part_of(source.stream, b, b + 1);
      RecurrentDecoder alone(model, 1, &own);
      const auto found = beam_search(alone, {{0}}, options).front();
      for (std::size_t i = 0; i < 2; ++i) {
        CHECK(found[i].tokens == together[static_cast<std::size_t>(b)][i].tokens);
        CHECK(found[i].score == together[static_cast<std::size_t>(b)][i].score);
      }
    }
  }
}

TEST_CASE("an encoder-decoder needs a source for each sequence") {
  const RecurrentConfig c = small_recurrent().front();
  const Recurrent model = network_of(c);
  const Source source(c);
  CHECK_THROWS_WITH_AS(RecurrentDecoder(model, 2, nullptr), "decoder: each of 2 sequences must have a source, got 0",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(RecurrentDecoder(model, 2, &source.stream),
                       "decoder: each of 2 sequences must have a source, got 3", std::invalid_argument);
}
