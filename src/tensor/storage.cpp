#include "tensor/storage.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tensor/error.h"

#if defined(__SANITIZE_ADDRESS__)
#define RAPT_PLAIN_ALLOCATION 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RAPT_PLAIN_ALLOCATION 1
#endif
#endif

namespace rapt {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kSmall = std::size_t{64} << 10;  // blocks up to this size come from chunks of their own, so that
constexpr std::size_t kSmallChunk = std::size_t{1} << 20;       // they do not break up the large ones
constexpr std::size_t kLargeChunk = std::size_t{4} << 20;       // the least; larger ones waste more
constexpr std::size_t kWorthReturning = std::size_t{32} << 20;  // of a chunk that is also in use

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

// A stretch of a chunk: free or in use. Blocks of a chunk form a list in address order, so that neighbours can be
// joined.
struct Block {
  std::byte* address = nullptr;
  std::size_t size = 0;
  Block* before = nullptr;
  Block* after = nullptr;
  bool free = false;
  bool large = false;
};

struct BySizeThenAddress {
  bool operator()(const Block* a, const Block* b) const {
    return a->size != b->size ? a->size < b->size : a->address < b->address;
  }
};

// Best fit with splitting and joining. Training repeats the same sizes in every update, so best fit settles after the
// first one. Joining keeps the reserved memory close to the true peak if sequence lengths vary; therefore each large
// chunk is placed right before the previous one, where the system allows it, and becomes one with it. If a block is
// missing that begins with free memory, the chunk has only what is missing.
class Pool {
 public:
  static Pool& instance() {
    static Pool* pool = new Pool;  // never destroyed: tensors in static variables may be destroyed later
    return *pool;
  }

  Block* allocate(std::size_t bytes) {
    const std::size_t size = std::max(round_up(bytes, Storage::kAlignment), Storage::kAlignment);
    const std::lock_guard lock(mutex_);
    const bool large = size > kSmall;
    auto& free_blocks = free_[large];
    Block key;
    key.size = size;
    auto found = free_blocks.lower_bound(&key);
    if (found == free_blocks.end()) found = free_blocks.insert(new_block(size, large)).first;
    Block* block = *found;
    free_blocks.erase(found);
    split(block, size);
    block->free = false;
    stats_.live += block->size;
    stats_.peak = std::max(stats_.peak, stats_.live);
    return block;
  }

  void deallocate(Block* block) {
    const std::lock_guard lock(mutex_);
    stats_.live -= block->size;
    block->free = true;
    if (block->after != nullptr && block->after->free) join(block, block->after);
    if (block->before != nullptr && block->before->free) {
      block = block->before;
      join(block, block->after);
    }
    free_[block->large].insert(block);
  }

  void release_unused() {
    const std::lock_guard lock(mutex_);
    for (auto& free_blocks : free_) {
      const std::vector<Block*> blocks(free_blocks.begin(), free_blocks.end());
      for (Block* block : blocks) {
        const bool whole = block->before == nullptr && block->after == nullptr;
        if (whole || block->size >= kWorthReturning) give_back(block);
      }
    }
    lowest_ = nullptr;
  }

