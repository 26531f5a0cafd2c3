#include "text/corpus/stories.h"

#include "tensor/random.h"
#include "text/corpus/grammar.h"

namespace rapt {

extern const char* const kStoriesGrammar;  // data/stories.grammar, embedded by cmake/RaptEmbed.cmake

static const Grammar& stories_grammar() {
  static const Grammar grammar(kStoriesGrammar, "stories.grammar");
  return grammar;
}

std::string story(std::uint64_t seed, std::uint64_t index) {
  return stories_grammar().expand("story", Rng(random_key(seed, Purpose::kText, index)));
}

std::string generate_stories(std::uint64_t seed, std::size_t bytes) {
  std::string text;
  for (std::uint64_t index = 0; text.size() < bytes; ++index) {
    if (index > 0) text += '\n';
    text += story(seed, index);
    text += '\n';
  }
  return text;
}

}  // namespace rapt
