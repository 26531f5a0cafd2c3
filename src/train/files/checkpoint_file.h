// The file of a checkpoint: texts, tensors and a run's state in one HDF5 file behind a checksummed header.
//
//     bytes 0-511   header, the HDF5 user block: "RAPTCKPT", format version (u32), 0 (u32), body length (u64),
//                   CRC-32C of the body (u32), zeros, CRC-32C of the 508 bytes before (u32); little-endian
//     /model/<parameter>  /optimizer/<part>/<parameter>     datasets
//     /config /tokenizer ... /manifest                      string datasets
//     /state                                                attributes
//
// What the names mean is the business of who writes and reads them (checkpoint.h). Every byte is covered by a checksum;
// equal contents give equal bytes, and tensors lie before the texts, so that a longer configuration moves none of them.
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

/// The newest format this library reads, and the one it writes. Older ones stay readable.
constexpr std::uint32_t kCheckpointFormat = 1;

using StateValue = Hdf5Value;  ///< i64, f64 or text

struct CheckpointContents {
  std::vector<std::pair<std::string, std::string>> texts;  ///< "config", "tokenizer", "manifest", ...
  std::vector<NamedTensorView> tensors;                    ///< "model/blocks.0.norm1.gain", "optimizer/m/..."
  std::vector<std::pair<std::string, StateValue>> state;
};

/// Writes a checkpoint that appears under its name whole and durable, or not at all (io/durable_file.h). Tensors go
/// from where they lie to the file; no second copy is made.
///
/// \throws IoError            disk full, with needed and free bytes; writing failed. The old file is as it was
/// \throws CannotCreateError  the folder is missing or read-only
/// \throws std::invalid_argument  a name that is not of the kinds above, or given twice
void write_checkpoint(const std::string& path, const CheckpointContents& contents);

/// A verified checkpoint, open for reading. Stays readable when the file's name is given to a newer one meanwhile.
class CheckpointFile final {
 public:
  struct Tensor {
    std::string name;
    DType dtype;
    std::vector<Dim> shape;
    DatasetPlace place;

    Dim count() const;
  };

  /// Opens and verifies: every byte is read and checked before anything is believed.
  /// \throws MissingInputError  if there is no such file
  /// \throws DataError          not a checkpoint, damaged, of a newer format, or with contents no checkpoint has
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

  /// Reads a whole tensor. \throws DataError  if it is missing, of another type, or has another number of elements
  template <typename T>
  void read_into(const std::string& name, std::span<T> to) const {
    read_into(name, dtype_of<T>, to.data(), static_cast<Dim>(to.size()));
  }
  void read_into(const std::string& name, DType dtype, void* to, Dim count) const;

  const std::vector<std::pair<std::string, StateValue>>& state() const { return state_; }  ///< sorted by name
  bool has_state(const std::string& name) const;
  std::int64_t state_integer(const std::string& name) const;  ///< \throws DataError if missing or of another kind
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

/// Whether the file begins like a checkpoint; says nothing about the rest. False if it cannot be read.
bool looks_like_checkpoint(const std::string& path);

}  // namespace rapt
