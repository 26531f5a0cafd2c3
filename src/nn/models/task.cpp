#include "nn/models/task.h"

#include <array>

namespace rapt {

static constexpr std::array<std::pair<Task, const char*>, 6> kNames{{
    {Task::kClassify, "classify"},
    {Task::kRegress, "regress"},
    {Task::kMultilabel, "multilabel"},
    {Task::kTag, "tag"},
    {Task::kQuestion, "qa"},
    {Task::kChoice, "choice"},
}};

std::span<const std::pair<Task, const char*>> task_names() { return kNames; }

const char* name_of(Task task) { return kNames[static_cast<std::size_t>(task)].second; }

}  // namespace rapt
