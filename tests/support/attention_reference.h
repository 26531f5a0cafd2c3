// Attention by definition: every score, a softmax per row, dropout element by element. The oracle of the tiled kernels,
// in the precision of T.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "tensor/kernels/attention.h"

namespace rapt::testing {

/// Where each sequence of these lengths begins, and the end of the last.
inline std::vector<std::int32_t> offsets_of(const std::vector<std::int32_t>& lengths) {
  std::vector<std::int32_t> offsets{0};
  for (const std::int32_t length : lengths) offsets.push_back(offsets.back() + length);
  return offsets;
}

/// Whether dropout drops a probability, by definition: 16 bits of the block of 8 keys, low half first.
inline bool is_dropped(const kernels::AttentionProblem& problem, Dim row, Dim head, Dim key) {
  const auto place = static_cast<std::uint64_t>((problem.dropout.key.first_row + row) * problem.heads + head);
  const PhiloxBlock block = philox4x32({static_cast<std::uint32_t>(key / 8), static_cast<std::uint32_t>(place),
                                        static_cast<std::uint32_t>(place >> 32), 1},
                                       problem.dropout.key.key);
  const std::uint32_t word = block[static_cast<std::size_t>(key % 8 / 2)];
  return (key % 2 == 0 ? word & 0xFFFFU : word >> 16) < problem.dropout.threshold;
}

template <typename T>
struct AttentionResult {
  std::vector<T> y, dq, dk, dv;  // [N, C], [N, C], [S, C], [S, C]
};

/// Forward and, given dy, backward through the stored probabilities.
template <typename T>
AttentionResult<T> reference_attention(Matrix<const T> q, Matrix<const T> k, Matrix<const T> v, Matrix<const T> dy,
                                       const kernels::AttentionProblem& problem) {
  const Dim C = q.cols, H = problem.heads, D = C / H;
  const auto size = [](Dim n) { return static_cast<std::size_t>(n); };
  AttentionResult<T> r{std::vector<T>(size(q.rows * C)), std::vector<T>(size(q.rows * C)),
                       std::vector<T>(size(k.rows * C)), std::vector<T>(size(k.rows * C))};
  const T keep = static_cast<T>(1 / (1 - problem.dropout.threshold / 65536.0));
  for (std::size_t b = 0; b + 1 < problem.queries.size(); ++b) {
    const Dim q0 = problem.queries[b], n = problem.queries[b + 1] - q0;
    const Dim k0 = problem.keys[b], S = problem.keys[b + 1] - k0;
    for (Dim h = 0; h < H; ++h) {
      for (Dim i = 0; i < n; ++i) {
        const Dim seen = problem.causal ? std::max<Dim>(0, S - n + i + 1) : S;
        const auto at = [&](auto x, Dim row) { return x.data + row * x.stride + h * D; };
        const auto dot = [&](const T* a, const T* c) {
          T sum = 0;
          for (Dim e = 0; e < D; ++e) sum += a[e] * c[e];
          return sum;
        };
        const T* const qi = at(q, q0 + i);
        const T* const dyi = at(dy, q0 + i);
        std::vector<T> p, m, dp;
        T largest = -INFINITY, sum = 0, expected = 0;
        for (Dim j = 0; j < seen; ++j) {
          p.push_back(static_cast<T>(problem.scale) * dot(qi, at(k, k0 + j)));
          largest = std::max(largest, p.back());
        }
        for (T& x : p) sum += x = std::exp(x - largest);
        for (Dim j = 0; j < seen; ++j) {
          p[size(j)] /= sum;
          m.push_back(problem.dropout.threshold == 0 ? T{1} : is_dropped(problem, q0 + i, h, j) ? T{0} : keep);
          dp.push_back(m[size(j)] * dot(dyi, at(v, k0 + j)));
          expected += p[size(j)] * dp[size(j)];
        }
        for (Dim j = 0; j < seen; ++j) {
          const T weight = m[size(j)] * p[size(j)];
          const T ds = static_cast<T>(problem.scale) * p[size(j)] * (dp[size(j)] - expected);
          const std::size_t query = size((q0 + i) * C + h * D), key = size((k0 + j) * C + h * D);
          for (std::size_t e = 0; e < size(D); ++e) {
            r.y[query + e] += weight * at(v, k0 + j)[e];
            r.dv[key + e] += weight * dyi[e];
            r.dq[query + e] += ds * at(k, k0 + j)[e];
            r.dk[key + e] += ds * qi[e];
          }
        }
      }
    }
  }
  return r;
}

}  // namespace rapt::testing
