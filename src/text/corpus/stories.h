// Little stories in plain English, made from this project's own grammar (data/stories.grammar): the corpus that
// `rapt demo` trains on. Short sentences, a beginning, a trouble and an end, and every name keeps its pronouns, so that
// a model of a million parameters learns to write readable ones within minutes.
#pragma once

#include <cstdint>
#include <string>

namespace rapt {

/// One story, without a newline at its end; a pure function of its arguments. ASCII, a paragraph a line.
std::string story(std::uint64_t seed, std::uint64_t index);

/// Stories 0, 1, 2 ... of `seed`, each followed by a newline and separated by empty lines, until at least `bytes` bytes
/// stand there.
std::string generate_stories(std::uint64_t seed, std::size_t bytes = std::size_t{1} << 20U);

}  // namespace rapt
