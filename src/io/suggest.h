// The nearest of the names that exist, for "did you mean" in messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rapt {

/// Fewest insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, in bytes (the optimal
/// string alignment distance; Damerau 1964, "A technique for computer detection and correction of spelling errors").
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The one of `names` nearest to `typed`, or "" when none is near enough to be what was meant: at most a third of the
/// longer word may be wrong, or `typed` begins a name. Names are compared without regard to case and with '_' as '-'.
std::string nearest(std::string_view typed, const std::vector<std::string>& names);

/// "; did you mean --width?", or "" when nothing is near. `prefix` stands before the name, which may come
/// from a file: it is made safe to show.
std::string did_you_mean(std::string_view typed, const std::vector<std::string>& names, std::string_view prefix = "");

}  // namespace rapt
