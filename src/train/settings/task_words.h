// The values of --task and their meanings.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "nn/models/task.h"
#include "nn/objective.h"

namespace rapt {

struct TaskWord {
  const char* name;
  Objective objective;
  std::optional<Task> task = {};  ///< for Objective::kLabels
};

/// lm, translate, summarize, mlm, mlm-nsp, the labelled tasks, and embed for a network without a head.
std::span<const TaskWord> task_words();

/// \throws UsageError  for an unknown word, listing the known ones
const TaskWord& find_task_word(std::string_view name);

/// One of the labelled tasks. \throws UsageError  for any other word, listing them
Task task_named(std::string_view name);

/// The --task of a network with this objective. \param task  for Objective::kLabels
const char* task_word(Objective objective, Task task);

}  // namespace rapt
