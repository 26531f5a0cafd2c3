#include "tensor/types.h"

#include <doctest/doctest.h>

#include <string>

#include "tensor/tensor.h"

using namespace rapt;

TEST_CASE("an element type has a name, a size and a C++ type") {
  const struct {
    DType dtype;
    std::string name;
    std::size_t size;
  } types[] = {{DType::kF32, "f32", 4}, {DType::kF64, "f64", 8}, {DType::kI32, "i32", 4}};
  for (const auto& type : types) {
    CAPTURE(type.name);
    CHECK(name_of(type.dtype) == type.name);
    CHECK(size_of(type.dtype) == type.size);
    dispatch_element(type.dtype, [&]<typename T>() { CHECK(dtype_of<T> == type.dtype); });
  }
}

TEST_CASE("kernels are chosen for floating-point types only") {
  for (const DType dtype : {DType::kF32, DType::kF64}) {
    dispatch_float(dtype, [dtype]<typename T>() { CHECK(dtype_of<T> == dtype); });
  }
  CHECK_THROWS_WITH_AS(dispatch_float(DType::kI32, []<typename T>() {}), "expected a floating-point tensor, got i32",
                       std::invalid_argument);
}

TEST_CASE("requesting elements as another type than their own is an error") {
  Tensor x = Tensor::zeros({2}, DType::kF64);
  CHECK_THROWS_WITH(x.data<float>(), "tensor: asked for f32 elements of a tensor of f64");
}
