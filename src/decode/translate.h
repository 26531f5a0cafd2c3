// Translates any number of sources: batches of similar lengths, results in any order.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "decode/beam.h"

namespace rapt {

/// Makes a decoder for these sources, which have their end tokens. Called by several threads at once.
using DecoderMaker = std::function<std::unique_ptr<Decoder>(const Stream& sources)>;

struct TranslateOptions {
  std::vector<std::int32_t> prompt = {};  ///< of every text: the start token, and a prefix
  std::optional<BeamOptions> beam = {};   ///< beam search; nothing: `sampling`
  GenerateOptions sampling = {};          ///< sampling or greedy decoding
  LengthLimits limits = {};
  double least_ratio = 0, most_ratio = 0;  ///< further limits, in tokens per source token; 0: none
  std::int64_t allowance = 0;              ///< tokens that the second one allows in addition
  std::size_t batch_sources = 64;          ///< maximum number of sources in a batch
  std::size_t batch_tokens = 4096;         ///< maximum number of their tokens; a source of more tokens is on its own
};

/// The limits of a text for a source of this many tokens, including its end token.
LengthLimits limits_for(const TranslateOptions& options, std::size_t source_tokens);

/// Translates each source. Neither the results nor their scores depend on the batches. Several batches are computed
/// side by side, each on one thread, if there are enough of them. \param sources  with end tokens \param first number
/// of the first source, for messages and random numbers \param done     receives each source's index and its texts:
/// options.beam->best of them, or
///                 options.sampling.samples; batch by batch, from one thread at a time
/// \throws as beam_search() and generate()
void translate(const TokenLists& sources, const DecoderMaker& make_decoder, const TranslateOptions& options,
               std::size_t first, const std::function<void(std::size_t source, std::vector<Generated> texts)>& done);

}  // namespace rapt
