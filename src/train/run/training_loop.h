// The training loop of a prepared run: updates, and between them reports, validations, samples and checkpoints.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "train/files/checkpoint.h"
#include "train/optimise/finite_check.h"
#include "train/optimise/profile.h"
#include "train/optimise/trainer.h"
#include "train/run/run.h"
#include "train/run/run_start.h"
#include "train/tasks/job.h"

namespace rapt {

class TrainingLoop final {
 public:
  /// \param request, signals  must outlive this object
  TrainingLoop(const RunRequest& request, const StopSignals& signals, RunFolder folder, Beginning beginning);

  /// Trains to the end of the run, or until a signal arrives.
  /// \throws Error  as run_training does
  RunResult run();

 private:
  void announce();
  RunResult updates();
  RunClock clock() const;
  double seconds() const;
  bool due(const Period& period, const RunClock& before, const RunClock& now) const;
  std::string end_reason() const;
  UpdateReport report(const UpdateResult& update) const;
  bool validate(bool last);
  Evaluation evaluate(std::int64_t tokens);
  bool try_average();
  void spent_on(const char* part);
  UpdateResult update();
  std::string advice(UpdateError::Cause cause) const;
  void sample();
  void save(bool best);
  CheckpointTexts texts() const;
  RunResult result(std::string reason, bool finished) const;

  const RunRequest& request_;
  const StopSignals& signals_;
  RunFolder folder_;
  TrainConfig config_;
  RunInputs inputs_;
  Job job_;
  std::int64_t total_steps_;
  Trainer trainer_;
  MetricsLog metrics_;
  Progress progress_;
  double earlier_seconds_ = 0;
  std::string parent_;
  std::string from_;  // path of the checkpoint that the run continues from; "": a new run
  int signal_ = 0;    // that arrived at any process
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double peak_ = 0;               // sgemm, operations per second
  double sitting_tokens_ = 0;     // of this session, and
  double sitting_seconds_ = 0;    // the time of its updates
  std::int64_t last_saved_ = -1;  // update of the newest checkpoint; -1: none yet
  std::optional<Profile> profile_;
};

}  // namespace rapt
