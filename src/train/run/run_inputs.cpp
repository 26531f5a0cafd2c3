#include "train/run/run_inputs.h"

#include <algorithm>
#include <filesystem>

#include "io/escape.h"
#include "text/batches/token_store.h"
#include "text/corpus/corpus_sources.h"
#include "train/files/pretrained.h"

namespace rapt {

namespace fs = std::filesystem;

InputFile describe_path(const std::string& path) {
  if (!fs::is_directory(path)) return describe(Input::from_file(path));
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  InputFile all{.name = escape_for_terminal(path), .bytes = 0, .digest = ""};
  std::string list;
  for (const std::string& file : files) {
    const InputFile one = describe(Input::from_file(file));
    all.bytes += one.bytes;
    list += fs::path(file).filename().string() + '\0' + one.digest + '\n';
  }
  all.digest = digest_of(list);
  return all;
}

namespace {

std::vector<InputFile> describe_files(const std::vector<std::string>& paths) {
  std::vector<InputFile> files;
  for (const CorpusSource& source : find_sources(paths)) files.push_back(describe(source.open()));
  return files;
}

std::vector<InputFile> files_of(const Json& manifest, const char* part, const std::string& where) {
  std::vector<InputFile> files;
  // A list without parts was written by labelled runs before these digests were compared.
  if (!manifest.contains("data") || !manifest["data"].is_object() || !manifest["data"].contains(part)) return files;
  for (const Json& file : manifest["data"][part]) files.push_back(input_file_from(file, where));
  return files;
}

std::string names(const std::vector<InputFile>& files) {
  if (files.empty()) return "";
  return files.front().name + (files.size() > 1 ? " and " + std::to_string(files.size() - 1) + " more" : "");
}

bool equal(const std::vector<InputFile>& a, const std::vector<InputFile>& b) {
  return std::ranges::equal(a, b, {}, &InputFile::digest, &InputFile::digest);
}

}  // namespace

RunInputs read_inputs(const TrainConfig& config, const std::optional<DataFiles>& read) {
  RunInputs inputs;
  if (read) {
    inputs.data = read->train;
    inputs.validation = read->validation;
  } else if (is_given_store(config)) {
    const TokenStore store = TokenStore::open(config.data[0]);
    Json built_from;
    built_from["data"] = parse_json(store.sources_json(), store.path() + ": sources");
    inputs = inputs_of(built_from, store.path() + ": sources");
  } else {
    inputs.data = describe_files(config.training_files());
    const std::vector<std::string> validation = config.validation_files();
    if (!validation.empty()) inputs.validation = describe_files(validation);
  }
  if (!config.init.empty()) inputs.init = describe_path(model_source(config.init));
  if (!config.learns_tokenizer() && config.tokenizer != "init" && fs::exists(config.tokenizer)) {
    inputs.tokenizer = describe_path(config.tokenizer);
  }
  return inputs;
}

void write_inputs(const RunInputs& inputs, Json& manifest) {
  Json& data = manifest["data"];
  for (const auto& [part, files] : {std::pair{"train", &inputs.data}, {"validation", &inputs.validation}}) {
    if (files->empty()) continue;
    data[part] = Json::array();
    for (const InputFile& file : *files) data[part].push_back(to_json(file));
  }
  manifest["init"] = inputs.init ? to_json(*inputs.init) : Json(nullptr);
  manifest["tokenizer"] = inputs.tokenizer ? to_json(*inputs.tokenizer) : Json(nullptr);
}

RunInputs inputs_of(const Json& manifest, const std::string& where) {
  RunInputs inputs;
  inputs.data = files_of(manifest, "train", where);
  inputs.validation = files_of(manifest, "validation", where);
  for (const auto& [key, file] : {std::pair{"init", &inputs.init}, {"tokenizer", &inputs.tokenizer}}) {
    if (manifest.contains(key) && !manifest[key].is_null()) *file = input_file_from(manifest[key], where);
  }
  return inputs;
}

std::optional<InputDifference> find_difference(const RunInputs& ours, const RunInputs& theirs) {
  if (ours.data.empty()) return std::nullopt;
  if (!equal(ours.data, theirs.data)) return InputDifference{"data", names(ours.data), names(theirs.data)};
  if (!equal(ours.validation, theirs.validation)) {
    return InputDifference{"validation data", names(ours.validation), names(theirs.validation)};
  }
  for (const auto& [what, a, b] : {std::tuple{"--init", &ours.init, &theirs.init},
                                   std::tuple{"--tokenizer", &ours.tokenizer, &theirs.tokenizer}}) {
    const std::string x = *a ? (*a)->digest : "", y = *b ? (*b)->digest : "";
    if (x != y) return InputDifference{what, *a ? (*a)->name : "", *b ? (*b)->name : ""};
  }
  return std::nullopt;
}

}  // namespace rapt
