// The plain loops that are the oracle of LSTM and GRU, against outputs of Keras 2. Our operations do not have Keras'
// cells: its gates are hard sigmoids, or tanh is a sigmoid, and its GRU resets before the product.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "io/shared_data.h"
#include "support/recurrent_reference.h"

using namespace rapt;
using namespace rapt::testing;
using nlohmann::json;

namespace {

double hard_sigmoid(double x) { return std::clamp(0.2 * x + 0.5, 0.0, 1.0); }

Tensor keras_tensor(const json& value) {
  const auto extents = value.at("shape").get<std::vector<Dim>>();
  return Tensor::from(value.at("data").get<std::vector<double>>(), Shape(std::span<const Dim>(extents)));
}

// Keras' [in, G C] as our [G C, in], with its gates in our order.
Tensor weight_of(const json& value, const std::vector<Dim>& gates) {
  const Tensor theirs = keras_tensor(value);
  const Dim in = theirs.shape().rank() == 2 ? theirs.shape()[0] : 1, columns = theirs.shape().back();
  const Dim C = columns / static_cast<Dim>(gates.size());
  Tensor ours = Tensor::empty({columns, in}, DType::kF64);
  for (std::size_t g = 0; g < gates.size(); ++g) {
    for (Dim j = 0; j < C; ++j) {
      for (Dim k = 0; k < in; ++k) {
        ours.data<double>()[(static_cast<Dim>(g) * C + j) * in + k] =
            theirs.data<double>()[k * columns + gates[g] * C + j];
      }
    }
  }
  return ours;
}

struct KerasLayer {
  RecurrentCell cell;
  bool simple = false;  // sigmoids everywhere
  bool sequences = false, backwards = false;
  bool stateful = false;  // the output is that of a second pass, which starts from the last state of the first

  explicit KerasLayer(const std::string& settings)
      : cell(settings.find("GRU") != std::string::npos ? RecurrentCell::kGru : RecurrentCell::kLstm),
        simple(settings.find("activation='sigmoid', recurrent") != std::string::npos),
        sequences(settings.find("return_sequences=True") != std::string::npos),
        backwards(settings.find("go_backwards=True") != std::string::npos),
        stateful(settings.find("stateful=True") != std::string::npos) {}

  // All states in the order in which they were computed.
  std::vector<Row> run(const Tensor& x, const json* weights, bool bias, bool reverse) const {
    const std::vector<Dim> order =
        cell == RecurrentCell::kLstm ? std::vector<Dim>{0, 1, 2, 3} : std::vector<Dim>{1, 0, 2};  // z, r, h there
    const CellWeights w{
        weight_of(weights[0], order), weight_of(weights[1], order), bias ? weight_of(weights[2], order) : Tensor(), {}};
    const auto C = static_cast<std::size_t>(w.recurrent.shape()[1]);
    CellState state{Row(C, 0), Row(C, 0)};
    std::vector<Row> all;
    const Dim T = x.shape()[0];
    for (Dim step = 0; step < (stateful ? 2 * T : T); ++step) {
      const Dim t = step % T;
      if (t == 0) all.clear();
      state = cell_step(cell, w, row_of(x, reverse ? T - 1 - t : t), state,
                        {.gate = simple ? logistic : hard_sigmoid,
                         .activation = simple ? logistic : [](double v) { return std::tanh(v); },
                         .reset_first = true});
      all.push_back(state.h);
    }
    return all;
  }
};

Row flat(const std::vector<Row>& rows) {
  Row all;
  for (const Row& row : rows) all = both(all, row);
  return all;
}

void check_case(const json& test, const KerasLayer& layer, bool bidirectional) {
  const Tensor x = keras_tensor(test.at("input"));
  const json& weights = test.at("weights");
  const std::size_t per_direction = weights.size() / (bidirectional ? 2 : 1);
  std::vector<json> list(weights.begin(), weights.end());
  std::vector<Row> y = layer.run(x, list.data(), per_direction == 3, layer.backwards);
  if (!layer.sequences) y = {y.back()};
  if (bidirectional) {
    std::vector<Row> other = layer.run(x, list.data() + per_direction, per_direction == 3, true);
    if (layer.sequences) std::ranges::reverse(other);
    if (!layer.sequences) other = {other.back()};
    for (std::size_t t = 0; t < y.size(); ++t) y[t] = both(y[t], other[t]);
  }
  const Row ours = flat(y);
  const auto theirs = test.at("expected").at("data").get<std::vector<double>>();
  REQUIRE(ours.size() == theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) CHECK(std::abs(ours[i] - theirs[i]) < 2e-5);  // inputs have 6 decimals
}

}  // namespace

TEST_CASE("the oracle of recurrent cells gives what Keras gives") {
  const std::string folder = shared_data("data/fixtures/keras-layers");
  if (folder.empty()) return;
  std::ifstream table(folder + "/cases.tsv");
  int compared = 0;
  for (std::string line; std::getline(table, line);) {
    const std::size_t tab = line.find('\t');
    const std::string name = line.substr(0, tab), settings = line.substr(tab + 1);
    const bool bidirectional = name.starts_with("wrappers.Bidirectional");
    const bool recurrent = name.starts_with("recurrent.LSTM") || name.starts_with("recurrent.GRU");
    if (!recurrent && !(bidirectional && settings.find("concat") != std::string::npos &&
                        settings.find("SimpleRNN") == std::string::npos)) {
      continue;
    }
    CAPTURE(name);
    const std::string file = bidirectional ? "Bidirectional" : name.starts_with("recurrent.GRU") ? "GRU" : "LSTM";
    const json cases = json::parse(std::ifstream(folder + "/" + file + ".json"));
    check_case(cases.at(name), KerasLayer(bidirectional ? settings : file + " " + settings), bidirectional);
    ++compared;
  }
  CHECK(compared >= 20);
}
