// Hugging Face directories, the border to everything else: config.json and model.safetensors of the gpt2 and openai-gpt
// kinds, in and out. One table per kind says what each parameter is called on either side.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/json.h"
#include "nn/models/gpt.h"
#include "text/tokenizer.h"

namespace rapt {

/// A parameter under both of its names. transformers' Conv1D keeps [in, out] where we keep [out, in].
struct ParameterName {
  std::string ours, theirs;
  bool transposed = false;
};

/// The table for a network's kind and depth, biases and untied head included whether the network has them or not.
std::vector<ParameterName> hugging_face_names(const GptConfig& config);

/// Reads config.json of a gpt2 or openai-gpt model.
/// \throws DataError  naming the file, the key and what is supported, for any other kind and for every switch that
/// would
///                    change the mathematics and is not known here
GptConfig gpt_config_from_json(const Json& config, const std::string& name);

/// The config.json that transformers reads back as the same network.
/// \param end_of_text  id of the token that ends a document, -1 for none
/// \throws UsageError  if transformers has no such network (rotary positions, GPT-1 with the erf GELU ...)
Json gpt_config_to_json(const GptConfig& config, std::int64_t end_of_text);

/// Reads the network of a Hugging Face directory; f16, bf16 and f64 weights become f32.
/// \throws MissingInputError, DataError  naming file and tensor
std::unique_ptr<Gpt> read_hugging_face_gpt(const std::string& directory);

/// Writes config.json, generation_config.json, model.safetensors and, with a tokenizer, tokenizer.json,
/// tokenizer_config.json and special_tokens_map.json. f32 weights keep their bits; switched-off biases are written as
/// zeros, because transformers has no switch for them.
/// \throws CannotCreateError, IoError, UsageError
void write_hugging_face_gpt(Gpt& model, const Tokenizer* tokenizer, const std::string& directory);

}  // namespace rapt
