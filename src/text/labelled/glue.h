// The nine tasks of GLUE (Wang, Singh, Michael, Hill, Levy, Bowman 2018, arXiv 1804.07461): the columns of their files
// and their metrics.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/labelled/labels.h"
#include "text/labelled/texts.h"

namespace rapt {

struct GlueTask {
  std::string_view name;  ///< "sst2"
  std::string_view about;
  LabelKind labels = LabelKind::kClass;
  bool pairs = false;
  std::vector<std::string_view> metrics = {};  ///< names of train/metrics; the first one selects the best model
  std::vector<std::string_view> positive =
      {};  ///< names in files of the class that F1 refers to; empty if F1 is not used
};

/// cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli.
std::span<const GlueTask> glue_tasks();

/// The task of "glue/sst2" or "sst2". \throws UsageError  for another name, with the nearest
const GlueTask& glue_task(std::string_view name);

/// The class among `labels` that F1 refers to; -1 if the task has none.
std::int32_t positive_class(const GlueTask& task, const LabelVocabulary& labels);

/// How to read one file of the task. If the first row is a header, columns are found by name, GLUE's own or other
/// common names ("text_a", "sentence1" ...). Otherwise by the number of cells: GLUE's published positions, and for stsb
/// also the form sentence1, sentence2, score. JSON lines are read by their keys.
///
/// \throws DataError  if the file has none of these forms, with the expected ones
LabelledTextOptions glue_options(const GlueTask& task, const Input& input, bool labels_required = true);

}  // namespace rapt
