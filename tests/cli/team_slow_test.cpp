// One run on changing numbers of processes, killed again and again.
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "several_processes.h"
#include "tensor/random.h"
#include "text/corpus/stories.h"

using namespace rapt;

TEST_CASE(
    "a run that is killed ten times, on random numbers of processes, ends with the bits of an uninterrupted one") {
  if (!have_mpi()) return;
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  const auto words = [](const std::string& out) { return gpt(out) + Words{"--steps", "4000", "--threads", "1"}; };
  REQUIRE(shop.rapt(words("whole")).code == 0);
  Rng rng({2026, 14});
  for (int kill = 0; kill < 10; ++kill) {
    const int processes = 1 << static_cast<int>(rng.uniform() * 3);
    CAPTURE(kill);
    CAPTURE(processes);
    const pid_t job =
        processes == 1 ? shop.start(words("parts")) : shop.start_mpirun(processes_of(processes, words("parts")));
    // From before MPI has started to some hundred updates later.
    std::this_thread::sleep_for(std::chrono::milliseconds(static_cast<int>(rng.uniform() * 2500)));
    const int rank = static_cast<int>(rng.uniform() * processes);
    const pid_t victim = processes == 1 ? job : pid_of_rank(shop, rank);
    if (victim > 0) ::kill(victim, SIGKILL);
    const ProgramResult ended = shop.wait(job);
    CAPTURE(ended.err);
    CHECK((ended.code != 0 || victim <= 0));
  }
  const ProgramResult last = team(shop, 2, words("parts"));
  CAPTURE(last.err);
  CHECK(last.code == 0);
  CHECK(shop.rapt({"checkpoint", "diff", "whole/last.h5", "parts/last.h5"}).out.ends_with("equal\n"));
}
