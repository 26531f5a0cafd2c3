// Elementwise kernels and sums: loops over whole tensors, limited by memory bandwidth.
#pragma once

#include "tensor/types.h"

namespace rapt::kernels {

// y = a + b. y may be a or b.
template <typename T>
void add(T* y, const T* a, const T* b, Dim n);

// y (+)= a * b. With a = dy and b the other factor, this is its own backward.
template <typename T>
void multiply(T* y, const T* a, const T* b, Dim n, Write write);

// y (+)= factor * x. With x = dy, this is its own backward.
template <typename T>
void scale(T* y, const T* x, double factor, Dim n, Write write);

// y (+)= value: the backward of a sum.
template <typename T>
void spread(T* y, double value, Dim n, Write write);

// sum(x), accumulated in double, in blocks of fixed size whose sums are added in order.
template <typename T>
double sum(const T* x, Dim n);

}  // namespace rapt::kernels
