#include "tensor/parallel.h"

#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace rapt {
namespace {

std::atomic<int> g_threads{0};
thread_local bool t_inside = false;

// Flushes denormals during its lifetime: Adam's second moments decay into them, and a denormal operand costs a hundred
// cycles.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040u); }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#elif defined(__aarch64__)
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" ::"r"(saved_ | (1ull << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(saved_)); }

 private:
  unsigned long long saved_;
#endif
};

// The calling thread works on pieces during its lifetime.
class Inside {
 public:
  Inside() { t_inside = true; }
  ~Inside() { t_inside = was_; }

 private:
  bool was_ = t_inside;
  FlushDenormals flush_;
};

// OpenBLAS starts a team of its own in each thread that OpenMP allows one.
void forbid_teams_of_openblas() {
#if defined(_OPENMP)
  thread_local bool done = false;
  if (!std::exchange(done, true)) omp_set_num_threads(1);
#endif
}

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until done(), but only briefly: between the regions of an update there are microseconds, and a thread that
// sleeps takes fifty to wake. After a moment, it lets other programs have its core, because the thread that it waits
// for may need that core. \return  whether done()
template <typename Done>
bool spin_until(const Done& done) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kSpin = std::chrono::microseconds(30), kYield = std::chrono::microseconds(200);
  const Clock::time_point begin = Clock::now();
  for (;;) {
    for (int i = 0; i < 16; ++i) {
      if (done()) return true;
      pause();
    }
    const Clock::duration waited = Clock::now() - begin;
    if (waited > kYield) return false;
    if (waited > kSpin) sched_yield();
  }
}

// Consecutive pieces, taken from both ends. One word holds both ends, so a piece is taken by one compare-and-swap. A
// thread that the system put aside between reading the word and swapping it may find pieces of a later region there: if
// the swap succeeds, it has a piece of that region. What to do with it is read only then, and cannot change before the
// piece is done.
class alignas(64) Pieces {
 public:
  void set(std::uint32_t begin, std::uint32_t end) { ends_.store(word(begin, end), std::memory_order_release); }
  std::optional<Dim> take_first() { return take(1, 0); }
  std::optional<Dim> take_last() { return take(0, 1); }

 private:
  static constexpr std::uint64_t word(std::uint32_t begin, std::uint32_t end) {
    return std::uint64_t{end} << 32 | begin;
  }

