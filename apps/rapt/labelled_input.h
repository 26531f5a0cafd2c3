// What eval and predict share: a model with a task's head, and labelled data as its run read them.
#pragma once

#include <vector>

#include "options.h"
#include "train/files/pretrained.h"
#include "train/labelled/labelled_data.h"

namespace rapt::app {

/// Options that say what the columns of the data are, where the model does not know.
std::vector<Option> labelled_input_options();

/// The settings of the model's run, with what the options say instead.
/// \throws UsageError  --labels that are not as many as the model has
TrainConfig labelled_config(const Arguments& arguments, const Pretrained& model);

enum class LabelledUse {
  kJudge,    ///< labels must be there; those that the model does not know count as wrong
  kPredict,  ///< labels may be missing, and are carried through as other columns are
};

/// The files as the model reads them, piece by piece; `-` is standard input, which is predicted as it comes.
LabelledStream open_labelled(const std::vector<std::string>& files, const Arguments& arguments, const Pretrained& model,
                             const TrainConfig& config, LabelledUse use);

}  // namespace rapt::app
