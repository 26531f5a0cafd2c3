// Where the time of updates goes: op by op, forward and backward, and between ops.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "autograd/variable.h"
#include "tensor/work.h"

namespace rapt {

/// A stopwatch that never stops: each part gets the time since the end of the previous part, so the parts add up to the
/// whole. The time of an op therefore includes the work of its layer before it.
class Profile final : public OpObserver {
 public:
  struct Part {
    std::int64_t calls = 0;
    double seconds = 0;
    Work work;
  };
  struct Op {
    std::string name;
    Part forward, backward;
  };

  Profile() { start(); }

  /// Starts the stopwatch: earlier time is ignored.
  void start();

  /// A part of an update has ended: "data", "optimizer".
  void in_update(const char* part) { take(update_parts_[part]); }
  /// Something outside of updates has ended: "validation", "checkpoints".
  void outside(const char* part) { take(other_parts_[part]); }
  /// An update has ended. The time since its last part is "other".
  void end_update();

  void forward_done(const char* op, std::span<const Variable> inputs, std::span<const Tensor> outputs) override;
  void backward_done(const char* op, std::span<const std::shared_ptr<Gradient>> inputs) override;

  std::int64_t updates() const { return updates_; }
  /// Seconds per update, on average.
  double update_seconds() const;
  /// Sorted by time, longest first.
  std::vector<Op> ops() const;
  /// By name.
  const std::map<std::string, Part>& update_parts() const { return update_parts_; }

  /// The lines of a table. \param sgemm_peak  operations per second; 0 if unknown
  std::string table(double sgemm_peak = 0) const;

 private:
  void take(Part& part);

  std::map<std::string, Op> ops_;
  std::map<std::string, Part> update_parts_, other_parts_;
  std::int64_t updates_ = 0;
  std::chrono::steady_clock::time_point last_;
  Work work_before_;
};

}  // namespace rapt
