// Stretches of a corpus: shared by the code that stores tokens and the code that builds sequences of them.
#pragma once

#include "tensor/types.h"

namespace rapt {

enum class Part { kTrain, kValidation };

/// [begin, end)
struct TokenRange {
  Dim begin = 0, end = 0;
  Dim size() const { return end - begin; }
};

}  // namespace rapt
