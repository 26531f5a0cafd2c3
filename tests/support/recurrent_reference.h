// Recurrent cells and attention as plain loops over single numbers: the oracle of the kernels.
#pragma once

#include <cmath>
#include <vector>

#include "tensor/kernels/recurrent_cell.h"
#include "tensor/tensor.h"

namespace rapt::testing {

using Row = std::vector<double>;

inline Row row_of(const Tensor& x, Dim row) {
  const Tensor wide = x.to(DType::kF64);
  const Dim C = wide.shape().back();
  return Row(wide.data<double>() + row * C, wide.data<double>() + (row + 1) * C);
}

/// W x + b; an undefined b is none. W: columns [column, column + x.size()).
inline Row times(const Tensor& W, const Row& x, const Tensor& b = {}, Dim column = 0) {
  Row y;
  for (Dim r = 0; r < W.shape()[0]; ++r) {
    const Row w = row_of(W, r);
    double sum = b.defined() ? row_of(b.reshape({b.size()}), 0)[static_cast<std::size_t>(r)] : 0;
    for (std::size_t k = 0; k < x.size(); ++k) sum += w[static_cast<std::size_t>(column) + k] * x[k];
    y.push_back(sum);
  }
  return y;
}

inline Row plus(Row a, const Row& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}
inline Row both(Row a, const Row& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline double logistic(double x) { return 1 / (1 + std::exp(-x)); }

struct CellWeights {
  Tensor input, recurrent, input_bias, recurrent_bias;
};
struct CellState {
  Row h, c;
};

/// What a cell applies: PyTorch's functions, unless others are given.
struct CellFunctions {
  double (*gate)(double) = logistic;
  double (*activation)(double) = std::tanh;
  bool reset_first = false;  // GRU: the reset gate applies to h before the product (Cho et al. 2014, Keras)
};

/// One step.
inline CellState cell_step(RecurrentCell cell, const CellWeights& w, const Row& x, const CellState& before,
                           const CellFunctions& functions = {}) {
  const auto [gate, activation, reset_first] = functions;
  const std::size_t C = before.h.size();
  const Row a = times(w.input, x, w.input_bias), u = times(w.recurrent, before.h, w.recurrent_bias);
  CellState after = before;
  if (cell == RecurrentCell::kLstm) {
    for (std::size_t j = 0; j < C; ++j) {
      const double i = gate(a[j] + u[j]), f = gate(a[C + j] + u[C + j]), o = gate(a[3 * C + j] + u[3 * C + j]);
      after.c[j] = f * before.c[j] + i * activation(a[2 * C + j] + u[2 * C + j]);
      after.h[j] = o * activation(after.c[j]);
    }
    return after;
  }
  Row reset = before.h;
  for (std::size_t j = 0; j < C; ++j) reset[j] *= gate(a[j] + u[j]);
  const Row of_reset = times(w.recurrent, reset, w.recurrent_bias);
  for (std::size_t j = 0; j < C; ++j) {
    const double r = gate(a[j] + u[j]), z = gate(a[C + j] + u[C + j]);
    const double n = activation(a[2 * C + j] + (reset_first ? of_reset[2 * C + j] : r * u[2 * C + j]));
    after.h[j] = (1 - z) * n + z * before.h[j];
  }
  return after;
}

/// The weights and the context of one query. \param score  empty: products
inline std::pair<Row, Row> attend(const Row& query, const std::vector<Row>& keys, const std::vector<Row>& memory,
                                  const Row& score) {
  Row weights;
  double sum = 0;
  for (const Row& key : keys) {
    double e = 0;
    for (std::size_t j = 0; j < key.size(); ++j) {
      e += score.empty() ? key[j] * query[j] : score[j] * std::tanh(key[j] + query[j]);
    }
    weights.push_back(std::exp(e));
    sum += weights.back();
  }
  Row context(memory[0].size(), 0);
  for (std::size_t s = 0; s < keys.size(); ++s) {
    weights[s] /= sum;
    for (std::size_t j = 0; j < context.size(); ++j) context[j] += weights[s] * memory[s][j];
  }
  return {weights, context};
}

}  // namespace rapt::testing
