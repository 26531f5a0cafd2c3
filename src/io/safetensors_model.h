// The weights of a whole model: model.safetensors, or several files (shards) and the index that lists them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/safetensors.h"

namespace rapt {

/// The weights of a model: one file, or the shards that a model.safetensors.index.json lists.
class SafetensorsModel final {
 public:
  /// \param path  a folder with model.safetensors or model.safetensors.index.json, or one such file
  /// \throws MissingInputError  if there is no such file, or a shard is missing
  /// \throws DataError          for a bad file, or an index that names files outside its own folder or disagrees with
  ///                            the files
  explicit SafetensorsModel(const std::string& path);

  std::vector<const SafetensorsEntry*> tensors() const;  ///< of all shards, sorted by name
  const SafetensorsEntry* find(const std::string& name) const;
  const std::vector<SafetensorsFile>& files() const { return files_; }

  /// \throws DataError  if the tensor is missing or has another number of elements
  void read_f32(const std::string& name, std::span<float> to) const;

 private:
  void open_shards(const std::string& index_path);

  std::string path_;
  std::vector<SafetensorsFile> files_;
};

/// Writes model.safetensors to an existing folder; above `shard_bytes`, several model-00001-of-00002.safetensors and
/// their index.
void write_safetensors_model(const std::string& folder, const std::vector<SafetensorsSpec>& tensors,
                             const FillDataset& fill, std::uint64_t shard_bytes = 5'000'000'000);

}  // namespace rapt
