// The output of `rapt data` for the tokenised pairs of a translation or summarisation run.
#pragma once

#include <string>

#include "io/json.h"
#include "text/pairs/pair_store.h"

namespace rapt::app {

Json pairs_json(const PairStore& store);
std::string pairs_table(const PairStore& store);

/// The first pairs of a part: the ids of both sides, and their texts.
/// \param most  maximum number of tokens of each side
std::string show_pairs(const PairStore& store, Part part, Dim count, Dim most);

}  // namespace rapt::app
