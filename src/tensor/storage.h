// Memory of tensors: aligned blocks from a pool that keeps the memory it got from the system.
#pragma once

#include <cstddef>
#include <memory>

namespace rapt {

/// Pool statistics, in bytes. After the first update of a training run, `system_allocations` no longer grows: every
/// later tensor reuses memory that an earlier one released.
struct MemoryStats {
  std::size_t live = 0;                ///< used by tensors now
  std::size_t peak = 0;                ///< the most that tensors used at once
  std::size_t reserved = 0;            ///< obtained from the system, in use or not
  std::size_t system_allocations = 0;  ///< number of allocations from the system
};

MemoryStats memory_stats();

/// Sets `peak` to `live`, so that the peak of a part of the program can be measured.
void reset_peak_memory();

/// Returns unused memory to the system, in stretches of at least 32 MB.
void release_unused_memory();

/// An aligned block of memory: 64-byte alignment, contents undefined, returned to the pool on destruction.
class Storage final {
 public:
  static constexpr std::size_t kAlignment = 64;

  /// \throws MemoryError  if the system has no more memory, with the numbers
  explicit Storage(std::size_t bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

  /// The copy in bf16 that Tensor::narrowed() keeps; null if there is none, or if it is out of date.
  std::shared_ptr<Storage> narrowed = nullptr;

 private:
  void* data_ = nullptr;
  void* block_ = nullptr;  // the pool's own record
  std::size_t bytes_ = 0;
};

}  // namespace rapt
