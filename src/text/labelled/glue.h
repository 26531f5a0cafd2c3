// The nine tasks of GLUE (Wang, Singh, Michael, Hill, Levy, Bowman 2018, arXiv 1804.07461): what stands in which column
// of their files, and what they are judged by.
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
  std::vector<std::string_view> metrics = {};  ///< names of train/metrics; the first chooses the best model
  std::vector<std::string_view> positive =
      {};  ///< what files call the class whose F1 is meant; empty where F1 is not used
};

/// cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli.
std::span<const GlueTask> glue_tasks();

/// The task of "glue/sst2" or "sst2". \throws UsageError  for another name, with the nearest
const GlueTask& glue_task(std::string_view name);

/// The class among `labels` whose F1 is meant; -1 if the task has none.
std::int32_t positive_class(const GlueTask& task, const LabelVocabulary& labels);

/// How to read one file of the task. Where the first row is a header, columns go by their names, those of GLUE's files
/// or of the usual other forms ("text_a", "sentence1" ...); else by the number of cells: GLUE's published positions,
/// and for stsb also the form sentence1, sentence2, score. JSON lines go by their keys.
///
/// \throws DataError  if the file has none of these forms, with what the task expects
LabelledTextOptions glue_options(const GlueTask& task, const Input& input, bool labels_required = true);

}  // namespace rapt
