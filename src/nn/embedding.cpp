#include "nn/embedding.h"

#include <cmath>

namespace rapt {

Embedding::Embedding(const Options& options, Initializer& init)
    : weight_(init.normal({options.rows, options.width}, options.std)) {}

void Embedding::visit(ParameterVisitor& v) { v.parameter("weight", weight_); }

Tensor sinusoidal_positions(Dim positions, Dim width, bool halves, DType dtype) {
  Tensor table = Tensor::zeros({positions, width}, dtype);
  const Dim pairs = (width + 1) / 2;
  dispatch_float(dtype, [&]<typename T>() {
    for (Dim p = 0; p < positions; ++p) {
      T* const row = table.data<T>() + p * width;
      for (Dim i = 0; i < pairs; ++i) {
        const double angle =
            static_cast<double>(p) / std::pow(10000.0, 2.0 * static_cast<double>(i) / static_cast<double>(width));
        const Dim sine = halves ? i : 2 * i, cosine = halves ? pairs + i : 2 * i + 1;
        row[sine] = static_cast<T>(std::sin(angle));
        if (cosine < width) row[cosine] = static_cast<T>(std::cos(angle));
      }
    }
  });
  return table;
}

}  // namespace rapt
