// config.json of a Hugging Face directory: from and to the network that it describes.
#pragma once

#include <string>
#include <vector>

#include "train/models/hugging_face_kind.h"

namespace rapt {

/// What a config.json describes.
struct HuggingFaceConfig {
  NetworkConfig network;
  std::vector<std::string> labels = {};  ///< names of a task's classes, numbers, labels or tags, as many as outputs
};

/// The kind that config.json's model_type names. \throws DataError  for one that no family has, listing those there are
const HuggingFaceKind& kind_of(const JsonFields& config);
/// The kind that a network is written as.
const HuggingFaceKind& kind_of(const BackboneConfig& backbone);

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

}  // namespace rapt
