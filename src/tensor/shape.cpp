#include "tensor/shape.h"

#include <algorithm>

namespace rapt {

Shape::Shape(std::span<const Dim> extents) : rank_(extents.size()) {
  if (rank_ > kMaxRank) throw ShapeError("shape: must have at most 8 axes, got " + std::to_string(rank_));
  for (std::size_t axis = 0; axis < rank_; ++axis) {
    const Dim extent = extents[axis];
    if (extent < 0) throw ShapeError("shape: extents must not be negative, got " + std::to_string(extent));
    extents_[axis] = extent;
    if (__builtin_mul_overflow(size_, extent, &size_) || size_ > (Dim{1} << 62)) {
      throw ShapeError("shape: the number of elements overflows 64 bits");
    }
  }
}

Dim Shape::rows() const {
  Dim rows = 1;
  for (std::size_t axis = 0; axis + 1 < rank_; ++axis) rows *= extents_[axis];
  return rows;
}

std::string Shape::to_string() const {
  std::string text = "[";
  for (std::size_t axis = 0; axis < rank_; ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(extents_[axis]);
  }
  return text + "]";
}

bool operator==(const Shape& a, const Shape& b) { return std::ranges::equal(a.extents(), b.extents()); }

}  // namespace rapt
