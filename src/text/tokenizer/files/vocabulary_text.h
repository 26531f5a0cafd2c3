// vocab.txt, BERT's own form of a tokenizer: one token a line, its id the number of the line from 0 on.
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
/// tokens where they are in it; `[UNK]` must be.
///
/// \param config  tokenizer_config.json, or null. Of it count do_lower_case, strip_accents and tokenize_chinese_chars;
///                without do_lower_case, text is lower-cased if no entry has a capital letter, those in brackets aside
/// \throws DataError  no [UNK], a token twice, not UTF-8, a setting of the wrong kind
TokenizerParts read_vocabulary_text(std::string_view text, const Json& config, const std::string& name);

/// BERT's tokenizer as tokenizer.json has it, without the model: BertNormalizer, BertPreTokenizer, the frame
/// `[CLS] A [SEP] B [SEP]` if there are both, the decoder of WordPiece.
/// \param special  the special tokens and their ids
Json bert_head(const BertNormalizerOptions& options, const std::vector<std::pair<std::string, std::int32_t>>& special);

}  // namespace rapt
