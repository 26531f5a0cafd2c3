#include "train/optimise/profile.h"

#include <fmt/format.h>

#include <algorithm>

namespace rapt {

using Clock = std::chrono::steady_clock;

void Profile::start() {
  last_ = Clock::now();
  work_before_ = work_done();
}

void Profile::take(Part& part) {
  const Clock::time_point now = Clock::now();
  const Work work = work_done();
  ++part.calls;
  part.seconds += std::chrono::duration<double>(now - last_).count();
  part.work.flop += work.flop - work_before_.flop;
  part.work.bytes += work.bytes - work_before_.bytes;
  last_ = now;
  work_before_ = work;
}

void Profile::end_update() {
  in_update("other");
  ++updates_;
}

void Profile::forward_done(const char* op, std::span<const Variable> /*inputs*/, std::span<const Tensor> /*outputs*/) {
  take(ops_[op].forward);
}

void Profile::backward_done(const char* op, std::span<const std::shared_ptr<Gradient>> /*inputs*/) {
  take(ops_[op].backward);
}

double Profile::update_seconds() const {
  double seconds = 0;
  for (const auto& [name, op] : ops_) seconds += op.forward.seconds + op.backward.seconds;
  for (const auto& [name, part] : update_parts_) seconds += part.seconds;
  return updates_ == 0 ? 0 : seconds / static_cast<double>(updates_);
}

std::vector<Profile::Op> Profile::ops() const {
  std::vector<Op> sorted;
  for (const auto& [name, op] : ops_) sorted.push_back({name, op.forward, op.backward});
  std::ranges::stable_sort(sorted, std::greater<>(),
                           [](const Op& op) { return op.forward.seconds + op.backward.seconds; });
  return sorted;
}

namespace {

// "97.0 GFLOP/s" for ops with products, "11.3 GB/s" for ops that move memory.
std::string rate_of(const Profile::Part& part) {
  if (part.seconds <= 0) return "-";
  if (part.work.flop > 0) return fmt::format("{:.1f} GFLOP/s", part.work.flop / part.seconds * 1e-9);
  if (part.work.bytes > 0) return fmt::format("{:.1f} GB/s", part.work.bytes / part.seconds * 1e-9);
  return "-";
}

// Milliseconds, share and rate; blank if it never ran.
std::string columns(const Profile::Part& part, double updates, double update_seconds) {
  if (part.calls == 0) return fmt::format("{:>38}", "");
  const double seconds = part.seconds / updates;
  return fmt::format("{:>13.3f} {:>7.1f} % {:>14}", seconds * 1e3, 100 * seconds / update_seconds, rate_of(part));
}

void add(Profile::Part& sum, const Profile::Part& part) {
  sum.calls += part.calls;
  sum.seconds += part.seconds;
  sum.work.flop += part.work.flop;
  sum.work.bytes += part.work.bytes;
}

std::string without_trailing_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string Profile::table(double sgemm_peak) const {
  if (updates_ == 0) return "profile: no update was done\n";
  const double updates = static_cast<double>(updates_), update = update_seconds();
  const auto row = [&](const std::string& name, const std::string& calls, const Part& forward, const Part& backward) {
    return without_trailing_blanks(fmt::format("{:<24}{:>6}{}{}", name, calls, columns(forward, updates, update),
                                               " " + columns(backward, updates, update)));
  };
  std::string text =
      fmt::format("profile of {} update{}, {:.3f} ms each", updates_, updates_ == 1 ? "" : "s", update * 1e3);
  if (sgemm_peak > 0) text += fmt::format("; sgemm peak {:.1f} GFLOP/s", sgemm_peak * 1e-9);
  text += fmt::format("\n{:<24}{:>6}{:>13} {:>9} {:>14}{:>13} {:>9} {:>14}\n", "op", "calls", "forward ms", "share",
                      "rate", "backward ms", "share", "rate");
  Part forward, backward;
  for (const Op& op : ops()) {
    text +=
        row(op.name, fmt::format("{:.0f}", static_cast<double>(op.forward.calls) / updates), op.forward, op.backward);
    add(forward, op.forward);
    add(backward, op.backward);
  }
  text += row("all ops", "", forward, backward);
  for (const auto& [name, part] : update_parts_) text += row(name, "", part, {});
  std::string outside;
  for (const auto& [name, part] : other_parts_) {
    outside += fmt::format("{}{} {:.2f} s", outside.empty() ? "outside of updates: " : ", ", name, part.seconds);
  }
  return outside.empty() ? text : text + outside + "\n";
}

}  // namespace rapt
