// The most similar of the existing names, for "did you mean" in messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rapt {

/// The minimum number of insertions, deletions, replacements and swaps of adjacent bytes that turn `a` into `b` (the
/// optimal string alignment distance; Damerau 1964, "A technique for computer detection and correction of spelling
/// errors").
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The most similar of `names`, or "" if none is similar enough: at most a third of the longer word may differ, or
/// `typed` is a prefix of a name. Comparison ignores case and treats '_' as '-'.
std::string nearest(std::string_view typed, const std::vector<std::string>& names);

/// "; did you mean --width?", or "" if nothing is similar. `prefix` stands before the name. The name may come from a
/// file and is escaped.
std::string did_you_mean(std::string_view typed, const std::vector<std::string>& names, std::string_view prefix = "");

}  // namespace rapt
