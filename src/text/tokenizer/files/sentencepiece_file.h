// SentencePiece's model files: m.model.
#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer/tokenizer_json.h"

namespace rapt {

/// Reads a SentencePiece unigram model. Ids are those of spm_encode, for any UTF-8 text. (Its control pieces and
/// `<unk>`, which spm_encode treats as text, are special tokens here; SpecialTokens::kAsText makes the ids equal even
/// for texts that contain them.) Decoding equals spm_decode's, except that control pieces are kept unless special
/// tokens are skipped.
///
/// The parts are those that Hugging Face's tokenizers know, so they load the tokenizer.json. Three differences are
/// stored in fields that they ignore: how the replacement table is applied (normalizer_rules.h), single precision, and
/// pieces that are never found in text (unigram_model.h). No tokens are added around a text, because the file does not
/// say which ones a model needs.
///
/// \throws DataError  for damaged bytes; for a type other than unigram; for a model that keeps spaces unchanged or puts
///                    them after words; if there is not exactly one unknown piece
TokenizerParts read_sentencepiece_model(std::string_view bytes, const std::string& name);

/// The same with the ids of a vocab.json, as Marian's models have them: a vocabulary that several .spm files share.
/// Entries that are not pieces of this file are never found in text, except for language codes, `>>de<<`, and for runs
/// of characters that no piece covers. `</s>`, `<unk>`, `<pad>` and `<s>` are special tokens. Ids are those of
/// transformers' MarianTokenizer.
///
/// \param vocabulary       the text of vocab.json
/// \param vocabulary_name  its name, for messages
/// \param files            what Tokenizer::original_files() gives
/// \throws DataError  as above; if the ids have gaps, or a piece or `<unk>` has none
TokenizerParts read_sentencepiece_model(std::string_view bytes, const std::string& name, std::string_view vocabulary,
                                        const std::string& vocabulary_name, OriginalFiles files);

}  // namespace rapt
