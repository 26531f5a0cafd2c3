#include "tensor/kernels/attention.h"

#include <cmath>
#include <limits>
#include <vector>

#include "tensor/parallel.h"

namespace rapt::kernels {
namespace {

template <typename T>
Matrix<T> block(Matrix<T> x, Dim row, Dim rows, Dim column, Dim columns) {
  return {x.data + row * x.stride + column, rows, columns, x.stride};
}

double keep_scale(const AttentionProblem& problem) { return 1 / (1 - problem.drop_below / 65536.0); }

bool dropped(const AttentionProblem& problem, Dim row, Dim head, Dim key) {
  const auto place = static_cast<std::uint64_t>((problem.dropout.first_row + row) * problem.heads + head);
  const PhiloxBlock bits = philox4x32({static_cast<std::uint32_t>(key / 8), static_cast<std::uint32_t>(place),
                                       static_cast<std::uint32_t>(place >> 32), 1},
                                      problem.dropout.key);
  const std::uint32_t word = bits[static_cast<std::size_t>(key % 8 / 2)];
  return (key % 2 == 0 ? word & 0xFFFF : word >> 16) < problem.drop_below;
}

// One sequence and one head: where it lies.
struct Place {
  Dim head, D, q0, T, k0, S;
  Dim seen(const AttentionProblem& problem, Dim i) const {
    return problem.causal ? std::max<Dim>(0, S - T + i + 1) : S;
  }
};

template <typename F>
void for_each_head(const AttentionProblem& problem, Dim C, F&& body) {
  const Dim B = static_cast<Dim>(problem.queries.size()) - 1, H = problem.heads;
  parallel_for(B * H, [&](Dim task) {
    const auto b = static_cast<std::size_t>(task / H);
    body(Place{.head = task % H,
               .D = C / H,
               .q0 = problem.queries[b],
               .T = problem.queries[b + 1] - problem.queries[b],
               .k0 = problem.keys[b],
               .S = problem.keys[b + 1] - problem.keys[b]});
  });
}

}  // namespace

template <typename T>
void attention_forward(Matrix<T> y, T* log_sum_exp, Matrix<const T> q, Matrix<const T> k, Matrix<const T> v,
                       const AttentionProblem& problem) {
  for_each_head(problem, y.cols, [&](const Place& at) {
    const Dim c = at.head * at.D;
    std::vector<T> p(static_cast<std::size_t>(at.T * at.S));
    const Matrix<T> scores(p.data(), at.T, at.S);
    matmul_tile<T>(scores, block(q, at.q0, at.T, c, at.D), Transpose::kNo, block(k, at.k0, at.S, c, at.D),
                   Transpose::kYes, static_cast<T>(problem.scale));
    for (Dim i = 0; i < at.T; ++i) {
      T* const row = p.data() + i * at.S;
      const Dim seen = at.seen(problem, i);
      T largest = -std::numeric_limits<T>::infinity(), sum = 0;
      for (Dim j = 0; j < seen; ++j) largest = std::max(largest, row[j]);
      for (Dim j = 0; j < seen; ++j) sum += row[j] = std::exp(row[j] - largest);
      for (Dim j = 0; j < at.S; ++j) row[j] = j < seen ? row[j] / sum : T{0};
      if (problem.drop_below > 0) {
        for (Dim j = 0; j < seen; ++j) {
          row[j] = dropped(problem, at.q0 + i, at.head, j) ? T{0} : row[j] * static_cast<T>(keep_scale(problem));
        }
      }
      if (log_sum_exp != nullptr) log_sum_exp[(at.q0 + i) * problem.heads + at.head] = largest + std::log(sum);
    }
    matmul_tile<T>(block(y, at.q0, at.T, c, at.D), scores, Transpose::kNo, block(v, at.k0, at.S, c, at.D),
                   Transpose::kNo);
  });
}

template <typename T>
void attention_backward(const AttentionGradients<T>& d, Matrix<const T> dy, Matrix<const T> y, const T* log_sum_exp,
                        Matrix<const T> q, Matrix<const T> k, Matrix<const T> v, const AttentionProblem& problem) {
  for_each_head(problem, y.cols, [&](const Place& at) {
    const Dim c = at.head * at.D;
    const auto of_queries = [&](auto x) { return block(x, at.q0, at.T, c, at.D); };
    const auto of_keys = [&](auto x) { return block(x, at.k0, at.S, c, at.D); };
    std::vector<T> p(static_cast<std::size_t>(at.T * at.S)), ds(p.size());
    const Matrix<T> P(p.data(), at.T, at.S), dS(ds.data(), at.T, at.S);
    matmul_tile<T>(P, of_queries(q), Transpose::kNo, of_keys(k), Transpose::kYes, static_cast<T>(problem.scale));
    matmul_tile<T>(dS, of_queries(dy), Transpose::kNo, of_keys(v), Transpose::kYes);
    for (Dim i = 0; i < at.T; ++i) {
      const Dim seen = at.seen(problem, i);
      T delta = 0;
      for (Dim e = 0; e < at.D; ++e)
        delta += of_queries(dy).data[i * dy.stride + e] * of_queries(y).data[i * y.stride + e];
      const T lse = log_sum_exp[(at.q0 + i) * problem.heads + at.head];
      for (Dim j = 0; j < at.S; ++j) {
        T& s = p[static_cast<std::size_t>(i * at.S + j)];
        T& g = ds[static_cast<std::size_t>(i * at.S + j)];
        if (j >= seen) {
          s = g = 0;
          continue;
        }
        T m = 1;
        if (problem.drop_below > 0) {
          m = dropped(problem, at.q0 + i, at.head, j) ? T{0} : static_cast<T>(keep_scale(problem));
        }
        const T probability = std::exp(s - lse);
        s = m * probability;
        g = static_cast<T>(problem.scale) * probability * (m * g - delta);
      }
    }
    const T beta_q = d.write_q == Write::kAdd ? T{1} : T{0}, beta_kv = d.write_kv == Write::kAdd ? T{1} : T{0};
    if (d.dq.data != nullptr) {
      matmul_tile<T>(of_queries(d.dq), dS, Transpose::kNo, of_keys(k), Transpose::kNo, T{1}, beta_q);
    }
    if (d.dk.data != nullptr) {
      matmul_tile<T>(of_keys(d.dk), dS, Transpose::kYes, of_queries(q), Transpose::kNo, T{1}, beta_kv);
      matmul_tile<T>(of_keys(d.dv), P, Transpose::kYes, of_queries(dy), Transpose::kNo, T{1}, beta_kv);
    }
  });
}

#define RAPT_INSTANTIATE(T)                                                                                  \
  template void attention_forward(Matrix<T>, T*, Matrix<const T>, Matrix<const T>, Matrix<const T>,          \
                                  const AttentionProblem&);                                                  \
  template void attention_backward(const AttentionGradients<T>&, Matrix<const T>, Matrix<const T>, const T*, \
                                   Matrix<const T>, Matrix<const T>, Matrix<const T>, const AttentionProblem&);
RAPT_INSTANTIATE(float)
RAPT_INSTANTIATE(double)
#undef RAPT_INSTANTIATE

}  // namespace rapt::kernels
