// The normalisers of SentencePiece's and T5's files: replacements, by rule and by table, and white space.
#pragma once

#include <memory>
#include <string>

#include "io/json.h"
#include "text/tokenizer/normalizer.h"

namespace rapt {

/// Reads a `normalizer` of a tokenizer.json:
///
/// - Replace: every match of a TextPattern by a text.
/// - Strip: white space at the ends.
/// - Prepend: a text in front of one that is not empty.
/// - Nmt: some control characters dropped, others and rare spaces turned into spaces.
/// - Precompiled: SentencePiece's table (CharsMap), as Hugging Face applies it: a grapheme cluster of up to five bytes
///   becomes what stands for the shortest text of the table that it begins with; else each character by itself. With
///   `"longest_match": true`, which only rapt writes and knows, as SentencePiece applies it: at each place the longest
///   text of the table; what `user_defined` lists is left as it is.
///
/// \return nothing for another type
/// \throws DataError
std::unique_ptr<Normalizer> normalizer_rule_from_json(const std::string& type, const JsonFields& fields);

}  // namespace rapt
