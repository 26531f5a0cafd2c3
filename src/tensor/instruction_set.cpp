#include "tensor/instruction_set.h"

#include <hwy/targets.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "tensor/error.h"

namespace rapt {
namespace {

struct NamedTarget {
  std::string_view name;
  std::int64_t target;
};

// The targets for which tensor/simd.h compiles kernels, the lesser ones first.
constexpr NamedTarget kTargets[] = {
#if HWY_ARCH_X86
    {"sse4", HWY_SSE4}, {"avx2", HWY_AVX2}, {"avx512", HWY_AVX3}
#elif HWY_ARCH_ARM
    {"neon", HWY_NEON}, {"sve", HWY_SVE}, {"sve2", HWY_SVE2}
#else
    {"scalar", HWY_SCALAR}
#endif
};

// The names of the instruction sets in `targets`, for a message.
std::string names_of(std::int64_t targets) {
  std::string list;
  for (const NamedTarget& known : kTargets) {
    if ((known.target & targets) != 0) list += (list.empty() ? "" : ", ") + std::string(known.name);
  }
  return list;
}

// hwy::SupportedTargets() chooses the best target of the processor again, whatever is disabled.
std::int64_t supported_targets() {
  const std::int64_t supported = hwy::SupportedTargets();
  hwy::GetChosenTarget().Update(supported);
  return supported;
}

}  // namespace

void hold_instruction_set(const char* name) {
  hwy::DisableTargets(0);
  if (name != nullptr && *name != '\0') {
    const auto* const found = std::ranges::find(kTargets, std::string_view(name), &NamedTarget::name);
    const std::int64_t supported = supported_targets();
    if (found == std::end(kTargets))
      throw UsageError("RAPT_SIMD: must be one of " + names_of(-1) + ", got \"" + name +
                       "\"; unset it to use the best one");
    if ((found->target & supported) == 0)
      throw UsageError("RAPT_SIMD: this processor must support the instruction set, got " + std::string(name) +
                       "; it supports " + names_of(supported));
    hwy::DisableTargets(found->target - 1);  // a better target is a lower bit
  }
  supported_targets();
}

std::string simd_target() {
  const std::int64_t supported = supported_targets();
  return hwy::TargetName(supported & -supported);
}

}  // namespace rapt
