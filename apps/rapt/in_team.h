// Commands on several processes.
#pragma once

#include <functional>

#include "train/team/team.h"

namespace rapt::app {

/// The processes that mpirun started, or one. All but the leader are silent.
Team launched_team();

/// Threads for each process of a node: its usable cores, divided by the processes that may use the same ones.
int threads_in_team(Team& team);

/// Runs this process's part of a command and returns its exit code. After an error, reports it and ends all processes:
/// the others wait for this one. Alone, errors are the caller's.
int in_team(Team& team, const std::function<int()>& part);

}  // namespace rapt::app
