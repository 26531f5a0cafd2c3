// The only door to threads. Work is cut by the problem's shape into numbered pieces; threads take pieces, they do not
// define them, so results have the same bits on any number of threads.
#pragma once

#include <algorithm>
#include <type_traits>

#include "tensor/types.h"

namespace rapt {

/// Threads that parallel_for uses; at the start, the processors this process may run on.
int thread_count();
/// \throws std::invalid_argument  if count < 1
void set_thread_count(int count);
/// Processors this process may run on (its affinity mask).
int usable_processors();

/// How pieces reach threads. kStatic: thread t of n takes the t-th run of neighbouring pieces, so that what one
/// operation left in a core's cache the next one finds there. kDynamic: each thread takes the next piece; for pieces of
/// unequal cost.
enum class Schedule { kStatic, kDynamic };

namespace detail {
void run_parallel(Dim count, Schedule schedule, void (*call)(const void*, Dim), const void* body);
}  // namespace detail

/// Calls body(i) once for each i in [0, count), on all threads, and returns when all are done. A call inside a body
/// runs on the calling thread alone. Denormal numbers are flushed to zero inside bodies, on every thread alike. The
/// first exception that a body throws is thrown again here, after the others have ended.
template <typename F>
void parallel_for(Dim count, F&& body, Schedule schedule = Schedule::kStatic) {
  using Body = std::remove_reference_t<F>;
  detail::run_parallel(
      count, schedule, [](const void* f, Dim i) { (*const_cast<Body*>(static_cast<const Body*>(f)))(i); }, &body);
}

/// Calls body(begin, end) for the pieces [0, block), [block, 2 block) ... of [0, size).
template <typename F>
void parallel_blocks(Dim size, Dim block, F&& body) {
  parallel_for((size + block - 1) / block, [&](Dim i) { body(i * block, std::min(size, (i + 1) * block)); });
}

/// Rows per piece for loops over rows: pieces of about 16 K elements, so that one is worth a thread's trouble.
constexpr Dim rows_per_block(Dim row_elements) { return std::max<Dim>(1, 16384 / std::max<Dim>(1, row_elements)); }

}  // namespace rapt
