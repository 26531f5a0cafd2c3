// The second of the two steps at the start of a run: building. The materials of a run are the model it starts from, its
// data and the machine. Each is opened once, when its settings are known: to provide facts while a new run is settled,
// and to build the run afterwards.
#pragma once

#include <memory>
#include <optional>

#include "train/files/checkpoint_file.h"
#include "train/files/pretrained.h"
#include "train/tasks/task_data.h"

namespace rapt {

class Materials final : public Facts {
 public:
  /// \param folder  holds the tokenised data
  /// \param from    the checkpoint to continue from; nullptr: a new run
  /// \param known   digests of the data's files that were computed before
  /// \param processes  that will train together, each as fast as this one
  Materials(RunFolder folder, const CheckpointFile* from, Notice notice, std::optional<DataFiles> known = {},
            int processes = 1);

  /// \throws MissingInputError, DataError  as open_pretrained
  /// \throws UsageError  for a model of another kind than the task needs
  StartFacts start(const TrainConfig& config) override;
  std::optional<CorpusInfo> text(const TrainConfig& config) override;
  std::optional<MaskingOptions> masking(const TrainConfig& config) override;
  DataFacts data(const TrainConfig& config, Start start) override;
  double peak() override;
  BatchFacts batches(const TrainConfig& config) override;
  bool has_bf16() override;
  Pace pace(const TrainConfig& config) override;

  /// Makes the job of a complete configuration and chooses nothing. The network has its initial weights, or the
  /// checkpoint's. Reads the data of a run that goes on; of a new one, settling has.
  /// \throws Error  as rapt train does (run.h)
  Job build(const TrainConfig& config);

 private:
  TaskData& opened(const TrainConfig& config);
  void read(const TrainConfig& config, Start start);
  VocabularySizes vocabulary() const;
  std::unique_ptr<AnyNetwork> first_network(const TrainConfig& config);

  RunFolder folder_;
  const CheckpointFile* from_;
  Notice notice_;
  std::optional<DataFiles> known_;
  int processes_;
  Pretrained start_;  // of --init; empty if there is none
  std::unique_ptr<TaskData> data_;
};

}  // namespace rapt
