// The file of a checkpoint: texts, tensors and a run's state in one HDF5 file after a checksummed header.
//
//     bytes 0-511   header, the HDF5 user block: "RAPTCKPT", format version (u32), 0 (u32), body length (u64),
//                   CRC-32C of the body (u32), zeros, CRC-32C of the 508 bytes before (u32); little-endian
//     /model/<parameter>  /optimizer/<part>/<parameter>     datasets
//     /config /tokenizer ... /manifest                      string datasets
//     /state                                                attributes
//
// The code that writes and reads the names defines their meaning (checkpoint.h). Every byte is covered by a checksum.
// Equal contents give equal bytes. Tensors come before the texts, so that a longer configuration does not move them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/file.h"
#include "io/hdf5.h"
#include "io/named_tensor.h"
#include "tensor/types.h"

namespace rapt {

/// The newest format this library reads, and the one it writes. Older formats stay readable.
constexpr std::uint32_t kCheckpointFormat = 1;

using StateValue = Hdf5Value;  ///< i64, f64 or text

struct CheckpointContents {
  std::vector<std::pair<std::string, std::string>> texts;  ///< "config", "tokenizer", "manifest", ...
  std::vector<NamedTensorView> tensors;                    ///< "model/blocks.0.norm1.gain", "optimizer/m/..."
  std::vector<std::pair<std::string, StateValue>> state;
};

/// Writes a checkpoint that appears completely and durably, or not at all (io/durable_file.h). Tensors are written from
/// their place in memory, without a copy.
///
/// \throws IoError            if the disk is full, with needed and free bytes; if writing failed. The old file is
///     unchanged
/// \throws CannotCreateError  if the folder is missing or read-only
/// \throws std::invalid_argument  for a name that is none of the above, or a duplicate
void write_checkpoint(const std::string& path, const CheckpointContents& contents);

/// A verified checkpoint, open for reading. It stays readable even if a newer file takes its name.
class CheckpointFile final {
 public:
  struct Tensor {
    std::string name;
    DType dtype;
    std::vector<Dim> shape;
    DatasetPlace place;

    Dim count() const;
  };

  /// Opens and verifies the file: every byte is read and checked before any of it is used.
  /// \throws MissingInputError  if there is no such file
  /// \throws DataError          if it is not a checkpoint, is damaged, has a newer format, or has contents that no
  ///     checkpoint has
  explicit CheckpointFile(const std::string& path);

  const std::string& path() const { return path_; }
  std::uint32_t format() const { return format_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint32_t crc() const { return crc_; }  ///< CRC-32C of the body

  std::vector<std::string> texts() const;
  bool has_text(const std::string& name) const;
  std::string text(const std::string& name) const;  ///< \throws DataError if missing

  const std::vector<Tensor>& tensors() const { return tensors_; }  ///< sorted by name
  const Tensor* find_tensor(const std::string& name) const;        ///< nullptr if missing

  /// Reads a whole tensor. \throws DataError  if it is missing, has another type, or another number of elements
  template <typename T>
  void read_into(const std::string& name, std::span<T> to) const {
    read_into(name, dtype_of<T>, to.data(), static_cast<Dim>(to.size()));
  }
  void read_into(const std::string& name, DType dtype, void* to, Dim count) const;

  const std::vector<std::pair<std::string, StateValue>>& state() const { return state_; }  ///< sorted by name
  bool has_state(const std::string& name) const;
  std::int64_t state_integer(const std::string& name) const;  ///< \throws DataError if missing or of another type
  double state_number(const std::string& name) const;
  std::string state_text(const std::string& name) const;

 private:
  void verify();
  void take(Hdf5Contents contents);
  const StateValue& state_value(const std::string& name) const;
  [[noreturn]] void refuse(const std::string& what) const;

  std::string path_;
  FileDescriptor file_;
  std::uint32_t format_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint32_t crc_ = 0;
  std::vector<Hdf5Contents::Dataset> texts_;
  std::vector<Tensor> tensors_;
  std::vector<std::pair<std::string, StateValue>> state_;
};

}  // namespace rapt
