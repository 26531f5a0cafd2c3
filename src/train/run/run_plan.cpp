#include "train/run/run_plan.h"

#include <algorithm>
#include <filesystem>

#include "io/escape.h"
#include "io/joined.h"
#include "tensor/error.h"
#include "train/run/resume.h"
#include "train/settings/settings.h"
#include "train/settings/settings_agreement.h"

namespace rapt {

namespace fs = std::filesystem;

// ------------------------------------------------------------------------------------------------------ what to do

/// A file in the folder that our runs do not write; "" if there is none.
static std::string foreign_file(const RunFolder& folder) {
  std::error_code missing;
  if (fs::exists(folder.config(), missing)) return "";
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path, missing)) {
    const std::string name = entry.path().filename().string();
    // A run that was killed while it chose its settings, or during stage 1, has these already.
    const bool ours = name == "lock" || name == "words" || name == "texts.jsonl" || name == "data.h5" ||
                      name.find(".tmp.") != std::string::npos;
    if (!ours) return name;
  }
  return "";
}

static std::string disagreement(const TrainConfig& saved, const LayeredConfig& wanted, Resuming resuming) {
  std::vector<std::string> list;
  for (const Difference& d : differences(saved, wanted.values, resuming))
    if (wanted.given(d.name) && d.theirs != "auto")
      list.push_back("--" + d.name + " " + d.ours + " (now " + d.theirs + ")");
  return joined(list);
}

// ------------------------------------------------------------------------------------------------------ what to type

std::string command_line(const CommandWords& command) { return joined(command, " ", for_shell); }

/// A folder that does not exist yet: `runs/my-2`, or for one of several seeds, one beside the folder of all of them.
static std::string free_folder(const RunFolder& folder) {
  const fs::path path = fs::path(folder.path);
  const bool is_seed = path.filename().string().starts_with("seed-") && path.has_parent_path();
  const std::string base = is_seed ? path.parent_path().string() : folder.path;
  for (int i = 2;; ++i) {
    std::string name = base + "-" + std::to_string(i);
    if (!fs::exists(name)) return name;
  }
}

static bool names_out(const std::string& word) {
  if (!word.starts_with("--")) return false;
  const Setting* setting = find_setting(word.substr(2, word.find('=') - 2));
  return setting != nullptr && setting->name == "out";
}

/// The command with another --out.
static std::string as_new_run(const RunFolder& folder, const CommandWords& command) {
  const bool resumes =
      std::ranges::any_of(command, [](const std::string& word) { return word.starts_with("--resume"); });
  if (command.empty() || resumes) return "use another --out for a new run";
  CommandWords words;
  for (std::size_t i = 0; i < command.size(); ++i) {
    if (names_out(command[i])) {
      i += command[i].find('=') == std::string::npos ? 1 : 0;
    } else {
      words.push_back(command[i]);
    }
  }
  words.insert(words.end(), {"--out", free_folder(folder)});
  return "for a new run: " + command_line(words);
}

static std::string resume_command(const RunFolder& folder) { return "rapt train --resume " + for_shell(folder.path); }

/// `--resume` with those of the requested settings that it may change.
static std::string as_resumed_run(const RunFolder& folder, const TrainConfig& saved, const LayeredConfig& wanted) {
  std::string line = resume_command(folder);
  for (const Difference& d : differences(saved, wanted.values))
    if (wanted.given(d.name) && find_setting(d.name)->resuming == Resuming::kOnRequest)
      line += " --" + d.name + " " + d.theirs;
  return line;
}

RunPlan plan_run(const RunFolder& folder, const std::optional<FoundCheckpoint>& found,
                 const std::optional<TrainConfig>& saved, const LayeredConfig& wanted, bool resume,
                 const CommandWords& command) {
  const std::string name = escape_for_terminal(folder.path);
  std::error_code none;
  if (fs::exists(folder.path, none) && !fs::is_directory(folder.path, none))
    throw CannotCreateError(name + " must be a folder for the run, got a file; use another --out");
  if (!found) {
    if (resume && fs::exists(folder.words(), none))
      throw MissingInputError(name + " has not reached stage 2 (labels) yet; repeat the command that started it");
    if (resume)
      throw MissingInputError(name + " has no checkpoint to resume from; start the run with: rapt train FILE --out " +
                              name);
    if (const std::string file = foreign_file(folder); !file.empty())
      throw CannotCreateError(name + " must be empty or a run folder, got " + escape_for_terminal(file) +
                              " in it; use another --out");
    return RunPlan::kStart;
  }
  const bool finished = found->summary.finished && !(saved && was_extended(*saved, found->summary));
  const std::string fixed = saved ? disagreement(*saved, wanted, Resuming::kOnRequest) : "";
  if (resume) {
    if (fixed.empty())
      return finished && !(saved && asks_for_more(*saved, wanted)) ? RunPlan::kFinished : RunPlan::kResume;
    throw ConfigError(name + " was started with " + fixed +
                      "; resume it without those options, or start a new run with another --out");
  }
  const std::string list = saved ? disagreement(*saved, wanted, Resuming::kFree) : "";
  if (list.empty()) return finished ? RunPlan::kFinished : RunPlan::kResume;
  const std::string with_changes =
      fixed.empty() ? "to continue it: " + as_resumed_run(folder, *saved, wanted) + "; " : "";
  if (finished)
    throw CannotCreateError(name + " holds a finished run with " + list + "; " + with_changes +
                            as_new_run(folder, command));
  throw ConfigError(name + " was started with " + list + "; " +
                    (fixed.empty() ? with_changes : "to resume it: " + resume_command(folder) + "; ") +
                    as_new_run(folder, command));
}

void require_same_inputs(const RunFolder& folder, bool finished, const RunInputs& ours, const RunInputs& theirs,
                         const CommandWords& command) {
  const std::optional<InputDifference> d = find_difference(ours, theirs);
  if (!d) return;
  const auto with = [&](const std::string& file) {
    const bool is_data = !d->what.starts_with("--");
    if (file.empty()) return "without " + d->what;
    return is_data ? "on " + file : "with " + d->what + " " + file;
  };
  std::string message = escape_for_terminal(folder.path) + (finished ? " holds a finished run " : " was started ");
  if (d->ours == d->theirs) {
    message += with(d->ours) + ", which has changed since; ";
    if (!finished) message += "put the old file back to resume it; ";
  } else {
    message += with(d->ours) + ", got " + (d->theirs.empty() ? "no " + d->what : d->theirs) +
               (d->ours.empty() || d->theirs.empty() ? "; " : " with other content; ");
    if (!finished) message += "to resume it: " + resume_command(folder) + "; ";
  }
  message += as_new_run(folder, command);
  if (finished) throw CannotCreateError(message);
  throw ConfigError(message);
}

}  // namespace rapt
