// PyTorch's own test cases of its post-norm encoder layer. A masked key is a token that a packed sequence does not
// have, so only the outputs of the other tokens are compared.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/shared_data.h"
#include "nn/block.h"
#include "nn/context.h"

using namespace rapt;
using nlohmann::json;

namespace {

// Every parameter is cos(0), cos(1) ... in row-major order.
TransformerBlock layer_of(const std::string& activation) {
  Initializer init(1, DType::kF64);
  TransformerBlock block({.width = 4,
                          .heads = 2,
                          .inner = 16,
                          .norm = NormPlacement::kPost,
                          .activation = activation == "gelu" ? Activation::kGelu : Activation::kRelu},
                         init);
  for (NamedParameter& p : parameters_of(block)) {
    const auto values = p.variable.value().span<double>();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::cos(static_cast<double>(i));
  }
  return block;
}

}  // namespace

TEST_CASE("an encoder layer gives PyTorch's outputs") {
  const std::string path = shared_data("data/fixtures/pytorch/transformer_encoder_layer.json");
  if (path.empty()) return;
  const json cases = json::parse(std::ifstream(path)).at("cases");
  CHECK(cases.size() == 7);
  for (const json& c : cases) {
    CAPTURE(c.dump());
    const json &input = c.at("input"), &mask = c.at("key_padding_mask");  // [time][batch][feature], [batch][key]
    const TransformerBlock block = layer_of(c.at("activation"));
    std::vector<Dim> lengths;
    std::vector<double> x, expected;
    for (std::size_t b = 0; b < input.at(0).size(); ++b) {
      Dim length = 0;
      for (std::size_t t = 0; t < input.size(); ++t) {
        if (!mask.is_null() && mask.at(b).at(t) == 1) continue;
        for (const double v : input.at(t).at(b)) x.push_back(v);
        for (const double v : c.at("output").at(t).at(b)) expected.push_back(v);
        ++length;
      }
      lengths.push_back(length);
    }
    const auto N = static_cast<Dim>(x.size() / 4);
    const Stream stream = make_stream(lengths, std::vector<std::int32_t>(static_cast<std::size_t>(N)));
    Context ctx;
    const Tensor y = block.forward(Variable(Tensor::from(x, {N, 4})), stream, ctx).value();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(std::abs(y.data<double>()[i] - expected[i]) <= 1e-5 + 1e-7 * std::abs(expected[i]));
    }
  }
}
