// The tasks that a network learns from labels, and the heads for them.
#pragma once

#include <span>
#include <utility>

#include "nn/initializer.h"
#include "tensor/types.h"

namespace rapt {

enum class Task {
  kClassify,    ///< one of K classes per sequence
  kRegress,     ///< K numbers per sequence
  kMultilabel,  ///< yes or no to each of K labels per sequence
  kTag,         ///< one of K tags per labelled token
  kQuestion,    ///< the start and the end of an answer in its sequence
  kChoice,      ///< the correct one of consecutive sequences
};

/// classify, regress, multilabel, tag, qa, choice.
std::span<const std::pair<Task, const char*>> task_names();
const char* name_of(Task task);

struct TaskConfig {
  Task task = Task::kClassify;
  Dim outputs = 2;     ///< K: classes, numbers, labels or tags; not used by kQuestion and kChoice
  double dropout = 0;  ///< dropout of the head's input during training
  bool bias = true;    ///< of the head
  InitStd init_std = 0.02;

  /// Rows of the head: K; 2 for kQuestion (first, last), 1 for kChoice.
  Dim head_width() const { return task == Task::kQuestion ? 2 : task == Task::kChoice ? 1 : outputs; }
  /// Whether the head takes one vector per sequence (Backbone::pooled) or one per token.
  bool judges_sequences() const { return task != Task::kTag && task != Task::kQuestion; }
};

}  // namespace rapt
