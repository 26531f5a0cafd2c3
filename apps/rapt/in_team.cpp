#include "in_team.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "failure.h"
#include "tensor/parallel.h"
#include "terminal.h"

namespace rapt::app {

Team launched_team() {
  constexpr double kPatience = 30;  // seconds, as --peer-timeout
  Team team = Team::launched(kPatience);
  if (!team.leads()) be_silent();
  return team;
}

int threads_in_team(Team& team) { return std::max(1, usable_processors() / team.sharing_processors()); }

int in_team(Team& team, const std::function<int()>& part) {
  if (team.size() == 1) return part();
  try {
    return part();
  } catch (...) {
    const Failure failure = current_failure();
    // What all processes find, such as a missing file, the leader reports; it ends the others while they wait here.
    if (!team.leads()) std::this_thread::sleep_for(std::chrono::seconds(1));
    tell("error: " + (team.leads() ? "" : team.name(team.rank()) + ": ") + failure.message + '\n');
    team.abort(failure.code);
    return failure.code;
  }
}

}  // namespace rapt::app
