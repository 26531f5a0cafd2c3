// Writing HDF5 files: a layout and the datasets' bytes, in file order, through a DurableFile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "io/durable_file.h"
#include "io/hdf5.h"

namespace rapt {

/// Receives the next bytes of a dataset.
using ByteSink = std::function<void(const void* data, std::size_t bytes)>;

/// Passes all bytes of the dataset with this index (Hdf5Plan::places) to the sink, in any number of pieces.
using FillDataset = std::function<void(std::size_t dataset, const ByteSink& sink)>;

/// Writes the planned file from out.size() on: the bytes that the caller appended before (the user block) take the
/// place of the plan's own first bytes. Datasets are requested in file order; none is held in memory.
void write_hdf5(DurableFile& out, const Hdf5Plan& plan, const FillDataset& fill);

/// Writes a file with one long dataset whose length is known only at its end, such as a corpus that is being tokenised.
/// The elements are written directly to their final place.
///
///     Hdf5Appender tokens("d.h5", "tokens", ElementType::kU16);
///     while (...) tokens.append(ids.data(), ids.size());
///     Hdf5Layout rest;  rest.add_attribute("", "vocabulary", std::int64_t{8000});  ...
///     tokens.commit(rest, fill);
class Hdf5Appender final {
 public:
  /// \throws as DurableFile
  Hdf5Appender(std::string path, std::string dataset, ElementType type);

  void append(const void* elements, std::size_t count);
  std::uint64_t count() const { return count_; }

  /// Finishes the file with the other datasets, groups and attributes that `rest` describes. `fill` gives their bytes,
  /// by the indices that rest's add_... functions returned.
  /// \throws DataError  if nothing was appended
  void commit(const Hdf5Layout& rest = Hdf5Layout(), const FillDataset& fill = nullptr);

 private:
  void flush();

  std::string dataset_;
  ElementType type_;
  std::uint64_t start_;
  DurableFile out_;
  std::string buffer_;
  std::uint64_t count_ = 0;
};

}  // namespace rapt
