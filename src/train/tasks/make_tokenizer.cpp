#include "train/tasks/make_tokenizer.h"

#include <fmt/format.h>

#include "text/tokenizer/files/tokenizer_files.h"

namespace rapt {

TokenizerTrainerOptions trainer_options(const TrainConfig& config) {
  TokenizerTrainerOptions options;
  options.type = tokenizer_type_named(config.tokenizer);
  // GPT-1's byte pairs lose the spaces of a text, which a translation needs.
  if (config.has_source() && options.type == TokenizerType::kWordBpe) options.type = TokenizerType::kMetaspaceBpe;
  options.vocabulary = config.vocabulary;
  const bool keeps_case = options.type == TokenizerType::kByteBpe || options.type == TokenizerType::kWordBpe ||
                          options.type == TokenizerType::kByte || options.type == TokenizerType::kChar;
  options.lowercase = !keeps_case && config.lowercase;
  options.min_frequency = config.min_frequency;
  options.special = config.has_source() ? pair_special_tokens() : default_special_tokens(options.type);
  return options;
}

std::shared_ptr<const Tokenizer> make_tokenizer(const TrainConfig& config, const Notice& notice,
                                                const LearnTokenizer& learn) {
  if (!config.learns_tokenizer()) return load_tokenizer(config.tokenizer);
  std::shared_ptr<const Tokenizer> tokenizer = learn(trainer_options(config));
  notice(
      fmt::format("tokenizer: {}, {} entries, trained on the data", tokenizer->kind(), tokenizer->vocabulary_size()));
  return tokenizer;
}

}  // namespace rapt
