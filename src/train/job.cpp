#include "train/job.h"

#include "train/choose.h"

namespace rapt {

Job prepare_job(const JobRequest& request) {
  const TrainConfig& config = request.config.values;
  if (request.from == nullptr && config.model == "bert") choose(request.config, "task", "mlm-nsp");
  if (config.task == "lm") return prepare_language_model(request);
  return config.is_labelled() ? prepare_labelled(request) : prepare_masked_words(request);
}

}  // namespace rapt
