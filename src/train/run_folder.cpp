#include "train/run_folder.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

#include "io/durable_file.h"
#include "io/escape.h"
#include "tensor/error.h"
#include "train/resume.h"
#include "train/settings.h"
#include "train/settings_agreement.h"

namespace rapt {

namespace fs = std::filesystem;

std::string RunFolder::checkpoint(std::int64_t step) const {
  // Padded, so that names sort as the steps do.
  char name[40];
  std::snprintf(name, sizeof name, "/step-%08lld.h5", static_cast<long long>(step));
  return path + name;
}

std::vector<std::int64_t> RunFolder::steps() const {
  std::vector<std::int64_t> steps;
  std::error_code missing;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, missing)) {
    const std::string name = entry.path().filename().string();
    long long step = 0;
    // Printing the number back must give the name: step-1.h5 or step-00000001.h5.bak are no checkpoints of ours.
    if (std::sscanf(name.c_str(), "step-%lld.h5", &step) == 1 && checkpoint(step) == path + "/" + name)
      steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

// "my" for texts/my.txt.gz; `fallback` where a path has no name.
static std::string name_of(const fs::path& given, const std::string& fallback) {
  fs::path path = given.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "texts/"
  if (path == "." || path == "..") path = fs::absolute(path).lexically_normal().parent_path().filename();
  fs::path name = path.filename();
  if (name.extension() == ".gz") name = name.stem();
  if (!name.stem().empty() && !fs::is_directory(path)) name = name.stem();
  return name.empty() || name == "/" ? fallback : name.string();
}

// "b" for runs/b and for its checkpoints.
static std::string name_of_model(const fs::path& model) {
  const std::string file = model.filename().string();
  const bool in_run = file == "best.h5" || file == "last.h5" || (file.starts_with("step-") && file.ends_with(".h5"));
  return name_of(in_run ? model.parent_path() : model, "model");
}

std::string default_run_folder(const TrainConfig& config) {
  const bool from_pipe = config.data.empty() || config.data.front() == "-";
  const std::string data = from_pipe ? "stdin" : name_of(config.data.front(), "data");
  const std::string task = config.glue.empty() ? config.task : config.glue;
  if (!config.init.empty()) return "runs/" + name_of_model(config.init) + "-" + task + "-" + data;
  const bool own_task = task != "lm" && (task != "mlm-nsp" || config.model != "bert");
  return "runs/" + data + (config.model != "gpt2" ? "-" + config.model : "") + (own_task ? "-" + task : "");
}

// ------------------------------------------------------------------------------------------------- which checkpoint

std::optional<FoundCheckpoint> newest_checkpoint(const RunFolder& folder, const InspectCheckpoint& inspect) {
  FoundCheckpoint found;
  std::size_t seen = 0;
  const auto look = [&](const std::string& path) -> bool {
    ++seen;
    try {
      const CheckpointSummary summary = inspect(path);
      if (!found.path.empty() && summary.step <= found.summary.step) return true;
      found.path = path;
      found.summary = summary;
      return true;
    } catch (const Error& error) {
      found.skipped.emplace_back(error.what());
      return false;
    }
  };

  std::vector<std::int64_t> steps = folder.steps();
  std::error_code none;
  const bool has_last = fs::exists(folder.last(), none);
  const auto named_last = std::find_if(steps.begin(), steps.end(), [&](std::int64_t step) {
    return has_last && fs::equivalent(folder.last(), folder.checkpoint(step), none);
  });
  // Checking reads the whole file, so a file with two names is read once. Else only reading tells how new last.h5 is.
  if (has_last && named_last == steps.end()) look(folder.last());
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (!found.path.empty() && found.summary.step >= *step) break;
    if (look(folder.checkpoint(*step))) break;
  }
  if (found.path.empty() && fs::exists(folder.best(), none)) look(folder.best());
  if (!found.path.empty()) return found;
  if (seen == 0) return std::nullopt;
  throw DataError(escape_for_terminal(folder.path) + ": none of its checkpoints is whole: " + found.skipped.front());
}

void name_checkpoint(const RunFolder& folder, std::int64_t step, const std::string& name) {
  const std::string target = folder.checkpoint(step), temporary = name + ".tmp." + std::to_string(::getpid());
  ::unlink(temporary.c_str());
  std::error_code trouble;
  if (::link(target.c_str(), temporary.c_str()) != 0) {
    // Some file systems have no hard links.
    fs::copy_file(target, temporary, fs::copy_options::overwrite_existing, trouble);
  }
  // Renaming one of two names of a file onto the other does nothing and leaves both.
  if (!trouble && fs::exists(name) && fs::equivalent(name, temporary, trouble)) {
    ::unlink(temporary.c_str());
    return;
  }
  if (trouble || std::rename(temporary.c_str(), name.c_str()) != 0) {
    const std::string why = trouble ? trouble.message() : std::strerror(errno);
    ::unlink(temporary.c_str());
    throw IoError(escape_for_terminal(name) + ": cannot name the checkpoint of step " + std::to_string(step) +
                  " so: " + why);
  }
  sync_folder(folder.path);
}

void retire_checkpoints(const RunFolder& folder, std::int64_t keep) {
  const std::vector<std::int64_t> steps = folder.steps();
  const auto kept = static_cast<std::size_t>(std::max<std::int64_t>(keep, 1));
  if (steps.size() <= kept) return;
  for (std::size_t i = 0; i < steps.size() - kept; ++i) ::unlink(folder.checkpoint(steps[i]).c_str());
  sync_folder(folder.path);
}

// ------------------------------------------------------------------------------------------------------ what to do

/// A file in the folder that no run of ours writes; "" if there is none.
static std::string foreign_file(const RunFolder& folder) {
  std::error_code missing;
  if (fs::exists(folder.config(), missing)) return "";
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path, missing)) {
    const std::string name = entry.path().filename().string();
    // A run that was killed while it chose its settings, or learnt words, has these already.
    const bool ours = name == "lock" || name == "words" || name == "texts.jsonl" || name == "data.h5" ||
                      name.find(".tmp.") != std::string::npos;
    if (!ours) return name;
  }
  return "";
}

static std::string disagreement(const TrainConfig& saved, const LayeredConfig& wanted, Resuming resuming) {
  std::string list;
  for (const Difference& d : differences(saved, wanted.values, resuming))
    if (wanted.given(d.name))
      list += (list.empty() ? "--" : ", --") + d.name + " " + d.ours + " (now " + d.theirs + ")";
  return list;
}

// ------------------------------------------------------------------------------------------------------ what to type

std::string command_line(const CommandWords& command) {
  std::string line;
  for (const std::string& word : command) line += (line.empty() ? "" : " ") + for_shell(word);
  return line;
}

/// A folder that is not there yet: `runs/my-2`, for one of several seeds beside that of them all.
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

/// `--resume` with those of the settings asked for that it may change.
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
      throw MissingInputError(name + " has learnt words and no labels yet; give the command that began it once more");
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
                      "; resume it without those flags, or start a new run with another --out");
  }
  const std::string list = saved ? disagreement(*saved, wanted, Resuming::kFree) : "";
  if (list.empty()) return finished ? RunPlan::kFinished : RunPlan::kResume;
  const std::string with_changes =
      fixed.empty() ? "to go on with it: " + as_resumed_run(folder, *saved, wanted) + "; " : "";
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

void remove_if_unused(const RunFolder& folder) {
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path, none))
    if (entry.path().filename() != "lock") return;
  fs::remove(folder.path + "/lock", none);
  fs::remove(folder.path, none);
}

}  // namespace rapt
