// SentencePiece's model files: m.model.
#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer/tokenizer_json.h"

namespace rapt {

/// Reads a SentencePiece unigram model. Ids are those of spm_encode, for any text in UTF-8 (its control pieces and
/// `<unk>`, which spm_encode takes for text, are special tokens here: SpecialTokens::kAsText makes the ids equal for
/// texts that spell them too). Decoding is spm_decode's, but that control pieces stay unless special tokens are
/// skipped.
///
/// The parts are those that Hugging Face's tokenizers know, so they load the tokenizer.json; the three things that they
/// do otherwise stand in fields which they pass over: how the table of replacements is applied (normalizer_rules.h),
/// single precision, and pieces that are not found in text (unigram_model.h). No text goes round a frame: which one a
/// model wants is not in the file.
///
/// \throws DataError  damaged bytes; another type than unigram; a model that keeps spaces as they are or puts them
///                    behind words; not exactly one unknown piece
TokenizerParts read_sentencepiece_model(std::string_view bytes, const std::string& name);

}  // namespace rapt
