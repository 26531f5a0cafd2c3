#include "train/team/launch.h"

#include <cstdlib>

namespace rapt {
namespace {

// A whole number from the environment; -1: not set, or something else.
int number(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return -1;
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  return *end == '\0' && value >= 0 && value < (1 << 20) ? static_cast<int>(value) : -1;
}

}  // namespace

std::optional<Launch> find_launch() {
  // The variables of a step, which a batch script does not have: it is one process on one node.
  static constexpr struct {
    const char *rank, *size, *by;
  } kLaunchers[] = {
      {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "Open MPI"},
      {"PMI_RANK", "PMI_SIZE", "PMI"},
      {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "Slurm"},
  };
  for (const auto& launcher : kLaunchers) {
    const int rank = number(launcher.rank), size = number(launcher.size);
    if (rank >= 0 && size > rank && size > 1) return Launch{rank, size, launcher.by};
  }
  return std::nullopt;
}

}  // namespace rapt
