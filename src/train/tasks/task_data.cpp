#include "train/tasks/task_data.h"

#include "tensor/error.h"

namespace rapt {

std::unique_ptr<TaskData> open_data(const TrainConfig& config, const Notice& notice, const DataFiles* known) {
  if (config.objective() == Objective::kNextToken) return open_language_model_data(config, notice, known);
  if (config.has_source()) return open_pair_data(config, known);
  return config.is_labelled() ? open_labelled_data() : open_masked_words_data(config, notice, known);
}

Dim shared_vocabulary(Dim in_data, Dim known) {
  if (known == 0) return in_data;
  if (known < in_data) {
    throw DataError("train: the data has token ids up to " + std::to_string(in_data - 1) +
                    ", the model of --init knows " + std::to_string(known));
  }
  return known;
}

}  // namespace rapt
