#include "nn/models/recurrent.h"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/models/language_model.h"
#include "support/network_checks.h"
#include "support/small_networks.h"
#include "tensor/error.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

// A batch for a small network, with the padding-free lengths of three pairs.
Batch small_batch(const RecurrentConfig& c) {
  if (!c.encoder) return random_batch({5, 1, 4}, c.vocabulary, 3);
  return random_pairs({3, 6, 1}, {5, 1, 4}, c.vocabulary, 3);
}

LanguageModel network_of(const RecurrentConfig& c, DType dtype = DType::kF32) {
  Initializer init(7, dtype);
  return LanguageModel(std::make_unique<Recurrent>(c, init));
}

Dim count_of(RecurrentConfig c) {
  c.encoder = true;
  c.source_vocabulary = 7853;
  c.vocabulary = 5893;
  c.embedding_width = 256;
  Initializer init = Initializer::unset();
  Recurrent model(c, init);
  return parameter_count(model);
}

}  // namespace

// bentrevett/pytorch-seq2seq, notebooks 1 to 3. Bahdanau's matrix for [h; m] there has one bias: here it is the key's.
TEST_CASE("the published German-English networks have 13,898,501, 14,219,781 and 20,518,405 parameters") {
  CHECK(count_of({.cell = RecurrentCell::kLstm, .width = 512, .layers = 2}) == 13898501);
  RecurrentConfig gru{.cell = RecurrentCell::kGru, .width = 512, .layers = 1};
  gru.attention = RecurrentAttention::kContext;
  CHECK(count_of(gru) == 14219781);
  gru.attention = RecurrentAttention::kAdditive;
  gru.bidirectional = true;
  CHECK(count_of(gru) == 20518405);
}

TEST_CASE("the whole recurrent network's gradients agree with central differences, with dropout") {
  for (RecurrentConfig c : small_recurrent()) {
    CAPTURE(static_cast<int>(c.attention));
    CAPTURE(c.input_feeding);
    CAPTURE(c.bidirectional);
    c.embedding_dropout = c.layer_dropout = 0.3;
    LanguageModel network = network_of(c, DType::kF64);
    const GradcheckResult result = check_gradients(network, small_batch(c), {});
    CHECK_MESSAGE(result, result.message);
  }
}

TEST_CASE("recurrent networks give the same bits on two threads, and a batch's halves the gradient of the whole") {
  for (RecurrentConfig c : small_recurrent()) {
    CAPTURE(static_cast<int>(c.attention));
    CAPTURE(c.input_feeding);
    c.embedding_dropout = c.layer_dropout = 0.3;
    LanguageModel network = network_of(c);
    const Batch batch = small_batch(c);
    CHECK(same_on_two_threads(network, batch, {}));
    CHECK(difference_in_halves(network, batch, {}) < 2e-5);
  }
}

TEST_CASE("a pair gives the same states alone and among others") {
  for (const RecurrentConfig& c : small_recurrent()) {
    CAPTURE(static_cast<int>(c.attention));
    Initializer init(1);
    const Recurrent model(c, init);
    const NoGrad no_grad;
    const Batch all = small_batch(c);
    Context ctx;
    const Tensor together = model.states(all, ctx).value().slice(6, 10);
    CHECK(max_difference(together, model.states(part_of(all, 2, 3), ctx).value()) < 1e-6);
  }
}

TEST_CASE("steps that depend on attention give what attention after all steps gives, if nothing is fed") {
  for (const RecurrentAttention attention :
       {RecurrentAttention::kDot, RecurrentAttention::kGeneral, RecurrentAttention::kConcat}) {
    RecurrentConfig c = small_recurrent().front();
    c.attention = attention;
    Initializer init(1), again(1);
    Recurrent after(c, init);
    c.input_feeding = true;
    Recurrent fed(c, again);
    // The same weights, and zeros for what is fed.
    auto from = parameters_of(after), to = parameters_of(fed);
    for (std::size_t i = 0; i < to.size(); ++i) {
      Tensor& target = to[i].variable.value();
      const Tensor& source = from[i].variable.value();
      target.fill(0);
      const Dim wide = target.shape().back(), narrow = source.shape().back();
      for (Dim row = 0; row < source.size() / narrow; ++row) {
        target.view(row * wide, {narrow}).copy_from(source.view(row * narrow, {narrow}));
      }
    }
    const NoGrad no_grad;
    Context ctx;
    const Batch batch = small_batch(c);
    CHECK(max_difference(after.states(batch, ctx).value(), fed.states(batch, ctx).value()) < 1e-6);
    CHECK(max_difference(after.attention(batch), fed.attention(batch)) < 1e-6);
  }
}

TEST_CASE("attention of a batch has the weights of each pair, which sum to 1; without attention there are none") {
  for (const RecurrentConfig& c : small_recurrent()) {
    Initializer init(1);
    const Recurrent model(c, init);
    const Tensor weights = model.attention(small_batch(c));
    if (!c.attends()) {
      CHECK_FALSE(weights.defined());
      continue;
    }
    REQUIRE(weights.size() == 5 * 3 + 1 * 6 + 4 * 1);
    float sum = 0;
    for (Dim i = 0; i < 3; ++i) sum += weights.data<float>()[i];
    CHECK(sum == doctest::Approx(1));
  }
}

