#include "train/files/run_folder.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "io/durable_file.h"
#include "io/escape.h"
#include "io/file.h"
#include "tensor/error.h"
#include "train/models/family.h"

namespace rapt {

namespace fs = std::filesystem;

std::string RunFolder::checkpoint(std::int64_t step) const {
  // Padded, so that names sort by step.
  return fmt::format("{}/step-{:08}.h5", path, step);
}

std::vector<std::int64_t> RunFolder::steps() const {
  std::vector<std::int64_t> steps;
  std::error_code missing;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, missing)) {
    const std::string name = entry.path().filename().string();
    long long step = 0;
    // Printing the number must give the name again: step-1.h5 and step-00000001.h5.bak are not our checkpoints.
    if (std::sscanf(name.c_str(), "step-%lld.h5", &step) == 1 && checkpoint(step) == path + "/" + name)
      steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

// "my" for texts/my.txt.gz; `fallback` if a path has no name.
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

// "train-de-en" for train.de and train.en.
static std::string name_of_data(const TrainConfig& config) {
  const std::vector<std::string> files = config.training_files();
  if (files.empty() || files.front() == "-") return "stdin";
  const std::string name = name_of(files.front(), "data");
  if (config.source.empty() || config.target.empty()) return name;
  std::string languages;
  for (fs::path path : {fs::path(config.source.front()), fs::path(config.target.front())}) {
    if (path.extension() == ".gz") path = path.stem();
    if (path.stem() != name || path.extension() == ".txt") return name;
    languages += "-" + path.extension().string().substr(std::min<std::size_t>(1, path.extension().string().size()));
  }
  return name + languages;
}

std::string default_run_folder(const TrainConfig& config) {
  const std::string data = name_of_data(config);
  const std::string task = config.glue.empty() ? config.task : config.glue;
  if (!config.init.empty()) return "runs/" + name_of_model(config.init) + "-" + task + "-" + data;
  const TrainConfig usual;
  const bool own_task = task != usual.task && task != family_of(config).usual_task;
  return "runs/" + data + (config.model != usual.model ? "-" + config.model : "") + (own_task ? "-" + task : "");
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
  // Verifying reads the whole file, so a file with two names is read once. Otherwise, only reading shows how new
  // last.h5 is.
  if (has_last && named_last == steps.end()) look(folder.last());
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (!found.path.empty() && found.summary.step >= *step) break;
    if (look(folder.checkpoint(*step))) break;
  }
  if (found.path.empty() && fs::exists(folder.best(), none)) look(folder.best());
  if (!found.path.empty()) return found;
  if (seen == 0) return std::nullopt;
  throw DataError(escape_for_terminal(folder.path) + ": none of its checkpoints is intact: " + found.skipped.front());
}

void name_checkpoint(const RunFolder& folder, const std::string& checkpoint, const std::string& name) {
  const std::string temporary = name + ".tmp." + std::to_string(::getpid());
  ::unlink(temporary.c_str());
  std::error_code trouble;
  if (::link(checkpoint.c_str(), temporary.c_str()) != 0) {
    // Some file systems have no hard links.
    fs::copy_file(checkpoint, temporary, fs::copy_options::overwrite_existing, trouble);
  }
  // Renaming one of two names of a file to the other does nothing and leaves both.
  if (!trouble && fs::exists(name) && fs::equivalent(name, temporary, trouble)) {
    ::unlink(temporary.c_str());
    return;
  }
  if (trouble || std::rename(temporary.c_str(), name.c_str()) != 0) {
    const std::string why = trouble ? trouble.message() : system_message(errno);
    ::unlink(temporary.c_str());
    throw IoError(escape_for_terminal(name) + ": cannot give " + escape_for_terminal(checkpoint) +
                  " this name: " + why);
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

void remove_if_unused(const RunFolder& folder) {
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path, none))
    if (entry.path().filename() != "lock") return;
  fs::remove(folder.path + "/lock", none);
  fs::remove(folder.path, none);
}

}  // namespace rapt
