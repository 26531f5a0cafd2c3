#include "tensor/work.h"

#include "tensor/parallel.h"

namespace rapt {

static thread_local Work t_work;

Work work_done() { return t_work; }

void count_flop(double flop) {
  if (!inside_parallel()) t_work.flop += flop;
}

void detail::count_bytes(double bytes) {
  if (!inside_parallel()) t_work.bytes += bytes;
}

}  // namespace rapt
