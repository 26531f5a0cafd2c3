#include "nn/attention_record.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "tensor/parallel.h"

namespace rapt {

namespace {
thread_local AttentionRecord* t_record = nullptr;
}  // namespace

const char* name_of(AttentionKind kind) {
  constexpr const char* kNames[] = {"encoder", "decoder", "cross"};
  return kNames[static_cast<int>(kind)];
}

AttentionRecord::AttentionRecord() : before_(std::exchange(t_record, this)) {}
AttentionRecord::~AttentionRecord() { t_record = before_; }
AttentionRecord* AttentionRecord::current() { return t_record; }

std::vector<const AttentionMap*> AttentionRecord::of_kind(AttentionKind kind) const {
  std::vector<const AttentionMap*> maps;
  for (const AttentionMap& map : maps_) {
    if (map.kind == kind) maps.push_back(&map);
  }
  return maps;
}

AttentionMap& AttentionRecord::next(AttentionKind kind) {
  const auto layer = static_cast<Dim>(of_kind(kind).size());
  return maps_.emplace_back(AttentionMap{kind, layer, {}});
}

// One query and head: probabilities of the first `seen` keys; the others are 0.
template <typename T>
static void softmax_of_products(float* weights, const T* q, Matrix<const T> k, Dim column, Dim D, Dim seen,
                                double scale) {
  double largest = -INFINITY, sum = 0;
  std::vector<double> scores(static_cast<std::size_t>(seen));
  for (Dim j = 0; j < seen; ++j) {
    double product = 0;
    for (Dim d = 0; d < D; ++d)
      product += static_cast<double>(q[d]) * static_cast<double>(k.data[j * k.stride + column + d]);
    largest = std::max(largest, scores[static_cast<std::size_t>(j)] = scale * product);
  }
  for (double& score : scores) sum += score = std::exp(score - largest);
  for (Dim j = 0; j < seen; ++j) weights[j] = static_cast<float>(scores[static_cast<std::size_t>(j)] / sum);
}

template <typename T>
void AttentionRecord::add_products(AttentionKind kind, Matrix<const T> q, Matrix<const T> k, const Packed& queries,
                                   const Packed& keys, Dim heads, double scale, bool causal) {
  AttentionMap& map = next(kind);
  const Dim D = q.cols / heads;
  const auto q_offsets = queries.offsets.span<std::int32_t>(), k_offsets = keys.offsets.span<std::int32_t>();
  for (std::size_t b = 0; b + 1 < q_offsets.size(); ++b) {
    const Dim q0 = q_offsets[b], n = q_offsets[b + 1] - q0, k0 = k_offsets[b], S = k_offsets[b + 1] - k0;
    Tensor& weights = map.weights.emplace_back(Tensor::zeros({heads, n, S}));
    float* const to = weights.data<float>();
    const Matrix<const T> own{k.data + k0 * k.stride, S, k.cols, k.stride};
    parallel_for(heads * n, [&](Dim place) {
      const Dim h = place / n, i = place % n;
      const Dim seen = causal ? std::max<Dim>(0, S - n + i + 1) : S;
      softmax_of_products(to + place * S, q.data + (q0 + i) * q.stride + h * D, own, h * D, D, seen, scale);
    });
  }
}

template void AttentionRecord::add_products<float>(AttentionKind, Matrix<const float>, Matrix<const float>,
                                                   const Packed&, const Packed&, Dim, double, bool);
template void AttentionRecord::add_products<double>(AttentionKind, Matrix<const double>, Matrix<const double>,
                                                    const Packed&, const Packed&, Dim, double, bool);

void AttentionRecord::add_weights(AttentionKind kind, const Tensor& weights, const Packed& queries,
                                  const Packed& keys) {
  AttentionMap& map = next(kind);
  const auto q_offsets = queries.offsets.span<std::int32_t>(), k_offsets = keys.offsets.span<std::int32_t>();
  Dim at = 0;
  for (std::size_t b = 0; b + 1 < q_offsets.size(); ++b) {
    const Dim T = q_offsets[b + 1] - q_offsets[b], S = k_offsets[b + 1] - k_offsets[b];
    Tensor& own = map.weights.emplace_back(Tensor::empty({1, T, S}));
    dispatch_float(weights.dtype(), [&]<typename E>() {
      std::transform(weights.data<E>() + at, weights.data<E>() + at + T * S, own.data<float>(),
                     [](E weight) { return static_cast<float>(weight); });
    });
    at += T * S;
  }
}

Tensor mean_of_heads(const Tensor& weights) {
  const Dim H = weights.shape()[0], T = weights.shape()[1], S = weights.shape()[2];
  Tensor mean = Tensor::zeros({T, S});
  for (Dim h = 0; h < H; ++h) {
    for (Dim i = 0; i < T * S; ++i) {
      mean.data<float>()[i] += weights.data<float>()[h * T * S + i] / static_cast<float>(H);
    }
  }
  return mean;
}

std::vector<Tensor> attention_rollout(const std::vector<Tensor>& layers) {
  std::vector<Tensor> rollout;
  for (const Tensor& weights : layers) {
    Tensor step = mean_of_heads(weights);  // becomes (A + I) / 2
    const Dim T = step.shape()[0];
    float* const s = step.data<float>();
    for (Dim i = 0; i < T * T; ++i) s[i] = (s[i] + (i % (T + 1) == 0 ? 1.0F : 0.0F)) / 2;
    if (rollout.empty()) {
      rollout.push_back(std::move(step));
      continue;
    }
    Tensor next = Tensor::empty({T, T});
    matmul<float>({next.data<float>(), T, T}, {s, T, T}, Transpose::kNo, {rollout.back().data<float>(), T, T},
                  Transpose::kNo, Write::kAssign);
    rollout.push_back(std::move(next));
  }
  return rollout;
}

}  // namespace rapt
