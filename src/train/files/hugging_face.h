// Hugging Face directories, the exchange format: reads and writes config.json and model.safetensors of the kinds gpt2,
// openai-gpt, gpt_neox and bert. train/models/hugging_face_kind.h defines the meaning of their keys and names.
#pragma once

#include <string>
#include <vector>

#include "nn/models/any_network.h"
#include "train/files/tokenizers.h"
#include "train/models/hugging_face_config.h"

namespace rapt {

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

/// Writes config.json, model.safetensors, generation_config.json for language models and, with a tokenizer,
/// tokenizer.json, tokenizer_config.json and special_tokens_map.json, or the files that Marian's tokenizers were read
/// from. f32 weights keep their bits. Switched-off biases are written as zeros, because transformers has no switch for
/// them. An untied language-model head is omitted from classes that have none.
/// \param network  must match the configuration
/// \throws CannotCreateError, IoError, UsageError
void write_hugging_face(Module& network, const HuggingFaceConfig& config, const Tokenizers& tokenizers,
                        const std::string& directory);

}  // namespace rapt
