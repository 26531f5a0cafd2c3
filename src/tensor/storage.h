// Where tensors live: aligned memory from a pool that keeps what it once got from the system.
#pragma once

#include <cstddef>
#include <memory>

namespace rapt {

/// What the pool holds, in bytes. After the first update of a training run `system_allocations` stands still: every
/// later tensor is served from memory that an earlier one gave back.
struct MemoryStats {
  std::size_t live = 0;                ///< in tensors now
  std::size_t peak = 0;                ///< the most that was in tensors at once
  std::size_t reserved = 0;            ///< taken from the system, live or not
  std::size_t system_allocations = 0;  ///< how often the system was asked
};

MemoryStats memory_stats();

/// Sets `peak` to `live`, so that the peak of a stretch of work can be read.
void reset_peak_memory();

/// Gives memory that no tensor uses back to the system, as far as whole chunks are free.
void release_unused_memory();

/// An aligned block of memory: 64 bytes aligned, contents undefined, given back to the pool when destroyed.
class Storage final {
 public:
  static constexpr std::size_t kAlignment = 64;

  /// \throws MemoryError  when the system has no more, with the numbers
  explicit Storage(std::size_t bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  void* block_ = nullptr;  // the pool's own record
  std::size_t bytes_ = 0;
};

}  // namespace rapt
