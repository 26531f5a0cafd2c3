// config.json of a Hugging Face directory: converts it to and from the network that it describes.
#pragma once

#include <string>
#include <vector>

#include "train/models/hugging_face_kind.h"

namespace rapt {

/// The contents of a config.json.
struct HuggingFaceConfig {
  NetworkConfig network;
  std::vector<std::string> labels = {};  ///< names of a task's classes, numbers, labels or tags, one per output
};

/// The kind in config.json's model_type. \throws DataError  for one that no family has, listing the existing ones
const HuggingFaceKind& kind_of(const JsonFields& config);
/// The kind in which a network is written.
const HuggingFaceKind& kind_of(const BackboneConfig& backbone);

/// The table of a network, including optional parameters: biases, an untied head.
std::vector<ParameterName> hugging_face_names(const NetworkConfig& config);

/// Reads config.json of a gpt2, openai-gpt, gpt_neox, bert, marian, bart, mbart or pegasus model. `architectures`
/// determines the head: for gpt2 and openai-gpt LMHeadModel, ForSequenceClassification, DoubleHeadsModel and, for gpt2,
/// ForTokenClassification and ForQuestionAnswering; for gpt_neox ForCausalLM, ForSequenceClassification,
/// ForTokenClassification and ForQuestionAnswering; for marian MTModel; for bart, mbart and pegasus
/// ForConditionalGeneration; for BERT Model, ForPreTraining, ForMaskedLM, ForSequenceClassification,
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

}  // namespace rapt
