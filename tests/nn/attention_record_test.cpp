#include "nn/attention_record.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "nn/attention.h"
#include "nn/models/recurrent.h"
#include "nn/models/transformer.h"
#include "support/random_batch.h"
#include "support/random_tensor.h"
#include "support/small_networks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Packed packed(const std::vector<Dim>& lengths) { return pack_lengths(lengths); }

// a b^T, f64.
Tensor product(const Tensor& a, const Tensor& b) {
  const Dim N = a.shape()[0], C = a.shape()[1], M = b.shape()[0];
  Tensor c = Tensor::zeros({N, M}, DType::kF64);
  for (Dim n = 0; n < N; ++n) {
    for (Dim m = 0; m < M; ++m) {
      for (Dim k = 0; k < C; ++k)
        c.data<double>()[n * M + m] += a.data<double>()[n * C + k] * b.data<double>()[m * C + k];
    }
  }
  return c;
}

// What the heads give if they average `values` [S, C] with the recorded weights.
Tensor averaged(const AttentionMap& map, const Tensor& values, const Packed& queries, const Packed& keys, Dim heads) {
  const Dim C = values.shape()[1], D = C / heads;
  Tensor y = Tensor::zeros({queries.rows(), C}, DType::kF64);
  const auto q = queries.offsets.span<std::int32_t>(), k = keys.offsets.span<std::int32_t>();
  for (std::size_t b = 0; b < map.weights.size(); ++b) {
    const Tensor& weights = map.weights[b];
    const Dim T = weights.shape()[1], S = weights.shape()[2];
    for (Dim h = 0; h < heads; ++h) {
      for (Dim i = 0; i < T; ++i) {
        for (Dim j = 0; j < S; ++j) {
          const auto w = static_cast<double>(weights.data<float>()[(h * T + i) * S + j]);
          for (Dim d = h * D; d < (h + 1) * D; ++d) {
            y.data<double>()[(q[b] + i) * C + d] += w * values.data<double>()[(k[b] + j) * C + d];
          }
        }
      }
    }
  }
  return y;
}

std::map<std::string, Tensor> values_of(Module& module) {
  std::map<std::string, Tensor> values;
  for (const NamedParameter& p : parameters_of(module)) values[p.name] = p.variable.value();
  return values;
}

}  // namespace

TEST_CASE("recorded weights of self-attention give its output") {
  const Packed layout = packed({5, 1, 3});
  const Tensor x = random_tensor({9, 8}, 3);
  for (const AttentionMask mask : {AttentionMask::kNone, AttentionMask::kCausal}) {
    for (const double scale : {0.0, 2.0}) {
      Initializer init(1, DType::kF64);
      const SelfAttention attention(
          {.width = 8, .heads = 2, .mask = mask, .bias = false, .scale = scale, .rotary = {}, .std = 0.7}, init);
      Context ctx;
      AttentionRecord record;
      const Tensor y = attention.attend(Variable(x), layout, positions_of(layout), ctx).value();
      REQUIRE(record.maps().size() == 1);
      const AttentionMap& map = record.maps()[0];
      CHECK(map.kind == (mask == AttentionMask::kCausal ? AttentionKind::kDecoder : AttentionKind::kEncoder));
      CHECK(map.weights[2].shape() == Shape{2, 3, 3});
      const Tensor values = product(x, attention.qkv_weight().value().slice(16, 24));
      CHECK(max_difference(averaged(map, values, layout, layout, 2), y) < 1e-6);
    }
  }
}

TEST_CASE("recorded weights of cross-attention give its output") {
  const Packed queries = packed({2, 4}), keys = packed({3, 1});
  const Tensor x = random_tensor({6, 8}, 5), memory = random_tensor({4, 8}, 6);
  Initializer init(1, DType::kF64);
  CrossAttention attention({.width = 8, .heads = 4, .bias = false, .std = 0.7, .out_std = 0.7}, init);
  Context ctx;
  AttentionRecord record;
  const Tensor y = attention.forward(Variable(x), queries, Variable(memory), keys, ctx).value();
  REQUIRE(record.of_kind(AttentionKind::kCross).size() == 1);
  const std::map<std::string, Tensor> weights = values_of(attention);
  const Tensor values = product(memory, weights.at("kv.weight").slice(8, 16));
  const Tensor heads = averaged(record.maps()[0], values, queries, keys, 4);
  CHECK(max_difference(product(heads, weights.at("out.weight")), y) < 1e-6);
}

