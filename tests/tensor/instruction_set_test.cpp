// RAPT_SIMD limits kernels to less than the processor supports.
#include "tensor/instruction_set.h"

#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <cstdlib>
#include <string>

#include "tensor/error.h"

using namespace rapt;

namespace {

// Restores the limit with which the test program was started.
struct Restore {
  ~Restore() { hold_instruction_set(std::getenv("RAPT_SIMD")); }
};

std::string error_of(const char* name) {
  try {
    hold_instruction_set(name);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

#if HWY_ARCH_X86
TEST_CASE("kernels run on the instruction set that is named, as long as it stays named") {
  const Restore restore;
  hold_instruction_set(nullptr);
  const std::string best = simd_target();
  const std::int64_t supported = hwy::SupportedTargets();
  for (const auto& [known, target] : {std::pair{"sse4", HWY_SSE4}, {"avx2", HWY_AVX2}, {"avx512", HWY_AVX3}}) {
    const char* const name = known;
    CAPTURE(name);
    if ((supported & target) == 0) {
      CHECK(error_of(name).starts_with("RAPT_SIMD: this processor must support the instruction set, got " +
                                       std::string(name) + "; it supports sse4"));
      continue;
    }
    hold_instruction_set(name);
    const std::size_t chosen = hwy::GetChosenTarget().GetIndex();
    CHECK(simd_target() == hwy::TargetName(target));
    CHECK(hwy::GetChosenTarget().GetIndex() == chosen);  // asking for the name chose the best again
  }
  hold_instruction_set("");
  CHECK(simd_target() == best);
}

TEST_CASE("an instruction set of another name is refused with the names there are") {
  const Restore restore;
  CHECK(error_of("AVX9") == "RAPT_SIMD: must be one of sse4, avx2, avx512, got \"AVX9\"; unset it to use the best one");
}
#endif
