// safetensors, the weight files of Hugging Face directories: read with every check that the format requires, and
// written with the same byte layout as its reference implementation. (huggingface/safetensors: README.md, "Format".)
//
//     8 bytes     length N of the header, little-endian
//     N bytes     JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...}
//     the rest    the tensors, row-major, little-endian, without gaps
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "io/element_type.h"
#include "io/file.h"
#include "io/hdf5_stream.h"
#include "io/named_tensor.h"

namespace rapt {

/// One tensor of a file.
struct SafetensorsEntry {
  std::string name;
  ElementType type{};
  std::vector<Dim> shape;
  std::uint64_t offset = 0;  ///< of its first byte in the file
  std::uint64_t bytes = 0;

  Dim count() const { return static_cast<Dim>(bytes / size_of(type)); }
};

using SafetensorsMetadata = std::map<std::string, std::string>;

/// One open file. Its header is validated when it is opened: at most 100,000,000 bytes and 65,536 tensors of rank 8 or
/// less; known types; unique names; offsets that cover the data exactly once, each as long as its shape implies.
class SafetensorsFile final {
 public:
  /// \throws MissingInputError, DataError
  explicit SafetensorsFile(const std::string& path);

  const std::string& path() const { return path_; }
  const std::vector<SafetensorsEntry>& tensors() const { return tensors_; }  ///< in the order of their data
  const SafetensorsEntry* find(const std::string& name) const;               ///< nullptr if missing
  const SafetensorsMetadata& metadata() const { return metadata_; }

  /// The stored bytes of a tensor.
  std::string read_bytes(const SafetensorsEntry& tensor) const;

  /// All elements as f32 (convert_to_f32: exact for F32, F16, BF16). `to` must have tensor.count() elements.
  void read_f32(const SafetensorsEntry& tensor, std::span<float> to) const;

 private:
  std::string path_;
  FileDescriptor file_;
  std::vector<SafetensorsEntry> tensors_;  // sorted by offset
  std::vector<std::size_t> by_name_;       // indices into tensors_, sorted by name
  SafetensorsMetadata metadata_;
};

/// A tensor to be written, whose bytes come later.
struct SafetensorsSpec {
  std::string name;
  ElementType type{};
  std::vector<Dim> shape;
};

/// Writes one file durably (DurableFile) and in the layout of the reference implementation: tensors by decreasing
/// element size, then name; header padded to a multiple of 8. `fill` is called for each tensor's bytes, with its index
/// in `tensors`.
/// \throws std::invalid_argument  for a name given twice; as DurableFile otherwise
void write_safetensors(const std::string& path, const std::vector<SafetensorsSpec>& tensors, const FillDataset& fill,
                       const SafetensorsMetadata& metadata = {{"format", "pt"}});

/// The same for tensors in memory. Older versions of transformers need the metadata {"format": "pt"}.
void write_safetensors(const std::string& path, const std::vector<NamedTensorView>& tensors,
                       const SafetensorsMetadata& metadata = {{"format", "pt"}});

}  // namespace rapt
