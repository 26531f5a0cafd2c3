// Short stories in plain English, generated from this project's own grammar (data/stories.grammar): the corpus of `rapt
// demo`. They have short sentences, a beginning, a problem and an end, and every name keeps its pronouns, so that a
// model of a million parameters learns to write readable stories within minutes.
#pragma once

#include <cstdint>
#include <string>

namespace rapt {

/// One story, without a newline at its end; a pure function of its arguments. ASCII, one paragraph per line.
std::string story(std::uint64_t seed, std::uint64_t index);

/// Stories 0, 1, 2 ... of `seed`, each followed by a newline and separated by empty lines, until there are at least
/// `bytes` bytes.
std::string generate_stories(std::uint64_t seed, std::size_t bytes = std::size_t{1} << 20U);

}  // namespace rapt
