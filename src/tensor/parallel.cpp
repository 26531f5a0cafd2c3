#include "tensor/parallel.h"

#include <sched.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>

#if defined(_OPENMP)
#include <omp.h>
#else
#include <thread>
#include <vector>
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

// One parallel_for in progress: what to call, how the pieces are distributed, and the first exception.
class Region {
 public:
  Region(Dim count, Schedule schedule, void (*call)(const void*, Dim), const void* body, int threads)
      : count_(count), schedule_(schedule), call_(call), body_(body), threads_(threads) {}

  void work(int thread) {
    const FlushDenormals flush;
    const bool was_inside = t_inside;
    t_inside = true;
    try {
      if (schedule_ == Schedule::kStatic) {
        const Dim begin = count_ * thread / threads_, end = count_ * (thread + 1) / threads_;
        for (Dim i = begin; i < end; ++i) call_(body_, i);
      } else {
        for (Dim i = next_.fetch_add(1); i < count_; i = next_.fetch_add(1)) call_(body_, i);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
    t_inside = was_inside;
  }

  void finish() {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  Dim count_;
  Schedule schedule_;
  void (*call_)(const void*, Dim);
  const void* body_;
  int threads_;
  std::atomic<Dim> next_{0};
  std::mutex mutex_;
  std::exception_ptr error_;
};

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
  if (count <= 0) return;
  // The team keeps its size from call to call, because libgomp rebuilds its pool when the size changes.
  const int threads = t_inside || count == 1 ? 1 : thread_count();
  Region region(count, schedule, call, body, threads);
  if (threads == 1) {
    region.work(0);
  } else {
#if defined(_OPENMP)
#pragma omp parallel num_threads(threads)
    region.work(omp_get_thread_num());
#else
    std::vector<std::thread> team;
    for (int t = 1; t < threads; ++t) team.emplace_back([&region, t] { region.work(t); });
    region.work(0);
    for (std::thread& thread : team) thread.join();
#endif
  }
  region.finish();
}

}  // namespace detail
}  // namespace rapt