TEST_CASE("layers are counted for each kind of attention, and only while a record exists") {
  Initializer init(1);
  const Transformer network(small_transformer(), init);
  const Batch batch = random_pairs({4, 2}, {3, 5}, kSmallVocabulary, 1);
  Context ctx;
  network.states(batch, ctx);
  CHECK(AttentionRecord::current() == nullptr);
  const AttentionRecord outer;
  {
    AttentionRecord record;
    network.states(batch, ctx);
    CHECK(record.of_kind(AttentionKind::kEncoder).size() == 1);
    CHECK(record.of_kind(AttentionKind::kDecoder).size() == 2);
    const auto cross = record.of_kind(AttentionKind::kCross);
    REQUIRE(cross.size() == 2);
    CHECK(cross[1]->layer == 1);
    CHECK(cross[1]->weights[1].shape() == Shape{4, 5, 2});
    const Tensor& causal = record.of_kind(AttentionKind::kDecoder)[0]->weights[0];
    for (Dim i = 0; i < 3; ++i) {
      double sum = 0;
      for (Dim j = 0; j < 3; ++j) {
        const double w = static_cast<double>(causal.data<float>()[i * 3 + j]);
        sum += w;
        if (j > i) CHECK(w == 0);
      }
      CHECK(sum == doctest::Approx(1));
    }
  }
  CHECK(AttentionRecord::current() == &outer);
  CHECK(outer.maps().empty());
}

TEST_CASE("weights that an op kept become maps of one head") {
  AttentionRecord record;
  const Tensor weights = Tensor::from(std::vector<double>{0.25, 0.75, 1, 0.5, 0.5}, {5});
  record.add_weights(AttentionKind::kCross, weights, packed({1, 1, 1}), packed({2, 1, 2}));
  REQUIRE(record.maps()[0].weights.size() == 3);
  CHECK(record.maps()[0].weights[0].shape() == Shape{1, 1, 2});
  CHECK(record.maps()[0].weights[0].data<float>()[1] == 0.75F);
  CHECK(record.maps()[0].weights[2].data<float>()[0] == 0.5F);
  CHECK(std::string(name_of(record.maps()[0].kind)) == "cross");
}

TEST_CASE("recurrent networks record their attention to the source; those without attention record nothing") {
  for (const RecurrentConfig& c : small_recurrent()) {
    if (!c.encoder) continue;
    Initializer init(7);
    const Recurrent network(c, init);
    const Batch batch = random_pairs({3, 6, 1}, {5, 1, 4}, c.vocabulary, 3);
    Context ctx;
    AttentionRecord record;
    network.states(batch, ctx);
    const Tensor weights = network.attention(batch);
    if (!weights.defined()) {
      CHECK(record.maps().empty());
      continue;
    }
    REQUIRE(record.of_kind(AttentionKind::kCross).size() == 2);  // of both passes
    const AttentionMap& map = record.maps()[0];
    REQUIRE(map.weights.size() == 3);
    CHECK(map.weights[1].shape() == Shape{1, 1, 6});
    for (Dim j = 0; j < 6; ++j) CHECK(map.weights[1].data<float>()[j] == weights.data<float>()[5 * 3 + j]);
  }
}

TEST_CASE("rollout multiplies layers that keep half of each state") {
  // Two heads whose mean is [1 0; 0.5 0.5], then one that only looks at the first token.
  const Tensor first = Tensor::from(std::vector<float>{1, 0, 1, 0, 1, 0, 0, 1}, {2, 2, 2});
  const Tensor second = Tensor::from(std::vector<float>{1, 0, 1, 0}, {1, 2, 2});
  const std::vector<Tensor> rollout = attention_rollout({first, second});
  REQUIRE(rollout.size() == 2);
  CHECK(max_difference(rollout[0], Tensor::from(std::vector<float>{1, 0, 0.25, 0.75}, {2, 2})) < 1e-7);
  CHECK(max_difference(rollout[1], Tensor::from(std::vector<float>{1, 0, 0.625, 0.375}, {2, 2})) < 1e-7);
  CHECK(attention_rollout({}).empty());
}
