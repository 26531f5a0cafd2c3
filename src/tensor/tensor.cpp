#include "tensor/tensor.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "tensor/error.h"
#include "tensor/kernels/narrow.h"

namespace rapt {
Tensor Tensor::empty(const Shape& shape, DType dtype) {
  Tensor t;
  t.shape_ = shape;
  t.dtype_ = dtype;
  t.storage_ = std::make_shared<Storage>(static_cast<std::size_t>(shape.size()) * size_of(dtype));
  return t;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor t = empty(shape, dtype);
  std::memset(t.raw(), 0, t.bytes());
  return t;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  Tensor t = empty(shape, dtype);
  t.fill(value);
  return t;
}

template <typename T>
Tensor Tensor::from(std::span<const T> values, const Shape& shape) {
  require_shape(static_cast<Dim>(values.size()) == shape.size(), [&] {
    return "tensor: " + shape.to_string() + " takes " + std::to_string(shape.size()) + " values, got " +
           std::to_string(values.size());
  });
  Tensor t = empty(shape, dtype_of<T>);
  std::ranges::copy(values, t.data<T>());
  return t;
}
#define RAPT_FROM(T, ...) template Tensor Tensor::from<T>(std::span<const T>, const Shape&);
RAPT_FOR_ELEMENTS(RAPT_FROM)
#undef RAPT_FROM

Tensor Tensor::reshape(const Shape& shape) const {
  require_shape(shape.size() == size(), [&] {
    return "tensor: " + shape_.to_string() + " cannot be seen as " + shape.to_string() + ", the sizes differ";
  });
  return view(0, shape);
}

Tensor Tensor::view(Dim first, const Shape& shape) const {
  require_shape(first >= 0 && first + shape.size() <= size(), [&] {
    return "tensor: a view " + shape.to_string() + " from element " + std::to_string(first) + " leaves " +
           shape_.to_string();
  });
  Tensor t = *this;
  t.offset_ += static_cast<std::size_t>(first) * size_of(dtype_);
  t.shape_ = shape;
  return t;
}

Tensor Tensor::slice(Dim begin, Dim end) const {
  require_shape(shape_.rank() >= 1 && 0 <= begin && begin <= end && end <= shape_[0], [&] {
    return "tensor: rows [" + std::to_string(begin) + ", " + std::to_string(end) + ") leave " + shape_.to_string();
  });
  std::vector<Dim> extents(shape_.extents().begin(), shape_.extents().end());
  extents[0] = end - begin;
  const Dim row = shape_[0] == 0 ? 0 : size() / shape_[0];
  return view(begin * row, Shape(std::span<const Dim>(extents)));
}

Tensor Tensor::clone() const {
  Tensor t = empty(shape_, dtype_);
  std::memcpy(t.raw(), raw(), bytes());
  return t;
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == dtype_) return clone();
  Tensor t = empty(shape_, dtype);
  if (dtype_ == DType::kF32 && dtype == DType::kBF16) {
    kernels::narrow(t.data<Bf16>(), data<float>(), size());
    return t;
  }
  dispatch_element(dtype_, [&]<typename From>() {
    dispatch_element(dtype, [&]<typename To>() {
      std::ranges::transform(span<From>(), t.data<To>(), [](From x) { return static_cast<To>(x); });
    });
  });
  return t;
}

const Tensor Tensor::narrowed() const {
  check_type(DType::kF32);
  static std::mutex making;  // threads that decode side by side ask for the same weights
  const std::lock_guard lock(making);
  if (storage_->narrowed == nullptr) {
    const auto count = static_cast<Dim>(storage_->bytes() / sizeof(float));
    auto copy = std::make_shared<Storage>(static_cast<std::size_t>(count) * sizeof(Bf16));
    kernels::narrow(static_cast<Bf16*>(copy->data()), static_cast<const float*>(base()), count);
    storage_->narrowed = std::move(copy);
  }
  return part_of_narrowed();
}

Tensor Tensor::narrow_copy() { return storage_->narrowed == nullptr ? Tensor() : part_of_narrowed(); }

Tensor Tensor::part_of_narrowed() const {
  Tensor t = *this;
  t.storage_ = storage_->narrowed;
  t.offset_ = offset_ / sizeof(float) * sizeof(Bf16);
  t.dtype_ = DType::kBF16;
  return t;
}

void Tensor::fill(double value) {
  changed();
  dispatch_element(dtype_, [&]<typename T>() { std::ranges::fill(span<T>(), static_cast<T>(value)); });
}

void Tensor::copy_from(const Tensor& other) {
  require_shape(other.size() == size() && other.dtype_ == dtype_, [&] {
    return "tensor: cannot copy " + other.shape_.to_string() + " " + name_of(other.dtype_) + " into " +
           shape_.to_string() + " " + name_of(dtype_);
  });
  std::memcpy(raw(), other.raw(), bytes());
  changed();
}

double Tensor::item() const {
  require_shape(size() == 1, [&] { return "tensor: item() needs a tensor of one element, got " + shape_.to_string(); });
  return dispatch_element(dtype_, [&]<typename T>() { return static_cast<double>(*data<T>()); });
}

void Tensor::wrong_type(DType wanted) const {
  throw BugError(std::string("tensor: asked for ") + name_of(wanted) + " elements of a tensor of " + name_of(dtype_));
}

}  // namespace rapt
