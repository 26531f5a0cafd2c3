// Shared by eval and predict: a model with a task head, and labelled data read as in its run.
#pragma once

#include <vector>

#include "options.h"
#include "train/files/pretrained.h"
#include "train/labelled/labelled_data.h"

namespace rapt::app {

/// Options for the columns of the data, which override the model's own.
std::vector<Option> labelled_input_options();

/// The settings of the model's run, overridden by the options.
/// \throws UsageError  if the number of --labels differs from the model's
TrainConfig labelled_config(const Arguments& arguments, const Pretrained& model);

enum class LabelledUse {
  kJudge,    ///< labels are required; those that the model does not know count as wrong
  kPredict,  ///< labels are optional, and are copied like other columns
};

/// The files, read in pieces as the model's run would; `-` is standard input, which is predicted as it arrives.
LabelledStream open_labelled(const std::vector<std::string>& files, const Arguments& arguments, const Pretrained& model,
                             const TrainConfig& config, LabelledUse use);

}  // namespace rapt::app
