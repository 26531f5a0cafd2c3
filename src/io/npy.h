// NumPy's .npy files: a table of floats for Python (numpy.lib.format, version 1.0).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "io/durable_file.h"

namespace rapt {

/// Writes a two-dimensional array of 32-bit floats, row by row. The number of rows need not be known beforehand.
///
///     "\x93NUMPY" 1 0 | u16 length of what follows | {'descr': '<f4', 'fortran_order': False, 'shape': (R, C), }
///     padded with spaces, '\n' | R * C little-endian floats
///
/// The header always takes 128 bytes, so that the data is aligned and the number of rows can be written last. The file
/// appears completely, with finish(), or not at all.
class NpyWriter final {
 public:
  /// \throws std::invalid_argument  if columns is below 1
  /// \throws CannotCreateError, IoError  as DurableFile; so do the other members
  NpyWriter(std::string path, std::int64_t columns);

  /// Adds rows: a multiple of `columns` values. \throws std::invalid_argument  for any other number
  void append(std::span<const float> values);
  std::int64_t rows() const { return rows_; }

  /// Completes the header and renames the file to its final name. Nothing may be added afterwards.
  void finish();

 private:
  DurableFile file_;
  std::int64_t columns_, rows_ = 0;
};

}  // namespace rapt
