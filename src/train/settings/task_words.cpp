#include "train/settings/task_words.h"

#include <vector>

#include "io/names.h"

namespace rapt {

std::span<const TaskWord> task_words() {
  static const std::vector<TaskWord> table = [] {
    std::vector<TaskWord> words = {{"lm", Objective::kNextToken},
                                   {"translate", Objective::kTargetText},
                                   {"summarize", Objective::kTargetText},
                                   {"mlm", Objective::kMaskedWords},
                                   {"mlm-nsp", Objective::kMaskedWordsNextSentence}};
    for (const auto& [task, name] : task_names()) words.push_back({name, Objective::kLabels, task});
    words.push_back({"embed", Objective::kNone});
    return words;
  }();
  return table;
}

const TaskWord& find_task_word(std::string_view name) {
  return find_named(name, task_words(), &TaskWord::name, "task:");
}

Task task_named(std::string_view name) { return value_named(name, task_names(), "task:"); }

const char* task_word(Objective objective, Task task) {
  if (objective == Objective::kLabels) return name_of(task);
  for (const TaskWord& word : task_words()) {
    if (word.objective == objective) return word.name;
  }
  return "";
}

}  // namespace rapt
