// Outputs of the ONNX project's reference implementation, for the operations that rapt has, too.
#include <doctest/doctest.h>
#include <zlib.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/recurrent.h"
#include "autograd/ops/rms_norm.h"
#include "autograd/ops/softmax.h"
#include "io/shared_data.h"
#include "support/random_tensor.h"
#include "tensor/kernels/rope.h"

using namespace rapt;
using namespace rapt::testing;
using nlohmann::json;

namespace {

std::string unzipped(const std::string& path) {
  std::string text;
  const gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::vector<char> buffer(1 << 16);
  for (int count; (count = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  gzclose(file);
  return text;
}

Tensor onnx_tensor(const json& value) {
  const std::vector<Dim> extents = value.at("shape").get<std::vector<Dim>>();
  const Shape shape{std::span<const Dim>(extents)};
  if (value.at("dtype") == "int64") return Tensor::from(value.at("data").get<std::vector<std::int32_t>>(), shape);
  return Tensor::from(value.at("data").get<std::vector<float>>(), shape);
}

// One ONNX case. The functions below return our output, or an undefined tensor if our operation does not cover the
// case.
struct NodeTest {
  json attributes;
  std::vector<Tensor> in;
  double attribute(const char* name, double otherwise) const { return attributes.value(name, otherwise); }
};

// [rows, the axes from `axis` on as one]: ONNX may normalise over several axes.
Tensor as_rows(const Tensor& x, Dim axis) {
  Dim columns = 1;
  const auto rank = static_cast<Dim>(x.shape().rank());
  for (Dim i = axis < 0 ? axis + rank : axis; i < rank; ++i) columns *= x.shape()[static_cast<std::size_t>(i)];
  return x.reshape({x.size() / columns, columns});
}

Variable column_vector(const Tensor& w) { return Variable(w.reshape({w.size()})); }

Tensor run_layer_norm(const NodeTest& test) {
  const Variable x(as_rows(test.in[0], static_cast<Dim>(test.attribute("axis", -1))));
  return layer_norm(x, column_vector(test.in[1]), column_vector(test.in[2]), test.attribute("epsilon", 1e-5)).value();
}

Tensor run_rms_norm(const NodeTest& test) {
  const Variable x(as_rows(test.in[0], static_cast<Dim>(test.attribute("axis", -1))));
  return rms_norm(x, column_vector(test.in[1]), test.attribute("epsilon", 1e-5)).value();
}

Tensor run_softmax(const NodeTest& test) {
  const auto last = static_cast<double>(test.in[0].shape().rank()) - 1, axis = test.attribute("axis", -1);
  return axis == -1 || axis == last ? softmax(Variable(test.in[0])).value() : Tensor();
}

Tensor run_gather(const NodeTest& test) {
  if (test.attribute("axis", 0) != 0) return Tensor();
  const Tensor& x = test.in[0];
  const Dim rows = x.shape()[0];
  return gather_rows(Variable(x.reshape({rows, x.size() / rows})), test.in[1]).value();
}

template <Variable (*kOp)(const Variable&, const Variable&)>
Tensor run_elementwise(const NodeTest& test) {
  return test.in[0].shape() == test.in[1].shape() ? kOp(Variable(test.in[0]), Variable(test.in[1])).value() : Tensor();
}

// [batch, heads, T, D] or [batch, T, heads * D], with given tables of cosines and sines, [positions, R/2] if positions
// are given and [batch, T, R/2] otherwise.
Tensor run_rope(const NodeTest& test) {
  if (test.attribute("interleaved", 0) != 0) return Tensor();
  const Tensor& x = test.in[0];
  const bool flat = x.shape().rank() == 3;
  const Dim heads = flat ? static_cast<Dim>(test.attribute("num_heads", 0)) : x.shape()[1];
  const Dim T = x.shape()[flat ? 1 : 2], width = x.shape().back(), N = x.size() / width;
  std::vector<std::int32_t> indices;
  for (Dim n = 0; n < N; ++n) {
    const Dim place = flat ? n : n / (heads * T) * T + n % T;  // in [batch, T]
    indices.push_back(test.in.size() > 3 ? test.in[3].span<std::int32_t>()[static_cast<std::size_t>(place)]
                                         : static_cast<std::int32_t>(place));
  }
  Tensor y = Tensor::empty(x.shape());
  kernels::rope_forward<float>(y.data<float>(), x.data<float>(),
                               {.cosines = test.in[1].data<float>(),
                                .sines = test.in[2].data<float>(),
                                .indices = indices.data(),
                                .N = N,
                                .width = width,
                                .heads = flat ? heads : 1,
                                .head_width = flat ? width / heads : width,
                                .rotary_width = 2 * test.in[1].shape().back()});
  return y;
}

// One direction's [G C, ...] with its gates in our order.
Variable in_our_order(const Tensor& theirs, Dim gates, const std::vector<Dim>& order, Dim first = 0) {
  const Dim columns = theirs.shape().rank() == 3 ? theirs.shape()[2] : 1, all = theirs.shape()[1];
  const Dim C = (theirs.shape().rank() == 3 ? all : all / 2) / gates;
  Tensor ours =
      columns == 1 && theirs.shape().rank() == 2 ? Tensor::empty({gates * C}) : Tensor::empty({gates * C, columns});
  for (std::size_t g = 0; g < order.size(); ++g) {
    ours.view(static_cast<Dim>(g) * C * columns, {C * columns})
        .copy_from(theirs.view((first + order[g] * C) * columns, {C * columns}));
  }
  return Variable(ours);
}

// One step each. A GRU resets before the product there, which is the same for a first state of zero without biases; its
// case with two steps is left out.
template <RecurrentCell kCell>
Tensor run_recurrent(const NodeTest& test) {
  const Tensor& x = test.in[0];
  const bool batch_first = test.attribute("layout", 0) != 0;
  const Dim T = x.shape()[batch_first ? 1 : 0], B = x.shape()[batch_first ? 0 : 1];
  const bool lstm = kCell == RecurrentCell::kLstm, bias = test.in.size() > 3;
  if (T != 1 || (!lstm && bias)) return Tensor();
  const std::vector<Dim> order = lstm ? std::vector<Dim>{0, 2, 3, 1} : std::vector<Dim>{1, 0, 2};  // i o f c; z r h
  const Dim G = gates_of(kCell);
  RecurrentWeights w{in_our_order(test.in[1], G, order), in_our_order(test.in[2], G, order), {}, {}};
  if (bias) {
    w.input_bias = in_our_order(test.in[3], G, order);
    w.recurrent_bias = in_our_order(test.in[3], G, order, test.in[3].shape()[1] / 2);
  }
  const std::vector<Dim> lengths(static_cast<std::size_t>(B), 1);
  return recurrent(kCell, Variable(x.reshape({B, x.shape()[2]})), pack_lengths(lengths), {w}).y.value();
}

const std::map<std::string, std::function<Tensor(const NodeTest&)>> kOps = {
    {"LSTM", run_recurrent<RecurrentCell::kLstm>},
    {"GRU", run_recurrent<RecurrentCell::kGru>},
    {"LayerNormalization", run_layer_norm},
    {"RMSNormalization", run_rms_norm},
    {"Softmax", run_softmax},
    {"RotaryEmbedding", run_rope},
    {"Gather", run_gather},
    {"Add", run_elementwise<add>},
    {"Mul", run_elementwise<mul>},
};

}  // namespace

TEST_CASE("our operations give the results that ONNX's own tests expect") {
  const std::string path = shared_data("data/fixtures/onnx-node/node_tests.jsonl.gz");
  if (path.empty()) return;
  std::istringstream lines(unzipped(path));
  std::map<std::string, int> compared;
  for (std::string line; std::getline(lines, line);) {
    const json test = json::parse(line);
    const auto op = kOps.find(test.at("op_type").get<std::string>());
    if (op == kOps.end() || test.at("inputs").at(0).at("dtype") != "float32") continue;
    CAPTURE(test.at("test").get<std::string>());
    NodeTest node{test.at("attrs"), {}};
    for (const json& input : test.at("inputs")) node.in.push_back(onnx_tensor(input));
    const Tensor y = op->second(node);
    if (!y.defined()) continue;
    CHECK(max_difference(y, onnx_tensor(test.at("outputs").at(0))) < 2e-6);
    ++compared[op->first];
  }
  for (const auto& op : kOps) {
    CAPTURE(op.first);
    CHECK(compared[op.first] > 0);
  }
  CHECK(compared["LayerNormalization"] > 10);
  CHECK(compared["RMSNormalization"] > 10);
  CHECK(compared["RotaryEmbedding"] >= 4);
  CHECK(compared["LSTM"] == 3);
  CHECK(compared["GRU"] == 2);
}
