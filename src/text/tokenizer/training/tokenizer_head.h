// What a new tokenizer does besides its model: normalisation, words, decoding.
#pragma once

#include <cstdint>

#include "io/json.h"
#include "text/tokenizer/training/tokenizer_trainer.h"

namespace rapt {

inline constexpr const char* kWordEnd = "</w>";  ///< of kWordBpe
inline constexpr const char* kTextEnd =
    "</s>";  ///< ends the texts of pairs; a vocabulary that has it frames texts with it
inline constexpr const char* kSpaceMark = "\xE2\x96\x81";  ///< U+2581, before the words of kMetaspaceBpe and kUnigram

bool has_mark_before_words(TokenizerType type);

/// tokenizer.json without its model. \param first_special  id of the first special token
Json tokenizer_head(const TokenizerTrainerOptions& options, std::int32_t first_special);

/// The pre-tokenizer whose words the training counts. They are without the mark.
Json counted_words(const TokenizerTrainerOptions& options);

}  // namespace rapt