  std::optional<Dim> take(std::uint32_t front, std::uint32_t back) {
    std::uint64_t ends = ends_.load(std::memory_order_relaxed);
    for (;;) {
      const auto begin = static_cast<std::uint32_t>(ends), end = static_cast<std::uint32_t>(ends >> 32);
      if (begin >= end) return std::nullopt;
      if (ends_.compare_exchange_weak(ends, word(begin + front, end - back), std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return front > 0 ? begin : end - 1;
      }
    }
  }

  std::atomic<std::uint64_t> ends_{0};
};

// The caller of parallel_for, thread 0, and threads that live from one region to the next. A region ends when its
// pieces are done. A thread that comes late finds none left, and nobody waits for it: a program that takes one of the
// cores delays the piece that it interrupts, and no other.
class Team {
 public:
  explicit Team(int threads) : pieces_(static_cast<std::size_t>(threads)), others_([this] { start_others(); }) {}
  ~Team() {
    stop_ = true;
    announce();
    others_.join();
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int threads() const { return static_cast<int>(pieces_.size()); }

  /// One call at a time.
  void run(std::uint32_t count, Schedule schedule, void (*call)(const void*, Dim), const void* body) {
    call_ = call;
    body_ = body;
    count_ = count;
    in_order_.store(schedule == Schedule::kDynamic, std::memory_order_relaxed);
    failed_.store(false, std::memory_order_relaxed);
    finished_.store(0, std::memory_order_relaxed);
    const std::uint64_t runs = in_order_ ? 1 : pieces_.size();
    for (std::uint64_t r = 0; r < runs; ++r) {
      pieces_[r].set(static_cast<std::uint32_t>(count * r / runs), static_cast<std::uint32_t>(count * (r + 1) / runs));
    }
    announce();
    {
      const Inside inside;
      work(0);
    }
    const auto all_finished = [&] { return finished_.load(std::memory_order_acquire) == count; };
    while (!spin_until(all_finished)) {
      const std::uint32_t finished = finished_.load(std::memory_order_acquire);
      if (finished != count) finished_.wait(finished, std::memory_order_acquire);
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  void announce() {
    regions_.fetch_add(1, std::memory_order_release);
    regions_.notify_all();
  }

  void start_others() {
#if defined(_OPENMP)
#pragma omp parallel num_threads(threads() - 1)
    serve(static_cast<std::size_t>(omp_get_thread_num()) + 1);
#else
    std::vector<std::thread> others;
    for (std::size_t t = 1; t < pieces_.size(); ++t) others.emplace_back([this, t] { serve(t); });
    for (std::thread& thread : others) thread.join();
#endif
  }

  void serve(std::size_t thread) {
    forbid_teams_of_openblas();
    const Inside inside;
    std::uint32_t seen = 0;
    while (!stop_) {
      work(thread);
      while (!spin_until([&] { return regions_.load(std::memory_order_acquire) != seen; })) {
        regions_.wait(seen, std::memory_order_acquire);
      }
      seen = regions_.load(std::memory_order_acquire);
    }
  }

  // Does pieces until none is left: first those of its own run, whose neighbours of the operation before are in this
  // core's cache, then the far ends of the others' runs.
  void work(std::size_t thread) {
    std::uint32_t done = 0;
    const auto take = [&](std::size_t nth) {
      Pieces& run = pieces_[(thread + nth) % pieces_.size()];
      return nth == 0 || in_order_.load(std::memory_order_relaxed) ? run.take_first() : run.take_last();
    };
    for (std::size_t nth = 0; nth < pieces_.size(); ++nth) {
      while (const std::optional<Dim> piece = take(nth)) {
        do_piece(*piece);
        ++done;
      }
    }
    if (done == 0) return;
    const std::uint32_t count = count_;  // belongs to the next region once all pieces are reported
    if (finished_.fetch_add(done, std::memory_order_acq_rel) + done == count) finished_.notify_one();
  }

  // After an exception, the remaining pieces are skipped.
  void do_piece(Dim piece) {
    if (failed_.load(std::memory_order_relaxed)) return;
    try {
      call_(body_, piece);
    } catch (...) {
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }

  // Of the region in progress. Read only by a thread that has a piece of it.
  void (*call_)(const void*, Dim) = nullptr;
  const void* body_ = nullptr;
  std::uint32_t count_ = 0;
  std::exception_ptr error_;

  std::vector<Pieces> pieces_;  // one run for each thread; the first one has them all if they are taken in order
  std::atomic<bool> in_order_{false}, failed_{false}, stop_{false};
  alignas(64) std::atomic<std::uint32_t> finished_{0};  // pieces of the region in progress
  alignas(64) std::atomic<std::uint32_t> regions_{0};   // that were announced
  std::thread others_;                                  // starts the others, and ends after them
};

// The program's team, for the region of one caller at a time. \return  false if another thread's is in progress
bool run_on_team(std::uint32_t count, int threads, Schedule schedule, void (*call)(const void*, Dim),
                 const void* body) {
  static std::mutex in_use;
  static std::unique_ptr<Team> team;
  const std::unique_lock lock(in_use, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  if (!team || team->threads() != threads) {
    team.reset();
    team = std::make_unique<Team>(threads);
  }
  team->run(count, schedule, call, body);
  return true;
}

}  // namespace

int usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

int thread_count() {
  const int threads = g_threads.load(std::memory_order_relaxed);
  return threads > 0 ? threads : usable_processors();
}

bool inside_parallel() { return t_inside; }

void set_thread_count(int count) {
  if (count < 1) throw std::invalid_argument("threads: must be at least 1, got " + std::to_string(count));
  g_threads = count;
}

namespace detail {

void run_parallel(Dim count, Schedule schedule, void (*call)(const void*, Dim), const void* body) {
  forbid_teams_of_openblas();
  const int threads = t_inside || count <= 1 ? 1 : thread_count();
  constexpr Dim kMostPieces = std::numeric_limits<std::uint32_t>::max();
  if (threads > 1 && count <= kMostPieces &&
      run_on_team(static_cast<std::uint32_t>(count), threads, schedule, call, body)) {
    return;
  }
  const Inside inside;
  for (Dim i = 0; i < count; ++i) call(body, i);
}

}  // namespace detail
}  // namespace rapt
