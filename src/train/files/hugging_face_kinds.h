// The model kinds of config.json's model_type: the meaning of their keys and the names of their parameters. Only the
// files of hugging_face.h include this.
#pragma once

#include <string>
#include <vector>

#include "train/files/hugging_face.h"

namespace rapt::hugging_face {

/// A key of transformers' ACT2FN. \throws DataError  for an unsupported one, listing the supported ones
Activation activation_from(const JsonFields& fields, const char* key, const char* fallback);
/// \return  null if transformers has no such activation
const char* activation_name(Activation activation);

/// Throws the UsageError that names what transformers does not support, and an alternative if there is one.
[[noreturn]] void refuse_export(const std::string& what, const std::string& instead = "");

/// Prefix of the names of a backbone's parameters: "transformer.", "gpt_neox." or "bert.".
const char* name_prefix(const NetworkConfig& network);

// gpt2 and openai-gpt: transformers, models/gpt2/configuration_gpt2.py and modeling_gpt2.py, and the same of openai.
bool is_openai_gpt(const GptConfig& config);
GptConfig gpt_from_json(const JsonFields& fields);
/// The head of a task class with `outputs` labels.
TaskConfig gpt_task_from_json(const JsonFields& fields, Task task, Dim outputs, const GptConfig& config);
void gpt_to_json(Json& json, const NetworkConfig& network, const GptConfig& config);
std::vector<ParameterName> gpt_names(const NetworkConfig& network, const GptConfig& config);

// gpt_neox: transformers, models/gpt_neox/configuration_gpt_neox.py and modeling_gpt_neox.py.
bool is_gpt_neox(const GptConfig& config);
GptConfig gpt_neox_from_json(const JsonFields& fields);
TaskConfig gpt_neox_task_from_json(const JsonFields& fields, Task task, Dim outputs, const GptConfig& config);
void gpt_neox_to_json(Json& json, const NetworkConfig& network, const GptConfig& config);
std::vector<ParameterName> gpt_neox_names(const NetworkConfig& network, const GptConfig& config);

// bert: transformers, models/bert/configuration_bert.py and modeling_bert.py.
BertConfig bert_from_json(const JsonFields& fields);
TaskConfig bert_task_from_json(const JsonFields& fields, Task task, Dim outputs, const BertConfig& config);
void bert_to_json(Json& json, const NetworkConfig& network, const BertConfig& config);
std::vector<ParameterName> bert_names(const NetworkConfig& network, const BertConfig& config);

}  // namespace rapt::hugging_face
