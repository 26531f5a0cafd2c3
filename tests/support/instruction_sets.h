// Runs kernels with every instruction set that this processor supports, not only with the best one.
#pragma once

#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <string>

namespace rapt::testing {

/// Sets the instruction set of kernels from here on; 0 for the best.
inline void choose_instruction_set(std::int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

/// Calls f() once for each instruction set that this processor supports.
template <typename F>
void for_each_instruction_set(F&& f) {
  struct Restore {
    ~Restore() { choose_instruction_set(0); }
  } restore;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    choose_instruction_set(target);
    CAPTURE(std::string(hwy::TargetName(target)));
    f();
  }
}

}  // namespace rapt::testing
