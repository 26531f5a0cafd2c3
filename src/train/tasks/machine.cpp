#include "train/tasks/machine.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <numeric>
#include <string>

#include "tensor/matmul.h"
#include "tensor/parallel.h"
#include "tensor/precision.h"
#include "tensor/tensor.h"

namespace rapt {
namespace {

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The number after `key` in a /proc file of "Key: 123 kB" lines, in bytes; 0 if there is none.
std::uint64_t proc_value(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1)) * 1024;
  }
  return 0;
}

}  // namespace

// For operands of type T.
template <typename T>
static double measure_product_peak() {
  constexpr Dim kSide = 1024;
  const Tensor a = Tensor::full({kSide, kSide}, 0.5, dtype_of<T>), b = Tensor::full({kSide, kSide}, 0.25, dtype_of<T>);
  Tensor c = Tensor::empty({kSide, kSide});
  const auto product = [&] {
    matmul<float, T>({c.data<float>(), kSide, kSide}, {a.data<T>(), kSide, kSide}, Transpose::kNo,
                     {b.data<T>(), kSide, kSide}, Transpose::kNo, Write::kAssign);
  };
  product();
  static double fastest = 1e300;  // of all measurements: another program can make one slower, but never faster
  double best = fastest, spent = 0;
  for (int round = 0; round < 3 || spent < 0.1; ++round) {
    const double seconds = seconds_of(product);
    best = std::min(best, seconds);
    spent += seconds;
  }
  fastest = best;
  return 2.0 * kSide * kSide * kSide / best;
}

double measure_sgemm_peak() {
  return product_precision() == Precision::kBf16 ? measure_product_peak<Bf16>() : measure_product_peak<float>();
}

double measure_read_bandwidth() {
  constexpr Dim kFloats = Dim{64} << 20;  // 256 MB: larger than the caches it would hide in
  Tensor data = Tensor::empty({kFloats});
  float* const x = data.data<float>();
  parallel_blocks(kFloats, 1 << 18, [&](Dim begin, Dim end) { std::fill(x + begin, x + end, 1.0f); });
  double best = 1e300;
  for (int round = 0; round < 4; ++round) {
    best = std::min(best, seconds_of([&] {
                      parallel_blocks(kFloats, 1 << 18, [&](Dim begin, Dim end) {
                        float sums[64] = {};
                        for (Dim i = begin; i + 64 <= end; i += 64) {
                          for (Dim line = 0; line < 64; line += 16) __builtin_prefetch(x + i + line + 1024, 0, 2);
                          for (Dim lane = 0; lane < 64; ++lane) sums[lane] += x[i + lane];
                        }
                        // Every lane is used; otherwise the compiler would remove the reads of the unused ones.
                        volatile float sink = std::accumulate(std::begin(sums), std::end(sums), 0.0f);
                        (void)sink;
                      });
                    }));
  }
  data = Tensor();
  release_unused_memory();
  return static_cast<double>(kFloats) * sizeof(float) / best;
}

std::uint64_t resident_memory() { return proc_value("/proc/self/status", "VmRSS"); }

std::uint64_t peak_resident_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::uint64_t available_memory() {
  std::uint64_t available = proc_value("/proc/meminfo", "MemAvailable");
  // A container's limit can be lower than the machine's memory.
  std::ifstream limit_file("/sys/fs/cgroup/memory.max"), used_file("/sys/fs/cgroup/memory.current");
  std::uint64_t limit = 0, used = 0;
  if (limit_file >> limit && used_file >> used && limit > used) available = std::min(available, limit - used);
  return available;
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

}  // namespace rapt
