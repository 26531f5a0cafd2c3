// Which of the instruction sets that kernels are compiled for they run on: the best that the processor has, or a lesser
// one, so that one machine can show what another computes (docs/numerics.md).
#pragma once

#include <string>

namespace rapt {

/// Holds kernels to the instruction set `name` ("sse4", "avx2", "avx512"; "neon", "sve" ... on ARM) and those below it;
/// none (null or "") holds them to nothing. The program passes the environment variable RAPT_SIMD, before any kernel
/// runs. \throws UsageError  for a name that this kind of processor does not know, or that this processor lacks
void hold_instruction_set(const char* name);

/// The one that kernels run on, as Highway calls it: "AVX3" (AVX-512), "AVX2", "SSE4", "NEON" ...
std::string simd_target();

}  // namespace rapt
