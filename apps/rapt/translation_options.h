// The options of translate and summarize that say what a text is like and how it is searched.
#pragma once

#include <vector>

#include "decode/translate.h"
#include "decoding_options.h"
#include "translation.h"

namespace rapt::app {

/// What distinguishes the commands without options.
struct TranslationKind {
  DecodingDefaults decoding;
  std::int64_t max_length = 0;  ///< 0: by ratio only
};
constexpr TranslationKind kTranslate{.decoding = {.beams = 5}};
constexpr TranslationKind kSummarize{.decoding = {.beams = 5, .no_repeat_ngram = 3}, .max_length = 128};

/// decoding_options(), limits of lengths, the size of batches.
std::vector<Option> translation_options(const TranslationKind& kind);

/// What these options say, with the rules that belong to the model. \throws UsageError
TranslateOptions translate_options(const Arguments& arguments, const TranslationKind& kind,
                                   const TranslationModel& model);

}  // namespace rapt::app
