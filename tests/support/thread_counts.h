// Runs something on one thread and on several, to compare the bits.
#pragma once

#include <cstring>

#include "tensor/parallel.h"
#include "tensor/tensor.h"

namespace rapt::testing {

/// Uses `count` threads during its lifetime.
class WithThreads {
 public:
  explicit WithThreads(int count) : before_(thread_count()) { set_thread_count(count); }
  ~WithThreads() { set_thread_count(before_); }
  WithThreads(const WithThreads&) = delete;
  WithThreads& operator=(const WithThreads&) = delete;

 private:
  int before_;
};

/// f() on `count` threads.
template <typename F>
auto on_threads(int count, F&& f) {
  const WithThreads threads(count);
  return f();
}

/// Whether two tensors are equal in shape, type and every bit.
inline bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.defined() != b.defined()) return false;
  if (!a.defined()) return true;
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

inline bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_bits(a[i], b[i])) return false;
  }
  return true;
}

}  // namespace rapt::testing
