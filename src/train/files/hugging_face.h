// Hugging Face directories, the border to everything else: config.json and model.safetensors of the gpt2, openai-gpt,
// gpt_neox and bert kinds, in and out. One table per kind says what each parameter is called on either side.
#pragma once

#include <string>
#include <vector>

#include "io/json.h"
#include "nn/models/any_network.h"
#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// What a config.json describes.
struct HuggingFaceConfig {
  NetworkConfig network;
  std::vector<std::string> labels = {};  ///< names of a task's classes, numbers, labels or tags, as many as outputs
};

/// A parameter under both of its names. transformers' Conv1D keeps [in, out] where we keep [out, in]; BERT's query, key
/// and value are three matrices where ours is one with the rows of all three; GPT-NeoX's are one as well, but with the
/// rows of the first head's query, key and value first, then the second head's.
struct ParameterName {
  std::string ours, theirs;
  bool transposed = false;
  int part = 0, parts = 1;  ///< theirs is which of how many equal runs of our rows
  Dim heads = 0;            ///< H where our rows are [3, H, D] and theirs [H, 3, D]; 0 where the order is the same
  bool written = true;      ///< false for an untied head beside a task whose class has none: read where it is there
};

/// The table of a network, with what it may have or not: biases, an untied head.
std::vector<ParameterName> hugging_face_names(const NetworkConfig& config);

/// Reads config.json of a gpt2, openai-gpt, gpt_neox or bert model. Which head the network has is what `architectures`
/// says: for gpt2 and openai-gpt LMHeadModel, ForSequenceClassification, DoubleHeadsModel and, for gpt2,
/// ForTokenClassification and ForQuestionAnswering; for gpt_neox ForCausalLM, ForSequenceClassification,
/// ForTokenClassification and ForQuestionAnswering; for BERT Model, ForPreTraining, ForMaskedLM,
/// ForSequenceClassification, ForTokenClassification, ForQuestionAnswering and ForMultipleChoice.
/// \throws DataError  naming the file, the key and what is supported, for any other kind or class and for every switch
///                    that would change the mathematics and is not known here
HuggingFaceConfig config_from_json(const Json& config, const std::string& name);

/// Ids that config.json names; -1 for none.
struct SpecialIds {
  std::int64_t end_of_text = -1, padding = -1;
};

/// The config.json that transformers reads back as the same network: gpt2 for a GPT with learned positions, gpt_neox
/// for one with rotary positions. \throws UsageError  if transformers has no such network (sinusoidal positions, GPT-1
/// with the erf GELU ...)
Json config_to_json(const HuggingFaceConfig& config, const SpecialIds& ids);

/// config.json of a directory, and from its weights whether a BERT has a pooler.
/// \throws MissingInputError, DataError
HuggingFaceConfig read_hugging_face_config(const std::string& directory);

struct HuggingFaceModel {
  AnyNetwork network;
  std::vector<std::string> labels;
};

/// Reads the network of a directory, head and all; f16, bf16 and f64 weights become f32.
/// \throws MissingInputError, DataError  naming file and tensor: one that is missing, of another shape, or without a
///                                       place in the network
HuggingFaceModel read_hugging_face(const std::string& directory);

/// Gives a network that is there already the weights of a directory's, for training it further: the backbone's, and the
/// heads' of pretraining where both have them. A task's head is not read. The network may have more entries in its
/// vocabulary than the directory; those keep their values.
/// \return  the parameters that keep the values they have: a task's head, a pooler that the directory lacks ...
/// \throws MissingInputError, DataError  as above, for the backbone
std::vector<std::string> initialise_from_hugging_face(AnyNetwork& network, const std::string& directory);

/// Writes config.json, model.safetensors, for language models generation_config.json and, with a tokenizer,
/// tokenizer.json, tokenizer_config.json and special_tokens_map.json. f32 weights keep their bits; switched-off biases
/// are written as zeros, because transformers has no switch for them. An untied language-model head is left out of
/// classes that have none.
/// \param network  of the configuration
/// \throws CannotCreateError, IoError, UsageError
void write_hugging_face(Module& network, const HuggingFaceConfig& config, const Tokenizer* tokenizer,
                        const std::string& directory);

}  // namespace rapt
