// What the processes of a team must have in common before they compute together.
#pragma once

#include <string>
#include <vector>

#include "train/team/team.h"

namespace rapt {

/// The kernels, on which the bits of a sum depend: a line each.
std::vector<std::string> computing_lines();

/// Compares a text of lines such as "--batch 32" among all processes.
/// \throws ConfigError  in all of them, naming the first line that differs from rank 0's, and both ranks
void require_agreement(Team& team, const std::vector<std::string>& lines);

}  // namespace rapt
