// The kinds of networks behind config.json's model_type: what their keys mean and what their parameters are called.
// Only the files of the border (hugging_face.h) read this.
#pragma once

#include <string>
#include <vector>

#include "train/files/hugging_face.h"

namespace rapt::hugging_face {

/// A key of transformers' ACT2FN. \throws DataError  for one that is not known here, listing those that are
Activation activation_from(const JsonFields& fields, const char* key, const char* fallback);
/// \return  null if transformers has no such activation
const char* activation_name(Activation activation);

/// Throws the UsageError that says what transformers does not have, and what to do instead if there is something.
[[noreturn]] void refuse_export(const std::string& what, const std::string& instead = "");

/// What the names of a backbone's parameters begin with: "transformer.", "gpt_neox." or "bert.".
const char* name_prefix(const NetworkConfig& network);

// gpt2 and openai-gpt: transformers, models/gpt2/configuration_gpt2.py and modeling_gpt2.py, and the same of openai.
bool is_openai_gpt(const GptConfig& config);
GptConfig gpt_from_json(const JsonFields& fields);
/// The head for one of the tasks that a class of `outputs` labels has.
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
