// The options of generate, translate and summarize that say how the next token is chosen.
#pragma once

#include <optional>
#include <vector>

#include "decode/beam.h"
#include "options.h"

namespace rapt::app {

/// What a command does without options.
struct DecodingDefaults {
  std::int64_t beams = 0;  ///< 0: no beam search
  std::int64_t no_repeat_ngram = 0;
};

/// --beam, --length-penalty, --no-repeat-ngram ...; --greedy, --temperature, --top-k ...
std::vector<Option> decoding_options(const DecodingDefaults& defaults);

/// \name From the options, or else the defaults @{
/// \throws UsageError
SamplingOptions sampling_of(const Arguments& arguments);
Constraints constraints_of(const Arguments& arguments, const DecodingDefaults& defaults);
/// Nothing without beam search: --greedy, --sample, or an option of sampling.
std::optional<BeamOptions> beam_of(const Arguments& arguments, const DecodingDefaults& defaults);
/// @}

}  // namespace rapt::app
