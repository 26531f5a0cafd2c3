// The tokenizations of BLEU and TER, equal to those of sacreBLEU (Post 2018, "A Call for Clarity in Reporting BLEU
// Scores"). They only find what to count as a word; tokenizers of models are in text/tokenizer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rapt {

/// Words for BLEU.
enum class BleuTokenization {
  k13a,   ///< ASCII punctuation separated, as in NIST's mteval-v13a.pl
  kIntl,  ///< punctuation and symbols of Unicode separated, as in mteval-v14.pl with --international-tokenization
  kChar,  ///< each character that is not white space
  kNone,  ///< at white space only
};

std::vector<std::u32string> bleu_words(std::u32string_view text, BleuTokenization tokenization);

/// The normalisation of Tercom (Snover et al. 2006), all off by default.
struct TerTokenization {
  bool normalize = false;   ///< separates ASCII punctuation, decodes XML entities
  bool punctuation = true;  ///< off removes . , ? : ; ! " ( )
  bool asian = false;       ///< with the two above, the same for Chinese and Japanese characters and punctuation
};

std::vector<std::u32string> ter_words(std::u32string_view text, const TerTokenization& tokenization);

}  // namespace rapt
