// Unigram as a tokenizer's model: tokens with scores, and the way to write a word whose scores sum to the most.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "text/tokenizer/token_model.h"

namespace rapt {

struct UnigramToken {
  std::string text;
  double score;
};

/// What a SentencePiece file says of its pieces beyond their scores: ids of those that are not found in text (control,
/// bytes, unused) and of those that always are (user-defined). With it the model counts as SentencePiece does.
struct SentencePieceRoles {
  std::vector<std::int32_t> control, user_defined, unused, bytes;
};

struct UnigramOptions {
  std::optional<std::int32_t> unk_id = {};  ///< stands for runs of characters that no token begins with or goes on with
  bool byte_fallback = false;               ///< these become `<0x41>` tokens, if those exist
  std::optional<SentencePieceRoles> roles = {};
};

/// Kudo 2018, "Subword Regularization", section 3.1, by Viterbi's algorithm from left to right: of two ways to the same
/// place the later one counts only if its sum is greater. A character that is no token has the lowest score of all
/// tokens less 10.
///
/// Ids equal those of Hugging Face's tokenizers, which sum in double precision; with `roles` those of SentencePiece,
/// which sums in single precision and treats pieces by their roles.
///
/// Time: a word's length times that of the longest token at worst. Memory: 16 bytes a byte of text, but only since the
/// last 4 KiB behind a place that all ways pass.
///
/// \param name  the file, for messages
/// \throws DataError  a text twice, a score that is not finite, an id that is no token's; encoding without unk_id
/// throws
///                    UnknownCharacter
std::unique_ptr<TokenModel> make_unigram_model(std::vector<UnigramToken> tokens, const UnigramOptions& options,
                                               const std::string& name);

/// Reads a tokenizer.json's `model` of type Unigram; `sentencepiece`, which only rapt writes and knows, has the roles.
/// \throws DataError
std::unique_ptr<TokenModel> unigram_model_from_json(const Json& json, const std::string& name);

}  // namespace rapt
