// A small parallel corpus for tests: sentences of a toy language, and what they are in another one. The words are
// translated one by one, the verb goes to the end, and an adjective goes behind its noun.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>

#include "tensor/random.h"

namespace rapt::testing {

struct ParallelCorpus {
  std::string source, target;  ///< one sentence per line
};

inline ParallelCorpus parallel_corpus(int sentences, std::uint64_t seed = 1) {
  struct Word {
    const char *source, *target;
  };
  static constexpr Word kNouns[] = {{"dog", "canu"},   {"cat", "felo"},   {"bird", "avio"}, {"tree", "arbo"},
                                    {"child", "nino"}, {"house", "caso"}, {"river", "rivo"}};
  static constexpr Word kAdjectives[] = {
      {"old", "vetus"}, {"small", "parvus"}, {"green", "virdus"}, {"quiet", "cietus"}};
  static constexpr Word kVerbs[] = {{"sees", "vidat"}, {"finds", "trovat"}, {"likes", "amat"}, {"hears", "audat"}};
  Rng rng(random_key(seed, Purpose::kText));
  const auto pick = [&rng](const auto& words) { return words[rng.below(std::size(words))]; };
  ParallelCorpus corpus;
  for (int i = 0; i < sentences; ++i) {
    const Word verb = pick(kVerbs);
    std::string source, target;
    for (const bool is_subject : {true, false}) {
      const Word noun = pick(kNouns), adjective = pick(kAdjectives);
      const bool described = rng.below(2) == 0;
      source += std::string("the ") + (described ? std::string(adjective.source) + " " : "") + noun.source;
      target += std::string("la ") + noun.target + (described ? std::string(" ") + adjective.target : "") + " ";
      if (is_subject) source += std::string(" ") + verb.source + " ";
    }
    target += verb.target;
    corpus.source += source + ".\n";
    corpus.target += target + ".\n";
  }
  return corpus;
}

}  // namespace rapt::testing
