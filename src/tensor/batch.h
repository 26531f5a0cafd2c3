// Batches: tokens and the targets of a network. text and train make batches; nn, decode and train read them; so they
// are in a folder that all of these may include.
#pragma once

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "tensor/packed.h"

namespace rapt {

/// One packing of tokens.
struct Stream {
  Packed layout;
  Tensor tokens, positions;  // [N] i32
  Tensor segments = {};      // [N] i32, BERT; undefined otherwise
};

/// Sequences of the given lengths, with positions from 0 within each.
/// \param tokens    of all sequences, one after the other
/// \param segments  of each token; empty: none
/// \throws ShapeError  if the lengths do not add up to the number of tokens, or of segments
Stream make_stream(std::span<const Dim> lengths, const std::vector<std::int32_t>& tokens,
                   const std::vector<std::int32_t>& segments = {});

/// The predicted rows of the input and their targets: token ids or tag classes. Undefined if there are none.
struct Targets {
  Tensor rows, ids;  // [M] i32, M <= N

  Dim count() const { return rows.defined() ? rows.size() : 0; }
};

Targets make_targets(const std::vector<std::int32_t>& rows, const std::vector<std::int32_t>& ids);

// Labels of whole sequences, one type per meaning.

/// The class of each sequence.
struct ClassLabels {
  static constexpr const char* kName = "classes";
  static constexpr DType kDType = DType::kI32;
  Tensor values;  // [B]
};

/// K numbers for each sequence.
struct NumberLabels {
  static constexpr const char* kName = "numbers";
  static constexpr DType kDType = DType::kF32;
  Tensor values;  // [B, K]
};

/// Yes (1) or no (0) for each of K labels, for each sequence.
struct YesNoLabels {
  static constexpr const char* kName = "yes or no for each label";
  static constexpr DType kDType = DType::kF32;
  Tensor values;  // [B, K]
};

/// The first and the last token of an answer, counted from the start of its sequence.
struct SpanLabels {
  static constexpr const char* kName = "spans";
  static constexpr DType kDType = DType::kI32;
  Tensor values;  // [B, 2]
};

/// Which of a question's consecutive sequences is the correct one, from 0; each of Q questions has B / Q sequences.
struct ChoiceLabels {
  static constexpr const char* kName = "choices";
  static constexpr DType kDType = DType::kI32;
  Tensor values;  // [Q]
};

/// std::monostate: none.
using Labels = std::variant<std::monostate, ClassLabels, NumberLabels, YesNoLabels, SpanLabels, ChoiceLabels>;

/// The number of labelled sequences, or of questions with several sequences each.
Dim label_count(const Labels& labels);
/// The tensor of the labels, whatever their type; undefined if there are none.
const Tensor& label_values(const Labels& labels);

/// Throws: "classify: the batch's labels must be classes [4] i32, got numbers [4, 1] f32".
[[noreturn]] void throw_wrong_labels(const Labels& labels, const char* name, DType dtype, const Shape& shape,
                                     const char* subject);

/// The labels, checked to be of type T and of this shape.
/// \param subject  start of the message: the name of a task
/// \throws ShapeError  for labels of another type, or a tensor of another shape or element type
template <typename T>
const Tensor& labels_as(const Labels& labels, const Shape& shape, const char* subject) {
  const T* const found = std::get_if<T>(&labels);
  if (found != nullptr && found->values.shape() == shape && found->values.dtype() == T::kDType) return found->values;
  throw_wrong_labels(labels, T::kName, T::kDType, shape, subject);
}

/// The input and the targets of one training step.
struct Batch {
  Stream input;
  std::optional<Stream> source = {};  ///< input of an encoder, if the network has one
  Targets targets = {};               ///< for the input
  Labels labels = {};
};

struct StreamCounts {
  Dim rows = 0, sequences = 0;
};

/// The size of a batch, or of all batches of an update.
struct BatchCounts {
  StreamCounts input = {}, source = {};
  Dim targets = 0, labels = 0;  ///< labels as in label_count()

  /// Number of rows of both streams.
  Dim tokens() const { return input.rows + source.rows; }
  BatchCounts& operator+=(const BatchCounts& other);
};

BatchCounts counts_of(const Batch& batch);

}  // namespace rapt
