// The instruction set of kernels: the best that the processor supports, or a lesser one, so that one machine can
// reproduce the results of another (docs/numerics.md).
#pragma once

#include <string>

namespace rapt {

/// Limits kernels to the instruction set `name` ("sse4", "avx2", "avx512"; "neon", "sve" ... on ARM) and lesser ones.
/// Null or "" removes the limit. The program passes the environment variable RAPT_SIMD before any kernel runs.
/// \throws UsageError  if there is no such instruction set, or this processor does not support it
void hold_instruction_set(const char* name);

/// The best one that kernels may use, with its name in Highway: "AVX3" (AVX-512), "AVX2", "SSE4", "NEON" ...
std::string simd_target();

}  // namespace rapt
