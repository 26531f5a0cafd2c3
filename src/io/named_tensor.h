// A tensor to be written to a file: its name there, and its location in memory.
#pragma once

#include <string>
#include <vector>

#include "tensor/types.h"

namespace rapt {

/// Contiguous, row-major, not owned.
struct NamedTensorView {
  std::string name;
  DType dtype;
  std::vector<Dim> shape;
  const void* data;
};

}  // namespace rapt