TEST_CASE("dropout between layers reaches every layer but the top one's output") {
  RecurrentConfig c = small_recurrent().back();
  c.layer_dropout = 0.5;
  Initializer init(1);
  const Recurrent model(c, init);
  const NoGrad no_grad;
  const Batch batch = small_batch(c);
  Context evaluating, training{.training = true};
  CHECK(max_difference(model.states(batch, evaluating).value(), model.states(batch, training).value()) > 1e-3);
  Context again{.training = true};
  Context first{.training = true};
  CHECK(same_bits(model.states(batch, first).value(), model.states(batch, again).value()));
  c.layers = 1;
  Initializer other(1);
  const Recurrent shallow(c, other);
  CHECK(same_bits(shallow.states(batch, evaluating).value(), shallow.states(batch, training).value()));
}

TEST_CASE("new weights are uniform within 1 / sqrt(width), within a range, or normal with biases of zero") {
  RecurrentConfig c = small_recurrent().front();
  const auto largest = [&](const std::string& name) {
    Initializer init(1);
    Recurrent model(c, init);
    double most = 0;
    for (const NamedParameter& p : parameters_of(model)) {
      if (p.name != name) continue;
      for (const float x : p.variable.value().span<float>()) most = std::max(most, std::abs(static_cast<double>(x)));
    }
    return most;
  };
  c.width = 100;
  c.init_range = 0;
  CHECK(largest("decoder.0.recurrent_weight") == doctest::Approx(0.1).epsilon(0.01));
  CHECK(largest("decoder.0.input_bias") == doctest::Approx(0.1).epsilon(0.05));
  c.init_range = 0.08;
  CHECK(largest("tokens.weight") == doctest::Approx(0.08).epsilon(0.05));
  c.init_std = 0.01;
  CHECK(largest("decoder.0.recurrent_weight") > 0.03);
  CHECK(largest("decoder.0.input_bias") == 0);
}

TEST_CASE("an encoder-decoder overfits ten pairs") {
  RecurrentConfig c = small_recurrent()[4];  // additive attention
  c.width = 32;
  c.embedding_width = 16;
  LanguageModel network = network_of(c);
  const std::vector<Dim> lengths = {3, 4, 5, 3, 4, 5, 3, 4, 5, 3};
  const Batch batch = random_pairs(lengths, lengths, c.vocabulary, 3);
  const LossShare share{.targets = static_cast<double>(batch.targets.count())};
  double loss = 0;
  for (int step = 0; step < 200; ++step) {
    const auto result = loss_and_gradients(network, batch, share);
    loss = result[0].item();
    std::size_t i = 1;
    double norm = 0;
    for (std::size_t k = 1; k < result.size(); ++k) {
      for (const float g : result[k].span<float>()) norm += static_cast<double>(g) * static_cast<double>(g);
    }
    const double rate = 1.0 / std::max(1.0, std::sqrt(norm));
    for (Variable v : variables_of(network)) {
      for (Dim k = 0; k < v.value().size(); ++k) {
        v.value().data<float>()[k] -= static_cast<float>(rate) * result[i].data<float>()[k];
      }
      ++i;
    }
  }
  CHECK(loss < 0.3);
}

TEST_CASE("recurrent networks name invalid settings and batches without a source") {
  RecurrentConfig c = small_recurrent().front();
  const auto make = [](const RecurrentConfig& config) {
    Initializer init(1);
    Recurrent model(config, init);
  };
  auto with = c;
  with.width = 0;
  CHECK_THROWS_WITH_AS(make(with), "recurrent: width must be at least 1, got 0", UsageError);
  with = c;
  with.encoder = false;
  with.attention = RecurrentAttention::kDot;
  CHECK_THROWS_WITH_AS(make(with), "recurrent: attention and two directions need an encoder, got a language model",
                       UsageError);
  with = c;
  with.attention = RecurrentAttention::kDot;
  with.bidirectional = true;
  CHECK_THROWS_WITH_AS(make(with),
                       "recurrent: dot attention needs encoder states as wide as the decoder's, got both directions; "
                       "use general attention",
                       UsageError);
  with = c;
  with.input_feeding = true;
  CHECK_THROWS_WITH_AS(make(with), "recurrent: input feeding needs dot, general or concat attention", UsageError);
  with = c;
  with.tied_head = true;
  CHECK_THROWS_WITH_AS(make(with),
                       "recurrent: a tied output layer must read as many columns as the embeddings have, got 7 and 5",
                       UsageError);
  Initializer init(1);
  CHECK_THROWS_WITH_AS(make_network(c, Objective::kNextToken, init),
                       "network: a recurrent encoder-decoder predicts target texts and has no other head", UsageError);
  LanguageModel network = network_of(c);
  Context ctx;
  CHECK_THROWS_WITH_AS(network.loss(random_batch({2}, c.vocabulary, 1), {}, ctx),
                       "recurrent: an encoder-decoder needs a source for each sequence, got none",
                       std::invalid_argument);
}
