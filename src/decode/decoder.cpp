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

std::int64_t most_new_tokens(const Decoder& decoder, std::size_t prompt_tokens, std::int64_t wanted) {
  const std::optional<Dim> longest = decoder.longest();
  return longest ? std::min(wanted, *longest - static_cast<Dim>(prompt_tokens)) : wanted;
}

}  // namespace rapt
