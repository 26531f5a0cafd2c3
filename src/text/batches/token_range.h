// Stretches of a corpus: the words that those who store tokens and those who build sequences of them share.
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
