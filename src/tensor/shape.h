// The extents of a tensor, and functions that check them.
#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <string>

#include "tensor/types.h"

namespace rapt {

/// Extents of a tensor, outermost first; at most eight axes, none negative. A scalar has no axes and one element.
class Shape {
 public:
  static constexpr std::size_t kMaxRank = 8;

  Shape() = default;
  Shape(std::initializer_list<Dim> extents) : Shape(std::span<const Dim>(extents.begin(), extents.size())) {}
  /// \throws ShapeError  for more than eight axes, a negative extent, or more than 2^62 elements
  explicit Shape(std::span<const Dim> extents);

  std::size_t rank() const { return rank_; }
  Dim operator[](std::size_t axis) const { return extents_[axis]; }
  std::span<const Dim> extents() const { return {extents_.data(), rank_}; }

  /// Number of elements: the product of the extents, 1 for a scalar.
  Dim size() const { return size_; }
  /// The last extent, 1 for a scalar.
  Dim back() const { return rank_ == 0 ? 1 : extents_[rank_ - 1]; }
  /// The number of rows of length back().
  Dim rows() const;

  /// "[2, 3, 8]", "[]" for a scalar.
  std::string to_string() const;

  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<Dim, kMaxRank> extents_{};
  std::size_t rank_ = 0;
  Dim size_ = 1;
};

/// \throws ShapeError(message)  unless `holds`; `message` is a callable, so nothing is formatted if the check passes
template <typename Message>
void require_shape(bool holds, Message&& message) {
  if (holds) return;
  if constexpr (std::is_invocable_v<Message>) {
    throw ShapeError(message());
  } else {
    throw ShapeError(std::string(message));
  }
}

}  // namespace rapt
