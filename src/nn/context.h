// The context of a forward pass: whether it is a training pass, and which random numbers it uses.
#pragma once

#include <cstdint>

#include "tensor/batch.h"
#include "tensor/random.h"

namespace rapt {

/// Mode and randomness of one forward pass. Dropout masks are a function of (seed, update, site, row, column), so a
/// resumed run and a recomputed block draw the same ones.
struct Context {
  bool training = false;   ///< dropout is on
  bool recompute = false;  ///< blocks keep only their inputs and are recomputed during backward
  std::uint64_t seed = 0;
  std::uint64_t update = 0;  ///< the run's update that this pass belongs to
  BatchCounts before = {};   ///< counts of the earlier micro-batches of the same update
  std::uint32_t site = 0;    ///< the next dropout in this pass

  /// The random stream of the next dropout over rows of tokens.
  DropoutKey dropout_key() { return {random_key(seed, Purpose::kDropout, update, site++), before.input.rows}; }
  /// The random stream of the next dropout over rows that are whole sequences.
  DropoutKey sequence_dropout_key() {
    return {random_key(seed, Purpose::kDropout, update, site++), before.input.sequences};
  }
  /// The random stream of the next dropout over a table: the same mask for every micro-batch of the update.
  DropoutKey table_dropout_key() { return {random_key(seed, Purpose::kDropout, update, site++), 0}; }
};

}  // namespace rapt
