#include "train/files/pretrained.h"

#include <cstdio>
#include <filesystem>

#include "tensor/error.h"
#include "train/files/checkpoint.h"
#include "train/files/hugging_face.h"
#include "train/files/run_folder.h"
#include "train/models/networks.h"

namespace rapt {

namespace fs = std::filesystem;

namespace {

bool is_hugging_face(const std::string& path) { return fs::is_regular_file(path + "/config.json"); }

// The run of the lowest seed in a folder of `rapt finetune --seeds`; empty if it is not such a folder.
std::string first_of_seeds(const std::string& path) {
  std::string first;
  long long lowest = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    long long seed = 0;
    if (std::sscanf(entry.path().filename().c_str(), "seed-%lld", &seed) != 1) continue;
    if (!first.empty() && seed >= lowest) continue;
    first = entry.path().string();
    lowest = seed;
  }
  return first;
}

// The tokenizers beside the weights, or none: a model may have no tokenizer.
Tokenizers tokenizers_beside(const std::string& directory) {
  for (const char* name : {"tokenizer.json", "tokenizer.json.gz", "vocab.json", "encoder.json", "vocab.txt"}) {
    if (fs::exists(directory + "/" + name)) return load_tokenizers(directory);
  }
  return {};
}

const char* advice_for(Objective objective) {
  if (objective == Objective::kNextToken) return "use it with rapt generate, score or eval";
  if (objective == Objective::kTargetText) return "use it with rapt translate, summarize, score or eval";
  if (objective == Objective::kNone) return "use it with rapt embed";
  return masks_words(objective) ? "use it with rapt fill-mask, eval or embed" : "use it with rapt predict or eval";
}

[[noreturn]] void refuse(const Pretrained& model, const char* wanted) {
  throw UsageError("model: " + model.source + " must be " + wanted + ", got a " + model.config.model + " for --task " +
                   task_word(model.network->config()) + "; " + advice_for(model.network->config().objective));
}

template <typename T>
T& network_as(const Pretrained& model, const char* wanted) {
  if (auto* network = model.network->as<T>()) return *network;
  refuse(model, wanted);
}

}  // namespace

LanguageModel& Pretrained::language_model() const {
  if (network->config().objective == Objective::kTargetText) refuse(*this, "a language model");
  return network_as<LanguageModel>(*this, "a language model");
}
LanguageModel& Pretrained::encoder_decoder() const {
  if (network->config().objective != Objective::kTargetText) refuse(*this, "an encoder-decoder");
  return network_as<LanguageModel>(*this, "an encoder-decoder");
}
BertPretraining& Pretrained::masked() const { return network_as<BertPretraining>(*this, "a masked language model"); }
TaskNetwork& Pretrained::task_network() const { return network_as<TaskNetwork>(*this, "a model with a task head"); }

std::string model_source(const std::string& path) {
  if (!fs::exists(path)) throw MissingInputError("model not found: " + path);
  if (!fs::is_directory(path)) return path;
  const RunFolder folder{path};
  if (fs::exists(folder.best())) return folder.best();
  if (fs::exists(folder.last())) return folder.last();
  if (is_hugging_face(path)) return path;
  if (const std::string first = first_of_seeds(path); !first.empty()) {
    throw UsageError("model: " + path + " holds a run for each seed; name one of them: " + first);
  }
  throw MissingInputError("model: " + path +
                          " holds no model: neither best.h5 or last.h5 (a run folder) nor config.json (Hugging Face)");
}

Pretrained open_pretrained(const std::string& path) {
  Pretrained result;
  result.source = model_source(path);
  if (fs::is_directory(result.source)) {
    HuggingFaceModel model = read_hugging_face(result.source);
    result.config.task = task_word(model.network.config());
    result.config.labels = std::move(model.labels);
    result.config.tokenizer = result.source;
    take_network_settings(result.config, model.network.config());
    result.network = std::make_unique<AnyNetwork>(std::move(model.network));
    result.tokenizers = tokenizers_beside(result.source);
  } else {
    const CheckpointFile file(result.source);
    result.config = config_of(file);
    result.network = network_of(file);
    result.tokenizers = tokenizers_of(file);
    result.step = file.state_integer("step");
  }
  const Dim vocabulary = result.network->backbone().vocabulary();
  const Tokenizer* const tokenizer = result.tokenizers.target.get();
  if (tokenizer != nullptr && tokenizer->vocabulary_size() > vocabulary) {
    throw DataError("model: " + result.source + ": the tokenizer has " + std::to_string(tokenizer->vocabulary_size()) +
                    " entries, the model " + std::to_string(vocabulary) + "; they do not belong together");
  }
  return result;
}

const Tokenizer& require_tokenizer(const Pretrained& model) {
  if (model.tokenizers.target != nullptr) return *model.tokenizers.target;
  throw MissingInputError("model: " + model.source +
                          " has no tokenizer; put its tokenizer.json beside the weights, or give token ids");
}

}  // namespace rapt
