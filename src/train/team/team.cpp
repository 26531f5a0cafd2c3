#include "train/team/team.h"

#include <sched.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <limits>

#include "io/host_name.h"
#include "tensor/error.h"
#include "train/team/launch.h"

namespace rapt {

Team Team::launched(double patience) {
  Team team;
  const std::optional<Launch> launch = find_launch();
  if (!launch) return team;
  const std::string processes = launch->by + (" started " + std::to_string(launch->size)) + " processes";
  if (!Transport::available()) {
    throw UsageError("rapt was built without MPI, and " + processes +
                     "; install libopenmpi-dev and build again, or start it alone");
  }
  const auto size = static_cast<unsigned>(launch->size);
  if (!std::has_single_bit(size)) {
    throw UsageError(processes + ", but their number must be a power of two; start " +
                     std::to_string(std::bit_floor(size)) + " or " + std::to_string(std::bit_ceil(size)));
  }
  team.transport_ = std::make_unique<Transport>(patience);
  const std::vector<std::string> hosts = team.gather(host_name());
  for (int rank = 0; rank < team.size(); ++rank) {
    team.names_.push_back("rank " + std::to_string(rank) + " (" + hosts[static_cast<std::size_t>(rank)] + ")");
  }
  return team;
}

int Team::sharing_processors() {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  sched_getaffinity(0, sizeof usable, &usable);
  std::string place = host_name();
  place.append(reinterpret_cast<const char*>(&usable), sizeof usable);
  const std::vector<std::string> places = gather(place);
  return static_cast<int>(std::count(places.begin(), places.end(), place));
}

const std::string& Team::name(int rank) const {
  static const std::string none;
  return names_.empty() ? none : names_[static_cast<std::size_t>(rank)];
}

void Team::exchange(int partner, std::span<const std::byte> out, std::span<std::byte> in) {
  transport_->exchange(partner, out.data(), out.size(), in.data(), in.size());
}

double Team::measure_rate() {
  using Clock = std::chrono::steady_clock;
  constexpr int kRounds = 8;
  std::vector<std::byte> out(std::size_t{32} << 20), in(out.size());
  double slowest = std::numeric_limits<double>::infinity();
  for (int d = 1; d < size(); d *= 2) {
    exchange(rank() ^ d, out, in);  // the first one sets up the connection
    const auto start = Clock::now();
    for (int round = 0; round < kRounds; ++round) exchange(rank() ^ d, out, in);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    slowest = std::min(slowest, kRounds * static_cast<double>(out.size()) / seconds);
  }
  return std::ranges::min(gather(slowest));
}

// After the step of distance d, everybody has the values of 2 d neighbours.
void Team::gather_bytes(void* all, std::size_t bytes) {
  auto* const values = static_cast<std::byte*>(all);
  for (int d = 1; d < size(); d *= 2) {
    const auto group = [&](int rank) {
      return std::span(values + static_cast<std::size_t>(rank / d * d) * bytes, static_cast<std::size_t>(d) * bytes);
    };
    exchange(rank() ^ d, group(rank()), group(rank() ^ d));
  }
}

std::vector<std::string> Team::gather(const std::string& mine) {
  const std::vector<std::size_t> sizes = gather(mine.size());
  const std::size_t longest = *std::max_element(sizes.begin(), sizes.end());
  std::string all(sizes.size() * longest, '\0');
  std::memcpy(all.data() + static_cast<std::size_t>(rank()) * longest, mine.data(), mine.size());
  gather_bytes(all.data(), longest);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < sizes.size(); ++i) texts.push_back(all.substr(i * longest, sizes[i]));
  return texts;
}

std::vector<std::string> Team::gather_in_turn(const std::vector<std::string>& mine) {
  std::string packed;  // each text after its length
  for (const std::string& text : mine) {
    const std::size_t size = text.size();
    packed.append(reinterpret_cast<const char*>(&size), sizeof size).append(text);
  }
  const std::vector<std::string> all = gather(packed);
  std::vector<std::size_t> at(all.size());
  std::vector<std::string> texts;
  for (std::size_t rank = 0; at[rank] < all[rank].size(); rank = (rank + 1) % all.size()) {
    std::size_t size = 0;
    std::memcpy(&size, all[rank].data() + at[rank], sizeof size);
    texts.push_back(all[rank].substr(at[rank] + sizeof size, size));
    at[rank] += sizeof size + size;
  }
  return texts;
}

// Those who have the bytes, the multiples of 2 d, give them to their neighbours at distance d.
void Team::broadcast_bytes(std::span<std::byte> bytes) {
  for (int d = size() / 2; d > 0; d /= 2) {
    if (rank() % (2 * d) == 0) exchange(rank() + d, bytes, {});
    if (rank() % (2 * d) == d) exchange(rank() - d, {}, bytes);
  }
}

std::string Team::broadcast(std::string text) {
  text.resize(broadcast(text.size()));
  broadcast_bytes(std::as_writable_bytes(std::span(text.data(), text.size())));
  return text;
}

void Team::abort(int code) {
  if (transport_ != nullptr) transport_->abort(code);
}

}  // namespace rapt
