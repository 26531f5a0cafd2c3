// The words of --task, and what each of them stands for.
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
  std::optional<Task> task = {};  ///< of Objective::kLabels
};

/// lm, mlm, mlm-nsp, the labelled tasks, and embed for a network without a head.
std::span<const TaskWord> task_words();

/// \throws UsageError  for a word that is not one of them, listing them
const TaskWord& find_task_word(std::string_view name);

/// One of the labelled tasks. \throws UsageError  for another word, listing them
Task task_named(std::string_view name);

/// What a network that is taught so is for, as --task has it. \param task  of Objective::kLabels
const char* task_word(Objective objective, Task task);

}  // namespace rapt
