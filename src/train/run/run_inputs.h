// What a run is made from, by content: its data, the model of --init, the tokenizer's file. A path says little, since
// files are edited and two folders may each hold a data.txt; the digests of the bytes tell runs apart.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "train/settings/train_config.h"

namespace rapt {

struct InputFile {
  std::string name;         ///< as it was given, escaped for terminals
  std::uint64_t bytes = 0;  ///< of a directory, of all its files
  std::string digest;       ///< XXH3-128 (text/corpus/input.h)
};

struct RunInputs {
  std::vector<InputFile> data, validation;  ///< in their order; of a token store, what it was built from
  std::optional<InputFile> init, tokenizer;
};

/// Reads the files that the settings name once and computes their digests.
/// \throws MissingInputError, IoError, DataError  as find_sources and TokenStore::open
RunInputs read_inputs(const TrainConfig& config);

/// The keys of a checkpoint's manifest: `data` with `train` and `validation`, `init`, `tokenizer`.
void write_inputs(const RunInputs& inputs, Json& manifest);
/// \param where  what errors call the manifest
RunInputs inputs_of(const Json& manifest, const std::string& where);

/// An input that a run has and another one has with other content.
struct InputDifference {
  std::string what;          ///< "data", "validation data", "--init", "--tokenizer"
  std::string ours, theirs;  ///< names of the files; "" for none
};

/// The first difference between a run that is there and what is asked for; inputs that the run's manifest does not
/// name are not compared.
std::optional<InputDifference> find_difference(const RunInputs& ours, const RunInputs& theirs);

}  // namespace rapt
