#include "text/tokenizer/bpe.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace rapt {

namespace {

constexpr std::size_t kScanLimit = 48;
constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

}  // namespace

BpeMerges::BpeMerges(std::span<const BpeMerge> merges) : size_(merges.size()) {
  // At most half full, so that a search takes one or two slots.
  const std::size_t slots = std::bit_ceil(std::max<std::size_t>(16, merges.size() * 2));
  shift_ = 64 - std::countr_zero(slots);
  slots_.resize(slots);
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::uint64_t pair = pair_of(merges[rank].left, merges[rank].right);
    std::size_t i = home_of(pair);
    while (slots_[i].pair != kNoPair && slots_[i].pair != pair) i = (i + 1) & (slots - 1);
    slots_[i] = {pair, static_cast<std::uint32_t>(rank), merges[rank].result};
  }
}

inline const BpeMerges::Slot* BpeMerges::find(std::int32_t left, std::int32_t right) const {
  const std::uint64_t pair = pair_of(left, right);
  for (std::size_t i = home_of(pair);; i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i].pair == pair) return &slots_[i];
    if (slots_[i].pair == kNoPair) return nullptr;
  }
}

void BpeMerges::apply(std::vector<std::int32_t>& symbols, BpeWorkspace& workspace) const {
  if (symbols.size() < 2 || size_ == 0) return;
  if (symbols.size() <= kScanLimit) {
    apply_by_scanning(symbols, workspace);
  } else {
    apply_by_heap(symbols, workspace, nullptr);
  }
}

void BpeMerges::apply(std::vector<std::int32_t>& symbols, BpeWorkspace& workspace, MergeDropout& dropout) const {
  if (symbols.size() >= 2 && size_ > 0) apply_by_heap(symbols, workspace, &dropout);
}

void BpeMerges::apply_by_scanning(std::vector<std::int32_t>& symbols, BpeWorkspace& workspace) const {
  std::size_t n = symbols.size();
  workspace.ranks.resize(n);
  workspace.results.resize(n);
  std::uint32_t* const ranks = workspace.ranks.data();  // ranks[i]: rank of the pair that starts at symbol i
  std::int32_t* const results = workspace.results.data();
  const auto look_up = [&](std::size_t i) {
    const Slot* slot = find(symbols[i], symbols[i + 1]);
    ranks[i] = slot == nullptr ? kNoRank : slot->rank;
    results[i] = slot == nullptr ? 0 : slot->result;
  };
  for (std::size_t i = 0; i + 1 < n; ++i) look_up(i);
  while (n > 1) {
    const auto best = static_cast<std::size_t>(std::min_element(ranks, ranks + n - 1) - ranks);
    if (ranks[best] == kNoRank) break;
    symbols[best] = results[best];
    // Removes the symbol after `best`, and with it one pair.
    std::copy(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 2, symbols.begin() + static_cast<std::ptrdiff_t>(n),
              symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    std::copy(ranks + best + 1, ranks + n - 1, ranks + best);
    std::copy(results + best + 1, results + n - 1, results + best);
    --n;
    if (best > 0) look_up(best - 1);
    if (best + 1 < n) look_up(best);
  }
  symbols.resize(n);
}

void BpeMerges::apply_by_heap(std::vector<std::int32_t>& symbols, BpeWorkspace& workspace,
                              MergeDropout* dropout) const {
  const auto n = static_cast<std::uint32_t>(symbols.size());
  auto& heap = workspace.heap;
  auto& left_out = workspace.left_out;  // of the current step only
  auto& previous = workspace.previous;
  auto& next = workspace.next;  // of a symbol that has been merged away: itself
  heap.clear();
  left_out.clear();
  previous.resize(n);
  next.resize(n);
  const auto comes_later = [](const BpeWorkspace::Candidate& a, const BpeWorkspace::Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  };
  for (std::uint32_t i = 0; i < n; ++i) {
    previous[i] = i == 0 ? kNone : i - 1;
    next[i] = i + 1 == n ? kNone : i + 1;
    if (i + 1 == n) continue;
    if (const Slot* slot = find(symbols[i], symbols[i + 1])) heap.push_back({slot->rank, i, slot->result});
  }
  std::make_heap(heap.begin(), heap.end(), comes_later);
  const auto offer = [&](std::uint32_t i) {
    if (const Slot* slot = find(symbols[i], symbols[next[i]])) {
      heap.push_back({slot->rank, i, slot->result});
      std::push_heap(heap.begin(), heap.end(), comes_later);
    }
  };
  while (!heap.empty()) {
    const BpeWorkspace::Candidate top = heap.front();
    std::pop_heap(heap.begin(), heap.end(), comes_later);
    heap.pop_back();
    const std::uint32_t i = top.position, j = next[i];
    if (j == i || j == kNone) continue;
    // A neighbour may have changed since this was pushed.
    const Slot* slot = find(symbols[i], symbols[j]);
    if (slot == nullptr || slot->rank != top.rank) continue;
    if (dropout != nullptr && dropout->rng.uniform() < dropout->probability) {
      left_out.push_back(top);
      continue;
    }
    for (const BpeWorkspace::Candidate& again : left_out) {
      heap.push_back(again);
      std::push_heap(heap.begin(), heap.end(), comes_later);
    }
    left_out.clear();
    symbols[i] = top.result;
    next[i] = next[j];
    if (next[j] != kNone) previous[next[j]] = i;
    next[j] = j;
    if (previous[i] != kNone) offer(previous[i]);
    if (next[i] != kNone) offer(i);
  }
  std::size_t kept = 0;
  for (std::uint32_t i = 0; i != kNone; i = next[i]) symbols[kept++] = symbols[i];
  symbols.resize(kept);
}

}  // namespace rapt
