#include "train/team/launch.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "train/team/team.h"

using namespace rapt;

namespace {

constexpr const char* kVariables[] = {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE",
                                      "SLURM_PROCID",         "SLURM_STEP_NUM_TASKS"};

// The launch that a process with only these variables sees.
std::optional<Launch> launch_with(const std::vector<std::pair<const char*, const char*>>& variables) {
  std::vector<std::pair<const char*, std::string>> before;
  for (const char* name : kVariables) {
    if (const char* const value = std::getenv(name)) before.emplace_back(name, value);
    ::unsetenv(name);
  }
  for (const auto& [name, value] : variables) ::setenv(name, value, 1);
  const std::optional<Launch> launch = find_launch();
  for (const char* name : kVariables) ::unsetenv(name);
  for (const auto& [name, value] : before) ::setenv(name, value.c_str(), 1);
  return launch;
}

}  // namespace

TEST_CASE("launchers are known by their variables, and a batch script is not one of several processes") {
  CHECK_FALSE(launch_with({}).has_value());
  CHECK_FALSE(launch_with({{"SLURM_PROCID", "0"}}).has_value());
  CHECK_FALSE(launch_with({{"OMPI_COMM_WORLD_RANK", "x"}, {"OMPI_COMM_WORLD_SIZE", "2"}}).has_value());
  CHECK_FALSE(launch_with({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "2"}}).has_value());
  CHECK_FALSE(launch_with({{"PMI_RANK", "0"}, {"PMI_SIZE", "1"}}).has_value());
  const auto open_mpi = launch_with({{"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_COMM_WORLD_SIZE", "4"}});
  REQUIRE(open_mpi.has_value());
  CHECK(open_mpi->rank == 3);
  CHECK(open_mpi->size == 4);
  CHECK(launch_with({{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}})->size == 2);
  CHECK(std::string(launch_with({{"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "2"}})->by) == "Slurm");
}

TEST_CASE("a team of one agrees with itself") {
  Team team;
  CHECK(team.leads());
  CHECK(team.size() == 1);
  CHECK(team.gather(7) == std::vector<int>{7});
  CHECK(team.gather(std::string("a")) == std::vector<std::string>{"a"});
  CHECK(team.broadcast(std::string("b")) == "b");
  CHECK(team.sharing_processors() == 1);
}
