// The normalisers in SentencePiece's and T5's files: replacements, by rule and by table, and white space.
#pragma once

#include <memory>
#include <string>

#include "io/json.h"
#include "text/tokenizer/normalizer.h"

namespace rapt {

/// Reads a `normalizer` of a tokenizer.json:
///
/// - Replace: replaces every match of a TextPattern with a text.
/// - Strip: removes white space at the ends.
/// - Prepend: puts a text in front of a non-empty text.
/// - Nmt: drops some control characters, and turns others and rare spaces into spaces.
/// - Precompiled: SentencePiece's table (CharsMap), as Hugging Face applies it: a grapheme cluster of up to five bytes
///   is replaced by the replacement for the shortest text of the table that is its prefix; otherwise each character
///   separately. With `"longest_match": true`, which only rapt writes and reads, as SentencePiece applies it: the
///   longest text of the table at each position; entries of `user_defined` are left unchanged.
///
/// \return nothing for another type
/// \throws DataError
std::unique_ptr<Normalizer> normalizer_rule_from_json(const std::string& type, const JsonFields& fields);

}  // namespace rapt
