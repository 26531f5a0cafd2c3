// vocab.txt, BERT's tokenizer file: one token per line; its id is the line number, counted from 0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/json.h"
#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/tokenizer_json.h"

namespace rapt {

/// Reads a vocab.txt as BERT's tokenizer (bert_head). `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]` become special
/// tokens if they occur in it; `[UNK]` must.
///
/// \param config  tokenizer_config.json, or null. Its do_lower_case, strip_accents and tokenize_chinese_chars are used.
///                Without do_lower_case, text is lower-cased if no entry has a capital letter, except those in brackets
/// \throws DataError  if [UNK] is missing, a token occurs twice, the text is not UTF-8, or a setting has the wrong type
TokenizerParts read_vocabulary_text(std::string_view text, const Json& config, const std::string& name);

/// BERT's tokenizer in the form of tokenizer.json, without the model: BertNormalizer, BertPreTokenizer, the template
/// `[CLS] A [SEP] B [SEP]` if both tokens exist, and WordPiece's decoder.
/// \param special  the special tokens and their ids
Json bert_head(const BertNormalizerOptions& options, const std::vector<std::pair<std::string, std::int32_t>>& special);

}  // namespace rapt
