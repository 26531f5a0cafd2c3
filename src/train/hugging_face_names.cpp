// What parameters are called in transformers: models/gpt2/modeling_gpt2.py and models/openai/modeling_openai.py. Both
// share the names inside a block.
#include "train/hugging_face.h"

namespace rapt {

std::vector<ParameterName> hugging_face_names(const GptConfig& config) {
  const bool gpt1 = config.norm == NormPlacement::kPost;
  const std::string root = "transformer.";
  std::vector<ParameterName> names = {
      {"tokens.weight", root + (gpt1 ? "tokens_embed.weight" : "wte.weight")},
      {"positions.weight", root + (gpt1 ? "positions_embed.weight" : "wpe.weight")},
  };
  for (Dim layer = 0; layer < config.layers; ++layer) {
    const std::string ours = "blocks." + std::to_string(layer) + ".",
                      theirs = root + "h." + std::to_string(layer) + ".";
    const auto norm = [&](const char* our_name, const char* their_name) {
      names.push_back({ours + our_name + ".gain", theirs + their_name + ".weight"});
      names.push_back({ours + our_name + ".bias", theirs + their_name + ".bias"});
    };
    const auto linear = [&](const char* our_name, const char* their_name) {
      names.push_back({ours + our_name + ".weight", theirs + their_name + ".weight", true});
      names.push_back({ours + our_name + ".bias", theirs + their_name + ".bias"});
    };
    norm("norm1", "ln_1");
    linear("attention.qkv", "attn.c_attn");
    linear("attention.out", "attn.c_proj");
    norm("norm2", "ln_2");
    linear("feed_forward.up", "mlp.c_fc");
    linear("feed_forward.down", "mlp.c_proj");
  }
  if (!gpt1) {
    names.push_back({"norm.gain", root + "ln_f.weight"});
    names.push_back({"norm.bias", root + "ln_f.bias"});
  }
  names.push_back({"head.weight", "lm_head.weight"});
  return names;
}

}  // namespace rapt
