// Unigram as a tokenizer's model: tokens with scores, and the split of a word with the largest sum of scores.
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

/// The roles of pieces in a SentencePiece file: ids of those that are never found in text (control, bytes, unused) and
/// of those that always are (user-defined). With roles, the model computes as SentencePiece does.
struct SentencePieceRoles {
  std::vector<std::int32_t> control, user_defined, unused, bytes;
  /// Unknown characters that are an entry of the vocabulary together, although no piece of this side, have its id: the
  /// vocabulary belongs to two sides, as Marian's does.
  bool looks_up_unknown = false;
  OriginalFiles files = {};  ///< see TokenModel::original_files()
};

struct UnigramOptions {
  std::optional<std::int32_t> unk_id = {};  ///< replaces runs of characters that no token covers
  bool byte_fallback = false;               ///< such characters become `<0x41>` tokens, if those exist
  std::optional<SentencePieceRoles> roles = {};
};

/// Kudo 2018, "Subword Regularization", section 3.1, by Viterbi's algorithm from left to right: of two paths to the
/// same position, the later one counts only if its sum is greater. A character that is not a token has the lowest score
/// of all tokens minus 10.
///
/// Ids equal those of Hugging Face's tokenizers, which sum in double precision; with `roles`, those of SentencePiece,
/// which sums in single precision and treats pieces by their roles.
///
/// Worst-case time: a word's length times that of the longest token. Memory: 16 bytes per byte of text, but only for
/// the text after the last position, in steps of 4 KiB, that all paths pass.
///
/// \param name  the file, for messages
/// \throws DataError  for a duplicate text, a score that is not finite, or an id without a token; encoding without
///                    unk_id throws UnknownCharacter
std::unique_ptr<TokenModel> make_unigram_model(std::vector<UnigramToken> tokens, const UnigramOptions& options,
                                               const std::string& name);

/// Reads the `model` of a tokenizer.json with type Unigram; the field `sentencepiece`, which only rapt writes and
/// reads, has the roles.
/// \throws DataError
std::unique_ptr<TokenModel> unigram_model_from_json(const Json& json, const std::string& name);

}  // namespace rapt
