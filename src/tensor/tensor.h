// Tensors: a shape, an element type and shared storage. Row-major and contiguous; strided views exist only as arguments
// of kernels and of matmul.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "tensor/shape.h"
#include "tensor/storage.h"

namespace rapt {

/// A handle to an n-dimensional array. Copying shares the elements; `clone()` copies them. A default-constructed tensor
/// is undefined: it has no storage and stands for "none".
class Tensor {
 public:
  Tensor() = default;

  /// Elements are undefined.
  static Tensor empty(const Shape& shape, DType dtype = DType::kF32);
  static Tensor zeros(const Shape& shape, DType dtype = DType::kF32);
  static Tensor full(const Shape& shape, double value, DType dtype = DType::kF32);
  /// Copies `values`; the element type is T's.
  /// \throws ShapeError  if the number of values does not match the shape
  template <typename T>
  static Tensor from(std::span<const T> values, const Shape& shape);
  template <typename T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  Dim size() const { return shape_.size(); }
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * size_of(dtype_); }

  /// The elements, row-major.
  /// \throws BugError  if T is not the element type
  template <typename T>
  T* data() {
    check_type(dtype_of<T>);
    return static_cast<T*>(raw());
  }
  template <typename T>
  const T* data() const {
    check_type(dtype_of<T>);
    return static_cast<const T*>(raw());
  }
  template <typename T>
  std::span<T> span() {
    return {data<T>(), static_cast<std::size_t>(size())};
  }
  template <typename T>
  std::span<const T> span() const {
    return {data<T>(), static_cast<std::size_t>(size())};
  }
  void* raw() { return static_cast<std::byte*>(base()) + offset_; }
  const void* raw() const { return static_cast<const std::byte*>(base()) + offset_; }

  /// The same elements with another shape of equal size.
  Tensor reshape(const Shape& shape) const;
  /// `count` elements from element `first` on, as `shape`; shares the elements. Used to divide flat parameter buffers.
  Tensor view(Dim first, const Shape& shape) const;
  /// Rows [begin, end) of the first axis; shares the elements.
  Tensor slice(Dim begin, Dim end) const;

  Tensor clone() const;
  /// A copy in another element type, rounded to nearest.
  Tensor to(DType dtype) const;
  /// The same elements in bf16. The copy, of all tensors that share this one's storage, is made once and kept until
  /// changed(): for weights, which are operands of several products. \pre f32
  const Tensor narrowed() const;
  /// The copy of narrowed() if there is one, to be kept up to date by whoever writes to the elements; else undefined.
  Tensor narrow_copy();
  /// Forgets the copy of narrowed(). Whoever writes to elements that may have one calls it; fill() and copy_from() do.
  void changed() { storage_->narrowed = nullptr; }

  void fill(double value);
  /// Copies the elements of a tensor of the same size and type.
  void copy_from(const Tensor& other);
  /// The only element, as a double.
  double item() const;

  /// How many tensors share the storage. If 1, it may be written to without affecting another tensor.
  long sharers() const { return storage_.use_count(); }

 private:
  Tensor part_of_narrowed() const;
  void* base() const { return storage_ == nullptr ? nullptr : storage_->data(); }
  void check_type(DType wanted) const {
    if (wanted != dtype_) wrong_type(wanted);
  }
  [[noreturn]] void wrong_type(DType wanted) const;

  std::shared_ptr<Storage> storage_;
  std::size_t offset_ = 0;  // bytes
  Shape shape_;
  DType dtype_ = DType::kF32;
};

}  // namespace rapt
