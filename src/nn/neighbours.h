// First weights that let the attention of a fresh encoder begin with the tokens beside each one.
//
// A masked word is told first by its neighbours. From small random weights attention begins with the mean of all
// tokens, in which the two neighbours of 128 are hardly seen, and a small BERT stays for thousands of updates at what
// words alone tell (docs/results.md, "A small BERT in half an hour"). Trained encoders have heads that look at the
// token before and at the token behind: Clark et al. 2019, "What Does BERT Look At?", arXiv 1906.04341, section 3.1;
// here they begin that way. Structured first weights for attention: Trockman, Kolter 2023, "Mimetic Initialization of
// Self-Attention Layers", arXiv 2305.09828. The architecture stays as it is, and training changes all of it.
#pragma once

#include "autograd/variable.h"
#include "nn/block.h"

namespace rapt {

/// Makes positions that can be told apart, and lets head 0 of the first block look at the token before each one and
/// head 1 at the token behind it (about a quarter of their attention in sequences of 128). All else stays as it is:
/// with such heads in every block nothing would look at whole sequences, which is what next sentences and labels are
/// told by.
///
/// Positions become sines and cosines in the first columns and 0 in the others, which the tokens have for themselves.
/// A head's queries begin with the position and its keys with the position turned by one step, so that the product is
/// largest for the neighbour.
///
/// \param positions  [context, C], rewritten
/// \param first      the block whose queries and keys of heads 0 and 1 get the two maps added
/// \param token_std  of the token vectors, to which the positions become as long
void begin_with_neighbours(const Variable& positions, const TransformerBlock& first, Dim heads, double token_std);

}  // namespace rapt
