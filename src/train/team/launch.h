// Whether a launcher (mpirun, srun) started this process as one of several, from its environment: nothing is started to
// find out.
#pragma once

#include <optional>

namespace rapt {

struct Launch {
  int rank = 0, size = 1;
  const char* by = "";  ///< "Open MPI", "PMI", "Slurm"
};

/// Knows Open MPI's variables, PMI's (MPICH, Intel MPI) and those of a step of Slurm's srun. Nothing if none of them is
/// set, or if they speak of one process.
std::optional<Launch> find_launch();

}  // namespace rapt
