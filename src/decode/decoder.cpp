#include "decode/decoder.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace rapt {

void check_prompts(const Decoder& decoder, const TokenLists& prompts) {
  const auto require = [](bool holds, const auto& message) {
    if (!holds) throw std::invalid_argument("generate: " + message());
  };
  require(prompts.size() == decoder.sequences(), [&] {
    return "each of the decoder's " + std::to_string(decoder.sequences()) + " sequences must have a prompt, got " +
           std::to_string(prompts.size());
  });
  const Dim V = decoder.vocabulary();
  const std::optional<Dim> longest = decoder.longest();
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    require(!prompts[p].empty(),
            [&] { return "prompt " + std::to_string(p) + " is empty; it needs at least one token"; });
    for (const std::int32_t id : prompts[p]) {
      require(id >= 0 && id < V, [&] {
        return "token ids must be below " + std::to_string(V) + ", got " + std::to_string(id) + " in prompt " +
               std::to_string(p);
      });
    }
    require(!longest || static_cast<Dim>(prompts[p].size()) < *longest, [&] {
      return "prompt " + std::to_string(p) + " must have fewer than " + std::to_string(*longest) + " tokens, got " +
             std::to_string(prompts[p].size()) + "; shorten it";
    });
  }
}

Stream continued_stream(const TokenLists& tokens, const std::vector<Dim>& starts) {
  std::vector<Dim> lengths;
  std::vector<std::int32_t> ids, positions;
  for (std::size_t b = 0; b < tokens.size(); ++b) {
    lengths.push_back(static_cast<Dim>(tokens[b].size()));
    for (std::size_t i = 0; i < tokens[b].size(); ++i) {
      ids.push_back(tokens[b][i]);
      positions.push_back(static_cast<std::int32_t>(starts[b] + static_cast<Dim>(i)));
    }
  }
  const auto N = static_cast<Dim>(ids.size());
  return {.layout = pack_lengths(lengths), .tokens = Tensor::from(ids, {N}), .positions = Tensor::from(positions, {N})};
}

}  // namespace rapt
