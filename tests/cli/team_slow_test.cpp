// One run on changing numbers of processes, killed again and again.
#include <doctest/doctest.h>

#include <algorithm>
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
  const auto words = [](const std::string& out) { return gpt(out) + Words{"--steps", "2000", "--threads", "1"}; };
  const auto logged = [&] {
    const std::string events = shop.read("parts/metrics.jsonl");  // one for each validation, every 5 updates
    return std::ranges::count(events, '\n');
  };
  REQUIRE(shop.rapt(words("whole")).code == 0);
  Rng rng({2026, 14});
  for (int kill = 0; kill < 10; ++kill) {
    const int processes = 1 << static_cast<int>(rng.uniform() * 3);
    CAPTURE(kill);
    CAPTURE(processes);
    const pid_t job =
        processes == 1 ? shop.start(words("parts")) : shop.start_mpirun(processes_of(processes, words("parts")));
    // From before its first update to a hundred updates later.
    const auto enough = logged() + static_cast<std::ptrdiff_t>(rng.uniform() * 21) - 1;
    const int rank = static_cast<int>(rng.uniform() * processes);
    pid_t victim = -1;
    while (shop.is_running(job) && victim <= 0) {
      if (logged() >= enough) victim = processes == 1 ? job : pid_of_rank(shop, rank);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (victim > 0) ::kill(victim, SIGKILL);
    const ProgramResult ended = shop.wait(job);
    CAPTURE(ended.err);
    CHECK(ended.code != 0);
  }
  const ProgramResult last = team(shop, 2, words("parts"));
  CAPTURE(last.err);
  CHECK(last.code == 0);
  CHECK(shop.rapt({"checkpoint", "diff", "whole/last.h5", "parts/last.h5"}).out.ends_with("equal\n"));
}
