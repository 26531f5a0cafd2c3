// The pool: blocks are split, joined when they are returned, and aligned.
#include "tensor/storage.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

using namespace rapt;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPooled = false;  // there, every tensor is a separate allocation
#else
constexpr bool kPooled = true;
#endif

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

std::uintptr_t address(const Storage& block) { return reinterpret_cast<std::uintptr_t>(block.data()); }

}  // namespace

TEST_CASE("blocks are aligned, as large as asked for, and do not overlap") {
  std::vector<std::unique_ptr<Storage>> blocks;
  std::mt19937 random(3);
  for (int i = 0; i < 200; ++i) {
    blocks.push_back(std::make_unique<Storage>(random() % (i % 2 == 0 ? 3000 : 300000)));
    CHECK(address(*blocks.back()) % Storage::kAlignment == 0);
    std::memset(blocks.back()->data(), i, blocks.back()->bytes());
    if (i % 3 == 2) blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(random() % blocks.size()));
  }
  for (const auto& block : blocks) {
    const auto* const bytes = static_cast<const unsigned char*>(block->data());
    CHECK(std::all_of(bytes, bytes + block->bytes(), [&](unsigned char byte) { return byte == bytes[0]; }));
  }
}

TEST_CASE("a chunk cut into pieces is one block again when all came back, in whatever order they come") {
  if (!kPooled) return;
  for (const std::size_t piece : {std::size_t{64}, std::size_t{16} << 10, std::size_t{100} << 10, 4 * kMegabyte}) {
    CAPTURE(piece);
    for (int order = 0; order < 4; ++order) {
      CAPTURE(order);
      release_unused_memory();
      const MemoryStats before = memory_stats();
      // More than is left in any chunk used by other tests: the last chunks hold only these.
      std::vector<std::unique_ptr<Storage>> pieces;
      while (memory_stats().system_allocations < before.system_allocations + 2 || pieces.size() % 4 != 0)
        pieces.push_back(std::make_unique<Storage>(piece));
      CHECK(memory_stats().live >= before.live + pieces.size() * piece);  // a rest too small to split stays
      CHECK(memory_stats().reserved > before.reserved);
      std::mt19937 random(static_cast<unsigned>(order));
      if (order == 1) std::ranges::reverse(pieces);
      if (order > 1) std::ranges::shuffle(pieces, random);
      for (auto& block : pieces) block.reset();
      CHECK(memory_stats().live == before.live);
      // Only chunks that are one free block are returned to the system.
      release_unused_memory();
      CHECK(memory_stats().reserved == before.reserved);
    }
  }
}

TEST_CASE("what one tensor gave back serves the next of its size, and the peak is the most at once") {
  if (!kPooled) return;
  { const Storage first(5 * kMegabyte); }
  const std::size_t asked = memory_stats().system_allocations;
  const void* place = nullptr;
  reset_peak_memory();
  const std::size_t before = memory_stats().live;
  for (int i = 0; i < 5; ++i) {
    const Storage again(5 * kMegabyte);
    if (place == nullptr) place = again.data();
    CHECK(again.data() == place);
  }
  CHECK(memory_stats().system_allocations == asked);
  CHECK(memory_stats().peak == before + 5 * kMegabyte);
  CHECK(memory_stats().live == before);
}

TEST_CASE("if free memory is too small for a block, the pool adds only what is missing") {
  if (!kPooled) return;
  release_unused_memory();
  { const Storage first(20 * kMegabyte); }
  const std::size_t reserved = memory_stats().reserved;
  const Storage larger(60 * kMegabyte);
  std::memset(larger.data(), 7, larger.bytes());
  CHECK(memory_stats().reserved == reserved + 40 * kMegabyte);
}

TEST_CASE("updates with batches of different sizes need little more than the largest of them") {
  if (!kPooled) return;
  release_unused_memory();
  reset_peak_memory();
  const MemoryStats before = memory_stats();
  std::mt19937 random(5);
  for (int update = 0; update < 300; ++update) {
    const std::size_t tokens = 4000 + random() % 4000;
    std::vector<std::unique_ptr<Storage>> kept;
    const auto tensor = [&](std::size_t width) { return std::make_unique<Storage>(tokens * width * 4); };
    for (int layer = 0; layer < 6; ++layer) {
      for (const std::size_t width : {256, 768, 1024, 256, 512}) kept.push_back(tensor(width));
      const auto passing = tensor(1536);
    }
    std::unique_ptr<Storage> gradient;
    while (!kept.empty()) {
      auto next = tensor(256 + random() % 1024);
      gradient = std::move(next);
      kept.pop_back();
    }
  }
  const MemoryStats after = memory_stats();
  const double grown = static_cast<double>(after.reserved - before.reserved);
  CHECK(grown <= 1.15 * static_cast<double>(after.peak - before.live));
}

TEST_CASE("memory that no tensor uses goes back to the system, memory in use does not") {
  if (!kPooled) return;
  const Storage used(kMegabyte);
  std::memset(used.data(), 7, used.bytes());
  { const Storage unused(100 * kMegabyte); }
  const std::size_t reserved = memory_stats().reserved;
  release_unused_memory();
  CHECK(memory_stats().reserved <= reserved - 100 * kMegabyte);
  CHECK(static_cast<const unsigned char*>(used.data())[kMegabyte - 1] == 7);
}