  MemoryStats stats() {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

  void reset_peak() {
    const std::lock_guard lock(mutex_);
    stats_.peak = stats_.live;
  }

 private:
  // Gets memory from the system and returns a free block of at least `size` bytes, not yet in the set.
  Block* new_block(std::size_t size, bool large) {
    if (large && lowest_ != nullptr && lowest_->free) {
      Block* const block = new_chunk(size - lowest_->size, large);  // what is missing before it
      if (block->size >= size) return block;
      free_[large].insert(block);  // the system has placed the chunk elsewhere
    }
    return new_chunk(size, large);
  }

  // Gets a chunk from the system and returns it as one free block, not yet in the set.
  Block* new_chunk(std::size_t size, bool large) {
    const std::size_t want = large ? round_up(std::max(size, kLargeChunk), kHugePage) : kSmallChunk;
    std::byte* const wish = large && lowest_ != nullptr ? lowest_->address - want : nullptr;
    void* address = mmap(wish, want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) {
      throw MemoryError("memory: cannot allocate " + std::to_string(want >> 20) + " MB for tensors, " +
                        std::to_string(stats_.live >> 20) +
                        " MB are in use; use a smaller --batch, --context or --width, or --recompute on");
    }
    if (large) madvise(address, want, MADV_HUGEPAGE);
    stats_.reserved += want;
    ++stats_.system_allocations;
    auto* block = new Block;
    block->address = static_cast<std::byte*>(address);
    block->size = want;
    block->free = true;
    block->large = large;
    if (large) put_before_lowest(block);
    return block;
  }

  // Joins a new chunk to the one that begins where it ends, if that is the last one that was made.
  void put_before_lowest(Block* block) {
    Block* const above = std::exchange(lowest_, block);
    if (above == nullptr || block->address + block->size != above->address) return;
    block->after = above;
    above->before = block;
    if (above->free) join(block, above);
  }

  // Returns the whole pages of a free block to the system. What comes before them becomes separate from what comes
  // after.
  void give_back(Block* block) {
    static const auto kPage = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const auto start = reinterpret_cast<std::uintptr_t>(block->address);
    const std::size_t head = round_up(start, kPage) - start;
    const std::size_t tail = (start + block->size) % kPage, pages = block->size - head - tail;
    free_[block->large].erase(block);
    munmap(block->address + head, pages);
    stats_.reserved -= pages;
    if (Block* const after = piece_of(block, head + pages, tail, nullptr, block->after); block->after != nullptr) {
      block->after->before = after;
    }
    if (Block* const before = piece_of(block, 0, head, block->before, nullptr); block->before != nullptr) {
      block->before->after = before;
    }
    delete block;
  }

  // A free block of its own, of `size` bytes from `at` on; nullptr for none.
  Block* piece_of(const Block* block, std::size_t at, std::size_t size, Block* before, Block* after) {
    if (size == 0) return nullptr;
    auto* const piece = new Block(*block);
    piece->address += at;
    piece->size = size;
    piece->before = before;
    piece->after = after;
    free_[piece->large].insert(piece);
    return piece;
  }

  void split(Block* block, std::size_t size) {
    const std::size_t rest = block->size - size;
    const std::size_t worth_keeping = block->large ? kSmall : Storage::kAlignment;
    if (rest < worth_keeping) return;
    auto* tail = new Block(*block);
    tail->address += size;
    tail->size = rest;
    tail->before = block;
    tail->free = true;
    if (block->after != nullptr) block->after->before = tail;
    block->after = tail;
    block->size = size;
    free_[block->large].insert(tail);
  }

  // Joins the free block `second` to its neighbour `first`; whichever of them is in the set is removed from it.
  void join(Block* first, Block* second) {
    free_[first->large].erase(second);
    free_[first->large].erase(first);
    first->size += second->size;
    first->after = second->after;
    if (second->after != nullptr) second->after->before = first;
    delete second;
  }

  std::mutex mutex_;
  std::set<Block*, BySizeThenAddress> free_[2];
  Block* lowest_ = nullptr;  // the first block of the large chunk that was made last
  MemoryStats stats_;
};

}  // namespace

MemoryStats memory_stats() { return Pool::instance().stats(); }
void reset_peak_memory() { Pool::instance().reset_peak(); }
void release_unused_memory() { Pool::instance().release_unused(); }

#ifdef RAPT_PLAIN_ALLOCATION
// Under AddressSanitizer every tensor is a separate allocation, so that an access past its end is detected.
Storage::Storage(std::size_t bytes) : bytes_(bytes) {
  data_ = std::aligned_alloc(kAlignment, std::max(round_up(bytes, kAlignment), kAlignment));
  if (data_ == nullptr) throw MemoryError("memory: cannot allocate " + std::to_string(bytes >> 20) + " MB for tensors");
}
Storage::~Storage() { std::free(data_); }
#else
Storage::Storage(std::size_t bytes) : bytes_(bytes) {
  Block* block = Pool::instance().allocate(bytes);
  data_ = block->address;
  block_ = block;
}
Storage::~Storage() { Pool::instance().deallocate(static_cast<Block*>(block_)); }
#endif

}  // namespace rapt
