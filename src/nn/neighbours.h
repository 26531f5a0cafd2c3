// Initial weights with which the attention of a new encoder attends to the neighbouring tokens.
//
// The best predictors of a masked word are its neighbours. With small random weights, attention starts as the mean of
// all tokens, in which the two neighbours of 128 hardly count. A small BERT then stays for thousands of updates at the
// accuracy that word frequencies give (docs/results.md, "A small BERT in half an hour"). Trained encoders have heads
// that attend to the previous and to the next token: Clark et al. 2019, "What Does BERT Look At?", arXiv 1906.04341,
// section 3.1. Here two heads start that way. Structured initial weights for attention: Trockman, Kolter 2023, "Mimetic
// Initialization of Self-Attention Layers", arXiv 2305.09828. The architecture is unchanged, and training changes all
// of these weights.
#pragma once

#include "autograd/variable.h"
#include "nn/block.h"

namespace rapt {

/// Makes positions distinguishable, and lets head 0 of the first block attend to the previous token and head 1 to the
/// next one (about a quarter of their attention in sequences of 128). Everything else is unchanged: with such heads in
/// every block, no head would attend to whole sequences, which next sentences and labels need.
///
/// Positions become sines and cosines in the first columns and 0 in the others, which remain for the tokens. A head's
/// queries start with the position, and its keys with the position rotated by one step, so that the product is largest
/// for the neighbour.
///
/// \param positions  [context, C], rewritten
/// \param first      the block to whose queries and keys of heads 0 and 1 the two maps are added
/// \param token_std  of the token vectors; positions get the same length
void begin_with_neighbours(const Variable& positions, const TransformerBlock& first, Dim heads, double token_std);

}  // namespace rapt
