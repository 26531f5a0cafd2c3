// Rows of tables by index: embeddings, and the selection of rows.
#pragma once

#include <vector>

#include "autograd/variable.h"

namespace rapt {

/// One table, and the row of it that each position takes.
struct EmbeddingLookup {
  Tensor ids;                 ///< [N] i32, each in [0, rows)
  Variable table;             ///< [rows, C]
  std::int32_t padding = -1;  ///< a row that gets no gradient from this lookup, as PyTorch's padding_idx; -1: none
};

/// The sum of one row from each table: token + position + segment embeddings in one pass.
///
///     y[n] = sum over lookups of table[ids[n]]
///
/// \return  [N, C]
/// \throws ShapeError  if a table is not [rows, C] or the lookups differ in N, C or element type
/// \throws std::invalid_argument  if an id is negative or not below the rows of its table, or there is no lookup
///
/// Differentiable in the tables; backward does not touch rows that no id selects. The gradients of rows that several n
/// share are added in the order of n: the same bits on any number of threads.
Variable embedding(const std::vector<EmbeddingLookup>& lookups);

/// The rows of x that `rows` selects, in its order; a row may be selected twice.
///
///     y[m] = x[rows[m]]
///
/// \param x     [N, C]
/// \param rows  [M] i32, each in [0, N)
/// \return      [M, C]
/// \throws ShapeError  if x does not have two axes or rows is not [M] i32
/// \throws std::invalid_argument  if a row is not in x
///
/// Differentiable in x.
Variable gather_rows(const Variable& x, const Tensor& rows);

}  // namespace rapt
