#include "tensor/parallel.h"

#include <doctest/doctest.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/thread_counts.h"

using namespace rapt;
using rapt::testing::WithThreads;

namespace {

// Whether a region calls its body once for each piece.
bool each_piece_once(Dim count, Schedule schedule) {
  std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
  parallel_for(
      count, [&](Dim i) { ++calls[static_cast<std::size_t>(i)]; }, schedule);
  return std::ranges::all_of(calls, [](const std::atomic<int>& n) { return n == 1; });
}

constexpr std::array kSchedules = {Schedule::kStatic, Schedule::kDynamic};

std::atomic<bool> g_hold{false}, g_held{false}, g_gave_up{false};

// Keeps its thread from continuing, as a scheduler does that gives the core to another program.
void hold(int) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + std::chrono::seconds(60);
  g_held = true;
  while (g_hold) {
    if (Clock::now() > end) {
      g_gave_up = true;
      return;
    }
  }
}

}  // namespace

TEST_CASE("each piece is done once, for any number of pieces and threads") {
  for (const int threads : {1, 2, 3, 7, 2}) {
    const WithThreads with(threads);
    for (const Schedule schedule : kSchedules) {
      for (Dim count = 0; count < 40; ++count) CHECK(each_piece_once(count, schedule));
      CHECK(each_piece_once(100'003, schedule));
    }
  }
}

TEST_CASE("many short regions, one after the other, lose and repeat nothing") {
  const WithThreads with(4);
  Dim sum = 0, expected = 0;
  std::vector<Dim> parts(9);
  for (Dim region = 0; region < 20'000; ++region) {
    const Dim count = 2 + region % 8;
    const Schedule schedule = kSchedules[static_cast<std::size_t>(region % 2)];
    parallel_for(
        count, [&](Dim i) { parts[static_cast<std::size_t>(i)] = region + i; }, schedule);
    sum += std::accumulate(parts.begin(), parts.begin() + count, Dim{0});
    expected += count * region + count * (count - 1) / 2;
  }
  CHECK(sum == expected);
}

TEST_CASE("each thread begins pieces that are taken in order in their order") {
  const WithThreads with(3);
  for (int region = 0; region < 50; ++region) {
    std::atomic<int> back{0};
    const auto body = [&](Dim i) {
      thread_local Dim before = -1;
      if (i <= before) ++back;
      before = i;
    };
    parallel_for(1000, body, Schedule::kDynamic);
    CHECK(back <= 3);  // the first piece that each thread has of a region
  }
}

TEST_CASE("a region does not wait for a thread that does not run") {
  const WithThreads with(2);
  const pthread_t self = pthread_self();
  std::atomic<bool> found{false};
  pthread_t other{};
  // Both threads take part if each piece waits for the other one.
  std::atomic<int> here{0};
  parallel_for(2, [&](Dim) {
    if (pthread_equal(pthread_self(), self) == 0) {
      other = pthread_self();
      found = true;
    }
    ++here;
    while (here < 2) std::this_thread::yield();
  });
  REQUIRE(found);

  g_hold = true;
  const auto before = std::signal(SIGUSR1, hold);
  REQUIRE(pthread_kill(other, SIGUSR1) == 0);
  while (!g_held) std::this_thread::yield();
  std::vector<int> calls(100, 0);
  for (int region = 0; region < 50; ++region) {
    parallel_for(100, [&](Dim i) { ++calls[static_cast<std::size_t>(i)]; });
  }
  g_hold = false;
  std::signal(SIGUSR1, before);
  CHECK(std::ranges::count(calls, 50) == 100);
  CHECK_FALSE(g_gave_up);
  CHECK(each_piece_once(100, Schedule::kStatic));  // the thread that was held back is of use again
}

TEST_CASE("an exception ends a region after its running pieces, and the next region is whole") {
  const WithThreads with(3);
  for (int i = 0; i < 200; ++i) {
    const auto body = [&](Dim piece) {
      if (piece == 17) throw std::runtime_error("piece 17");
    };
    CHECK_THROWS_WITH(parallel_for(60, body), "piece 17");
    CHECK(each_piece_once(60, Schedule::kStatic));
  }
}

TEST_CASE("a region inside a region runs on its own thread") {
  const WithThreads with(2);
  CHECK_FALSE(inside_parallel());
  std::atomic<int> wrong{0}, calls{0};
  parallel_for(8, [&](Dim) {
    const auto thread = std::this_thread::get_id();
    if (!inside_parallel()) ++wrong;
    parallel_for(5, [&](Dim) {
      ++calls;
      if (std::this_thread::get_id() != thread) ++wrong;
    });
  });
  CHECK(calls == 40);
  CHECK(wrong == 0);
  CHECK_FALSE(inside_parallel());
}

TEST_CASE("regions of several callers at once are all done") {
  const WithThreads with(2);
  std::atomic<int> whole{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int region = 0; region < 300; ++region) {
        if (each_piece_once(50, Schedule::kStatic)) ++whole;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(whole == 1200);
}
