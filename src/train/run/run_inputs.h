// The inputs of a run, by content: its data, the model of --init, the tokenizer's file. A path is not enough, because
// files are edited and two folders may each hold a data.txt; digests of the bytes distinguish runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "train/settings/train_config.h"
#include "train/tasks/run_text.h"

namespace rapt {

struct RunInputs {
  std::vector<InputFile> data, validation;  ///< in order; for a token store, its sources
  std::optional<InputFile> init, tokenizer;
};

/// The content of a file, or of the files of a folder.
/// \throws MissingInputError, IoError
InputFile describe_path(const std::string& path);

/// Reads the files in the settings once and computes their digests.
/// \param read  those of the data, if it has already been read
/// \throws MissingInputError, IoError, DataError  as find_sources and TokenStore::open
RunInputs read_inputs(const TrainConfig& config, const std::optional<DataFiles>& read = std::nullopt);

/// The keys of a checkpoint's manifest: `data` with `train` and `validation`, `init`, `tokenizer`.
void write_inputs(const RunInputs& inputs, Json& manifest);
/// \param where  the name of the manifest in errors
RunInputs inputs_of(const Json& manifest, const std::string& where);

/// An input whose content differs between two runs.
struct InputDifference {
  std::string what;          ///< "data", "validation data", "--init", "--tokenizer"
  std::string ours, theirs;  ///< names of the files; "" for none
};

/// The first difference between an existing run and a request; inputs that are missing from the run's manifest are not
/// compared.
std::optional<InputDifference> find_difference(const RunInputs& ours, const RunInputs& theirs);

}  // namespace rapt
