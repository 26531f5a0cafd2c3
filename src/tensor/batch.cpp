#include "tensor/batch.h"

#include <string>

#include "tensor/error.h"

namespace rapt {

static Tensor to_tensor(const std::vector<std::int32_t>& numbers) {
  return Tensor::from(numbers, {static_cast<Dim>(numbers.size())});
}

Stream make_stream(std::span<const Dim> lengths, const std::vector<std::int32_t>& tokens,
                   const std::vector<std::int32_t>& segments) {
  Stream stream;
  stream.layout = pack_lengths(lengths);
  const Dim N = stream.layout.rows(), count = static_cast<Dim>(tokens.size());
  require_shape(count == N, [&] {
    return "batch: the lengths must add up to the number of tokens, " + std::to_string(count) + ", got " +
           std::to_string(N);
  });
  require_shape(segments.empty() || segments.size() == tokens.size(), [&] {
    return "batch: each of " + std::to_string(N) + " tokens must have a segment, got " +
           std::to_string(segments.size());
  });
  stream.tokens = to_tensor(tokens);
  stream.positions = positions_of(stream.layout);
  if (!segments.empty()) stream.segments = to_tensor(segments);
  return stream;
}

Targets make_targets(const std::vector<std::int32_t>& rows, const std::vector<std::int32_t>& ids) {
  require_shape(rows.size() == ids.size(), [&] {
    return "batch: each of " + std::to_string(rows.size()) + " predicted rows must have a target, got " +
           std::to_string(ids.size());
  });
  return {.rows = to_tensor(rows), .ids = to_tensor(ids)};
}

const Tensor& label_values(const Labels& labels) {
  static const Tensor none;
  return std::visit(
      [](const auto& found) -> const Tensor& {
        if constexpr (requires { found.values; }) {
          return found.values;
        } else {
          return none;
        }
      },
      labels);
}

Dim label_count(const Labels& labels) {
  const Tensor& values = label_values(labels);
  return values.defined() ? values.shape()[0] : 0;
}

static std::string description(const char* name, const Shape& shape, DType dtype) {
  return std::string(name) + " " + shape.to_string() + " " + name_of(dtype);
}

static std::string description(const Labels& labels) {
  const Tensor& values = label_values(labels);
  if (!values.defined()) return "none";
  return std::visit(
      [&](const auto& found) -> std::string {
        if constexpr (requires { found.kName; }) return description(found.kName, values.shape(), values.dtype());
        return "none";
      },
      labels);
}

void throw_wrong_labels(const Labels& labels, const char* name, DType dtype, const Shape& shape, const char* subject) {
  throw ShapeError(std::string(subject) + ": the batch's labels must be " + description(name, shape, dtype) + ", got " +
                   description(labels));
}

BatchCounts& BatchCounts::operator+=(const BatchCounts& other) {
  input.rows += other.input.rows;
  input.sequences += other.input.sequences;
  source.rows += other.source.rows;
  source.sequences += other.source.sequences;
  targets += other.targets;
  labels += other.labels;
  return *this;
}

static StreamCounts counts_of(const Stream& stream) {
  return {.rows = stream.layout.rows(), .sequences = stream.layout.sequences()};
}

BatchCounts counts_of(const Batch& batch) {
  return {.input = counts_of(batch.input),
          .source = batch.source ? counts_of(*batch.source) : StreamCounts{},
          .targets = batch.targets.count(),
          .labels = label_count(batch.labels)};
}

}  // namespace rapt
