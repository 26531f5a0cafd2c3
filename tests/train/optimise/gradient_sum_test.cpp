// An update that is cut into shards: the parts, the tree in which their gradients are added, and training with them.
#include "train/optimise/gradient_sum.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>

#include "nn/models/gpt.h"
#include "nn/models/language_model.h"
#include "support/small_networks.h"
#include "support/thread_counts.h"
#include "tensor/random.h"
#include "text/batches/lm_batches.h"
#include "train/optimise/trainer.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

// Two parameters, one of more than a piece; and a frozen one.
class Weights final : public Module {
 public:
  void visit(ParameterVisitor& v) override {
    v.parameter("large", large);
    v.parameter("fixed", fixed);
    v.parameter("small", small);
  }
  Variable large{Tensor::zeros({3, 50'001}), true}, fixed{Tensor::zeros({9}), false}, small{Tensor::zeros({5}), true};
};

// Sequences of 3 to 9 tokens, a function of the sample.
Batch sequences(std::int64_t first, Dim count) {
  std::vector<Dim> lengths;
  std::vector<std::int32_t> tokens, rows, ids;
  for (std::int64_t sample = first; sample < first + count; ++sample) {
    Rng rng({static_cast<std::uint32_t>(sample), 7});
    lengths.push_back(3 + static_cast<Dim>(rng.uniform() * 7));
    for (Dim i = 0; i < lengths.back(); ++i) {
      rows.push_back(static_cast<std::int32_t>(tokens.size()));
      tokens.push_back(static_cast<std::int32_t>(rng.uniform() * kSmallVocabulary));
      ids.push_back(static_cast<std::int32_t>(rng.uniform() * kSmallVocabulary));
    }
  }
  return {.input = make_stream(lengths, tokens), .targets = make_targets(rows, ids)};
}

struct Trained {
  std::vector<float> weights;
  std::vector<double> losses, norms;
};

Trained train(std::int64_t shards, int threads, std::int64_t batch = 6, std::int64_t accumulate = 1) {
  set_thread_count(threads);
  TrainConfig config;
  config.batch = batch;
  config.accumulate = accumulate;
  config.steps = 5;
  config.learning_rate = 1e-2;
  config.clip = 0.5;
  config.shards = shards;
  GptConfig small = small_gpt();
  small.embedding_dropout = small.attention_dropout = small.residual_dropout = 0.2;
  Initializer init(1);
  LanguageModel gpt(std::make_unique<Gpt>(small, init));
  TrainingData data;
  data.train = sequences;
  Trainer trainer(config, gpt, data, 5);
  Trained result;
  for (int i = 0; i < 5; ++i) {
    const UpdateResult update = trainer.update();
    result.losses.push_back(update.loss);
    result.norms.push_back(update.grad_norm);
  }
  const Tensor& values = trainer.parameters().values();
  result.weights.assign(values.data<float>(), values.data<float>() + values.size());
  CHECK(trainer.state().samples == 5 * batch * accumulate);
  return result;
}

}  // namespace

TEST_CASE("every piece of the trained parameters has one owner, and the parts are halves of halves") {
  Weights module;
  const FlatParameters parameters(module);
  for (const int size : {1, 2, 4, 8}) {
    std::vector<int> owners(ParameterShares(parameters, 0, size).pieces().size());
    for (int rank = 0; rank < size; ++rank) {
      const ParameterShares shares(parameters, rank, size);
      CHECK(shares.kept(0).first == 0);
      CHECK(shares.kept(0).last == owners.size());
      CHECK(shares.begin(shares.kept(0)) == 0);
      CHECK(shares.end(shares.kept(0)) == parameters.trained_size());
      for (int distance = 1; distance < size; distance *= 2) {
        const ParameterShares partner(parameters, rank ^ distance, size);
        CHECK(shares.given(distance).first == partner.kept(distance).first);
        CHECK(shares.given(distance).last == partner.kept(distance).last);
      }
      for (std::size_t i = shares.owned().first; i < shares.owned().last; ++i) ++owners[i];
    }
    CHECK(std::ranges::count(owners, 1) == static_cast<std::ptrdiff_t>(owners.size()));
  }
}

TEST_CASE("shards are added in a binary tree") {
  Weights module;
  FlatParameters parameters(module);
  // The sum depends on its order: 1 is lost beside 2^24.
  const float values[] = {16777216, 1, 1, 1, -16777216, 1, 1, 1};
  for (const std::size_t count : {1, 2, 4, 8}) {
    std::vector<float> sums(values, values + count);
    std::vector<double> doubles(values, values + count);
    ShardTree tree(parameters);
    for (std::size_t shard = 0; shard < count; ++shard) {
      module.small.grad() = Tensor::full({5}, values[shard]);
      if (shard == 1) module.large.grad() = Tensor::full({3, 50'001}, 2);
      if (shard + 1 == count) break;
      tree.add_shard();
      CHECK_FALSE(module.small.grad().defined());
    }
    for (std::size_t i = 0; i < parameters.entries().size(); ++i) tree.complete(i);
    for (; sums.size() > 1; sums.resize(sums.size() / 2)) {
      for (std::size_t i = 0; i < sums.size() / 2; ++i) sums[i] = sums[2 * i] + sums[2 * i + 1];
    }
    CHECK(module.small.grad().data<float>()[4] == sums[0]);
    CHECK(module.large.grad().data<float>()[150'000] == (count > 1 ? 2 : 0));
    CHECK(tree_sum(doubles) == doctest::Approx(count == 8 ? 6 : 16777216 + static_cast<double>(count) - 1));
    parameters.drop_gradients();
  }
}

TEST_CASE("a run of shards has the same bits on one thread and on two, and trains as a run without") {
  const int threads = thread_count();
  const Trained whole = train(1, 2);
  for (const std::int64_t shards : {2, 4, 8}) {  // the last ones are of one sequence, or of none
    CAPTURE(shards);
    const Trained one = train(shards, 1), two = train(shards, 2);
    CHECK(one.weights == two.weights);
    CHECK(one.losses == two.losses);
    CHECK(one.norms == two.norms);
    for (std::size_t i = 0; i < whole.losses.size(); ++i) {
      CHECK(one.losses[i] == doctest::Approx(whole.losses[i]).epsilon(1e-4));
      CHECK(one.norms[i] == doctest::Approx(whole.norms[i]).epsilon(1e-3));
    }
  }
  // Where the batches of an update end is no matter: dropout masks belong to places in the update.
  const Trained batches = train(2, 2, 2, 3);
  for (std::size_t i = 0; i < whole.losses.size(); ++i) {
    CHECK(batches.losses[i] == doctest::Approx(whole.losses[i]).epsilon(1e-4));
  }
  set_thread_count(threads);
}

TEST_CASE("weights that differ from their owner's are found, with the process that has them") {
  Weights network;
  FlatParameters parameters(network, {});
  const ParameterShares shares(parameters, 0, 4);
  const std::vector<std::uint64_t> good = hash_parts(parameters.values(), shares);
  REQUIRE(good.size() == 4);
  CHECK_FALSE(find_disagreement({good, good, good, good}));
  Tensor other = parameters.values().clone();
  const ParameterShares::Run run = shares.owned(2);
  other.data<float>()[shares.end(run) - 1] = 1e-30F;  // the last weight of rank 2's part
  const std::vector<std::uint64_t> bad = hash_parts(other, shares);
  const auto found = find_disagreement({good, bad, good, good});
  REQUIRE(found);
  CHECK(found->rank == 1);
  CHECK(found->owner == 2);
}
