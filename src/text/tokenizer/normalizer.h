// Normalisation before text is split into words: BERT's cleaning, Unicode normal forms, lower case.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/json.h"

namespace rapt {

/// Maps text to text. Immutable; safe to use from many threads.
class Normalizer {
 public:
  virtual ~Normalizer() = default;

  /// Bytes that are not UTF-8 count as U+FFFD.
  virtual std::string normalize(std::string_view text) const = 0;

  /// Whether a text may be split before white space that follows something else, and its parts be normalised
  /// separately.
  virtual bool may_cut() const { return true; }

  /// The form in tokenizer.json.
  virtual Json to_json() const = 0;
};

/// Cleaning and lower-casing as in BERT's BasicTokenizer, in this order: drop NUL, U+FFFD and control characters (tab,
/// newline and carriage return count as spaces) and turn every space into U+0020; surround CJK ideographs with spaces;
/// decompose and drop nonspacing marks; lower case. Devlin et al. 2018; the order and the corner cases are those of
/// Hugging Face's BertNormalizer.
struct BertNormalizerOptions {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;
  bool lowercase = true;
};
std::unique_ptr<Normalizer> make_bert_normalizer(const BertNormalizerOptions& options = {});

/// Reads the `normalizer` of a tokenizer.json: BertNormalizer, Lowercase, NFC, NFD, NFKC, NFKD, StripAccents, one of
/// normalizer_rules.h, or a Sequence of them.
/// \return nothing for null
/// \throws DataError  for another type, or a field of the wrong kind
std::unique_ptr<Normalizer> normalizer_from_json(const Json& json, const std::string& name);

}  // namespace rapt
