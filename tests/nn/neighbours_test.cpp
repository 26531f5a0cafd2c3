#include "nn/neighbours.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "nn/models/bert.h"
#include "support/network_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Bert fresh(BertConfig config, bool neighbours, DType dtype = DType::kF32) {
  config.vocabulary = 500;
  config.hidden_dropout = config.attention_dropout = 0;
  config.neighbours = neighbours;
  Initializer init(3, dtype);
  return Bert(config, init);
}

std::map<std::string, Tensor> parameters_by_name(Bert& model) {
  std::map<std::string, Tensor> parameters;
  for (const NamedParameter& p : parameters_of(model)) parameters[p.name] = p.variable.value();
  return parameters;
}

// The attention weights between the rows of one sequence in a head of the first block: [N, N], by definition.
std::vector<std::vector<double>> first_attention(Bert& model, Dim head, Dim length) {
  Context ctx;
  std::vector<Tensor> trace;
  const NoGrad no_grad;
  model.states(random_batch({length}, model.vocabulary(), 5), ctx, &trace);
  const Tensor x = trace.front(), qkv = parameters_by_name(model).at("blocks.0.attention.qkv.weight");
  const Dim C = model.width(), D = C / model.config().heads;
  const auto project = [&](Dim row, Dim output) {
    double sum = 0;
    for (Dim c = 0; c < C; ++c) sum += x.data<double>()[row * C + c] * qkv.data<double>()[output * C + c];
    return sum;
  };
  std::vector<std::vector<double>> q, k, weights;
  for (Dim row = 0; row < length; ++row) {
    q.emplace_back();
    k.emplace_back();
    for (Dim d = 0; d < D; ++d) {
      q.back().push_back(project(row, head * D + d));
      k.back().push_back(project(row, C + head * D + d));
    }
  }
  for (const auto& query : q) {
    double sum = 0;
    weights.emplace_back();
    for (const auto& key : k) {
      double score = 0;
      for (std::size_t d = 0; d < query.size(); ++d) score += query[d] * key[d];
      weights.back().push_back(std::exp(score / std::sqrt(static_cast<double>(D))));
      sum += weights.back().back();
    }
    for (double& w : weights.back()) w /= sum;
  }
  return weights;
}

}  // namespace

TEST_CASE("initial attention is on the previous token in one head and on the next token in another") {
  Bert model = fresh(BertConfig::tiny(), true, DType::kF64);
  constexpr Dim kLength = 128;
  for (const Dim head : {0, 1}) {
    const auto weights = first_attention(model, head, kLength);
    double given = 0;
    int highest = 0;
    for (Dim i = 1; i + 1 < kLength; ++i) {
      const auto& row = weights[static_cast<std::size_t>(i)];
      const Dim neighbour = head == 0 ? i - 1 : i + 1;
      given += row[static_cast<std::size_t>(neighbour)] / static_cast<double>(kLength - 2);
      highest += std::distance(row.begin(), std::max_element(row.begin(), row.end())) == neighbour;
    }
    CAPTURE(head);
    CAPTURE(given);
    CHECK(given > 0.15);
    CHECK(given < 0.5);  // the other tokens must still count
    CHECK(highest > 100);
  }
}

TEST_CASE("position vectors get the length of token vectors, are distinct, and use few of the columns") {
  Bert model = fresh(BertConfig::tiny(), true);
  const Tensor positions = parameters_by_name(model).at("positions.weight");
  const Dim rows = positions.shape()[0], C = positions.shape()[1];
  const float* const p = positions.data<float>();
  const auto product = [&](Dim a, Dim b) {
    double sum = 0;
    for (Dim c = 0; c < C; ++c) sum += static_cast<double>(p[a * C + c]) * static_cast<double>(p[b * C + c]);
    return sum;
  };
  const double square = 0.02 * 0.02 * static_cast<double>(C);
  for (Dim row = 0; row < rows; ++row) {
    CHECK(product(row, row) == doctest::Approx(square).epsilon(1e-5));
    if (row > 0) CHECK(product(0, row) < 0.5 * square);
    for (Dim c = 32; c < C; ++c) CHECK(p[row * C + c] == 0);
  }
}

TEST_CASE("only positions and the queries and keys of two heads of the first block are initialised differently") {
  for (const BertConfig& config : {BertConfig::tiny(), BertConfig::mini()}) {
    Bert with = fresh(config, true), without = fresh(config, false);
    const auto changed = parameters_by_name(with), as_ever = parameters_by_name(without);
    const Dim C = config.width, D = C / config.heads;
    for (const auto& [parameter, values] : changed) {
      const std::string& name = parameter;
      CAPTURE(name);
      const Tensor& before = as_ever.at(name);
      if (name == "positions.weight") continue;
      if (name != "blocks.0.attention.qkv.weight") {
        CHECK(max_difference(values, before) == 0);
        continue;
      }
      for (const Dim part : {Dim{0}, C}) {
        CHECK(max_difference(values.slice(part, part + 2 * D), before.slice(part, part + 2 * D)) > 0.1);
        CHECK(max_difference(values.slice(part + 2 * D, part + C), before.slice(part + 2 * D, part + C)) == 0);
      }
      CHECK(max_difference(values.slice(2 * C, 3 * C), before.slice(2 * C, 3 * C)) == 0);
    }
  }
}

TEST_CASE("the smallest networks support neighbour initialisation") {
  BertConfig config;
  config.context = 6;
  config.layers = 1;
  config.width = 8;
  for (const Dim heads : {1, 2, 4}) {
    CAPTURE(heads);
    config.heads = heads;
    Bert with = fresh(config, true), without = fresh(config, false);
    const auto changed = parameters_by_name(with), as_ever = parameters_by_name(without);
    for (const char* name : {"positions.weight", "blocks.0.attention.qkv.weight"}) {
      CHECK(max_difference(changed.at(name), as_ever.at(name)) > 0.01);
    }
  }
}
