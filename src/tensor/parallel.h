// The only file that starts threads. Work is divided by the problem's shape into numbered pieces. Threads take pieces
// but do not define them, so results have the same bits on any number of threads.
#pragma once

#include <algorithm>
#include <type_traits>

#include "tensor/types.h"

namespace rapt {

/// Number of threads that parallel_for uses; initially, the number of processors this process may run on.
int thread_count();
/// \throws std::invalid_argument  if count < 1
void set_thread_count(int count);
/// Number of processors this process may run on (its affinity mask).
int usable_processors();
/// Whether the caller is inside a body of parallel_for.
bool inside_parallel();

/// How pieces are assigned to threads. kStatic: thread t of n takes the t-th run of consecutive pieces, so the next
/// operation finds in a core's cache what the previous one left there; who has finished takes pieces from the others'
/// runs. kDynamic: each thread takes the next piece, so they begin in their order; for pieces of unequal cost.
enum class Schedule { kStatic, kDynamic };

namespace detail {
void run_parallel(Dim count, Schedule schedule, void (*call)(const void*, Dim), const void* body);
}  // namespace detail

/// Calls body(i) once for each i in [0, count), on all threads, and returns when all calls are done, whether or not all
/// threads took part. A nested call runs on the calling thread alone, and so does a call while another thread's is in
/// progress. Denormal numbers are flushed to zero inside bodies, on every thread. The first exception that a body
/// throws is rethrown here after the running pieces have ended; pieces that had not begun are left out.
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

/// Rows per piece for loops over rows: pieces of about 16 K elements, large enough to be worth the overhead.
constexpr Dim rows_per_block(Dim row_elements) { return std::max<Dim>(1, 16384 / std::max<Dim>(1, row_elements)); }

}  // namespace rapt
