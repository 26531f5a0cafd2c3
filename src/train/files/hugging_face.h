// Hugging Face directories, the exchange format: reads and writes config.json and model.safetensors of the kinds gpt2,
// openai-gpt, gpt_neox and bert. One table per kind maps the names of parameters.
#pragma once

#include <string>
#include <vector>

#include "io/json.h"
#include "nn/models/any_network.h"
#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// The contents of a config.json.
struct HuggingFaceConfig {
  NetworkConfig network;
  std::vector<std::string> labels = {};  ///< names of a task's classes, numbers, labels or tags, one per output
};

/// A parameter under both of its names. transformers' Conv1D stores [in, out] where rapt stores [out, in]. BERT's
/// query, key and value are three matrices; rapt has one with the rows of all three. GPT-NeoX has one as well, but with
/// the rows of the first head's query, key and value first, then the second head's.
struct ParameterName {
  std::string ours, theirs;
  bool transposed = false;
  int part = 0, parts = 1;  ///< index and number of equal runs of our rows that form their parameter
  Dim heads = 0;            ///< H if our rows are [3, H, D] and theirs [H, 3, D]; 0 if the order is the same
  bool written = true;      ///< false for an untied head beside a task whose class has none: read if present
};

/// The table of a network, including optional parameters: biases, an untied head.
std::vector<ParameterName> hugging_face_names(const NetworkConfig& config);

/// Reads config.json of a gpt2, openai-gpt, gpt_neox or bert model. `architectures` determines the head: for gpt2 and
/// openai-gpt LMHeadModel, ForSequenceClassification, DoubleHeadsModel and, for gpt2, ForTokenClassification and
/// ForQuestionAnswering; for gpt_neox ForCausalLM, ForSequenceClassification, ForTokenClassification and
/// ForQuestionAnswering; for BERT Model, ForPreTraining, ForMaskedLM, ForSequenceClassification,
/// ForTokenClassification, ForQuestionAnswering and ForMultipleChoice.
/// \throws DataError  naming the file, the key and the supported values, for any other kind or class and for every
///                    unsupported setting that would change the results
HuggingFaceConfig config_from_json(const Json& config, const std::string& name);

/// Ids in config.json; -1 for none.
struct SpecialIds {
  std::int64_t end_of_text = -1, padding = -1;
};

/// The config.json that transformers reads as the same network: gpt2 for a GPT with learned positions, gpt_neox for one
/// with rotary positions.
///
/// \throws UsageError  if transformers has no such network (sinusoidal positions, GPT-1 with the erf GELU ...)
Json config_to_json(const HuggingFaceConfig& config, const SpecialIds& ids);

/// Reads config.json of a directory and determines from its weights whether a BERT has a pooler.
/// \throws MissingInputError, DataError
HuggingFaceConfig read_hugging_face_config(const std::string& directory);

struct HuggingFaceModel {
  AnyNetwork network;
  std::vector<std::string> labels;
};

/// Reads the network of a directory, including the head; f16, bf16 and f64 weights become f32.
/// \throws MissingInputError, DataError  naming the file and a tensor that is missing, has another shape, or does not
///                                       belong to the network
HuggingFaceModel read_hugging_face(const std::string& directory);

/// Copies the weights of a directory into an existing network, for further training: those of the backbone, and of the
/// pretraining heads if both have them. A task head is not read. The network may have a larger vocabulary than the
/// directory; the additional entries keep their values.
/// \return  the parameters that keep their values: a task head, a pooler that the directory lacks ...
/// \throws MissingInputError, DataError  as above, for the backbone
std::vector<std::string> initialise_from_hugging_face(AnyNetwork& network, const std::string& directory);

/// Writes config.json, model.safetensors, generation_config.json for language models and, with a tokenizer,
/// tokenizer.json, tokenizer_config.json and special_tokens_map.json. f32 weights keep their bits. Switched-off biases
/// are written as zeros, because transformers has no switch for them. An untied language-model head is omitted from
/// classes that have none.
/// \param network  must match the configuration
/// \throws CannotCreateError, IoError, UsageError
void write_hugging_face(Module& network, const HuggingFaceConfig& config, const Tokenizer* tokenizer,
                        const std::string& directory);

}  // namespace rapt
