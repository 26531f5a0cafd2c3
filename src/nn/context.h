// What a forward pass is told beside its inputs: whether it trains, and where it stands in the space of random numbers.
#pragma once

#include <cstdint>

#include "tensor/random.h"

namespace rapt {

/// Mode and randomness of one forward pass. Dropout masks are a function of (seed, update, site, row, column), so a
/// resumed run and a recomputed block draw the same ones.
struct Context {
  bool training = false;   ///< dropout is on
  bool recompute = false;  ///< blocks keep only their inputs and run again during backward
  std::uint64_t seed = 0;
  std::uint64_t update = 0;  ///< which update of the run this pass belongs to
  Dim first_row = 0;         ///< rows (tokens) of earlier micro-batches of the same update
  Dim first_sequence = 0;    ///< and their sequences
  std::uint32_t site = 0;    ///< the next dropout in this pass

  /// The stream of the next dropout over rows of tokens.
  DropoutKey dropout_key() { return {random_key(seed, Purpose::kDropout, update, site++), first_row}; }
  /// The stream of the next dropout over rows that are whole sequences.
  DropoutKey sequence_dropout_key() { return {random_key(seed, Purpose::kDropout, update, site++), first_sequence}; }
  /// The stream of the next dropout over a table: the same mask for every micro-batch of the update.
  DropoutKey table_dropout_key() { return {random_key(seed, Purpose::kDropout, update, site++), 0}; }
};

}  // namespace rapt
