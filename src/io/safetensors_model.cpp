#include "io/safetensors_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "io/durable_file.h"
#include "io/escape.h"
#include "io/json.h"
#include "tensor/error.h"

namespace rapt {

namespace fs = std::filesystem;

static constexpr const char* kSingleName = "model.safetensors";
static constexpr const char* kIndexName = "model.safetensors.index.json";
static constexpr std::size_t kMostShards = 10000;

// The file of `folder` that holds or lists the model's weights.
static std::string choose_file(const fs::path& folder) {
  std::error_code ignored;
  for (const char* name : {kSingleName, kIndexName}) {
    if (fs::exists(folder / name, ignored)) return (folder / name).string();
  }
  std::string advice;
  for (const char* name : {"pytorch_model.bin", "tf_model.h5", "flax_model.msgpack"}) {
    if (fs::exists(folder / name, ignored)) {
      advice = std::string("; there is ") + name + ", which has to be converted to safetensors first";
      break;
    }
  }
  throw MissingInputError(escape_for_terminal(folder.string()) + ": holds neither " + kSingleName + " nor " +
                          kIndexName + advice);
}

SafetensorsModel::SafetensorsModel(const std::string& path) : path_(path) {
  std::error_code ignored;
  const std::string file = fs::is_directory(path, ignored) ? choose_file(path) : path;
  if (file.ends_with(".json")) {
    open_shards(file);
  } else {
    files_.emplace_back(file);
  }
}

// Whether this is the name of a file in the index's own folder: no path out of it, and no characters that a terminal or
// a shell interprets.
static bool is_plain_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return name.size() <= 255 && name.ends_with(".safetensors") && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), plain);
}

void SafetensorsModel::open_shards(const std::string& index_path) {
  const Json index = read_json_file(index_path);
  const std::string subject = escape_for_terminal(index_path);
  std::map<std::string, std::set<std::string>> names_of;  // by shard
  const JsonFields weight_map = JsonFields(index, index_path).object("weight_map");
  for (const auto& [name, shard] : weight_map.json().items()) {
    if (!shard.is_string() || !is_plain_name(shard.get_ref<const std::string&>())) {
      throw DataError(subject + ": weight_map " + in_quotes(name) +
                      " must name a .safetensors file of the same folder, got " + describe(shard));
    }
    names_of[shard.get<std::string>()].insert(name);
  }
  if (names_of.size() > kMostShards) {
    throw DataError(subject + ": must name at most " + std::to_string(kMostShards) + " files, got " +
                    std::to_string(names_of.size()));
  }
  for (const auto& [shard, names] : names_of) {
    const SafetensorsFile& file = files_.emplace_back((fs::path(index_path).parent_path() / shard).string());
    for (const std::string& name : names) {
      if (file.find(name) == nullptr) {
        throw DataError(escape_for_terminal(file.path()) + ": has no tensor " + in_quotes(name) + ", which " + subject +
                        " says is there");
      }
    }
    for (const SafetensorsEntry& tensor : file.tensors()) {
      if (!names.contains(tensor.name)) {
        throw DataError(escape_for_terminal(file.path()) + ": tensor " + in_quotes(tensor.name) +
                        " must be listed for this file in " + subject);
      }
    }
  }
}

std::vector<const SafetensorsEntry*> SafetensorsModel::tensors() const {
  std::vector<const SafetensorsEntry*> all;
  for (const SafetensorsFile& file : files_) {
    for (const SafetensorsEntry& tensor : file.tensors()) all.push_back(&tensor);
  }
  std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  return all;
}

const SafetensorsEntry* SafetensorsModel::find(const std::string& name) const {
  for (const SafetensorsFile& file : files_) {
    if (const SafetensorsEntry* tensor = file.find(name)) return tensor;
  }
  return nullptr;
}

void SafetensorsModel::read_f32(const std::string& name, std::span<float> to) const {
  for (const SafetensorsFile& file : files_) {
    if (const SafetensorsEntry* tensor = file.find(name)) {
      file.read_f32(*tensor, to);
      return;
    }
  }
  throw DataError(escape_for_terminal(path_) + ": has no tensor " + in_quotes(name));
}

static std::uint64_t bytes_of(const SafetensorsSpec& tensor) {
  return checked_bytes(tensor.shape, tensor.type, "safetensors: " + in_quotes(tensor.name));
}

// Tensors in the given order, as many per shard as fit; a tensor larger than a shard gets its own.
static std::vector<std::vector<std::size_t>> cut_into_shards(const std::vector<SafetensorsSpec>& tensors,
                                                             std::uint64_t shard_bytes) {
  std::vector<std::vector<std::size_t>> shards(1);
  std::uint64_t filled = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::uint64_t bytes = bytes_of(tensors[i]);
    if (!shards.back().empty() && filled + bytes > shard_bytes) {
      shards.emplace_back();
      filled = 0;
    }
    shards.back().push_back(i);
    filled += bytes;
  }
  return shards;
}

static std::string shard_name(std::size_t number, std::size_t of) {
  return fmt::format("model-{:05}-of-{:05}.safetensors", number, of);
}

void write_safetensors_model(const std::string& folder, const std::vector<SafetensorsSpec>& tensors,
                             const FillDataset& fill, std::uint64_t shard_bytes) {
  const auto shards = cut_into_shards(tensors, shard_bytes);
  if (shards.size() == 1) {
    write_safetensors((fs::path(folder) / kSingleName).string(), tensors, fill);
    return;
  }
  Json weight_map = Json::object();
  std::uint64_t total = 0;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const std::vector<std::size_t>& members = shards[s];
    const std::string name = shard_name(s + 1, shards.size());
    std::vector<SafetensorsSpec> part;
    for (const std::size_t index : members) {
      part.push_back(tensors[index]);
      weight_map[tensors[index].name] = name;
      total += bytes_of(tensors[index]);
    }
    write_safetensors((fs::path(folder) / name).string(), part,
                      [&](std::size_t index, const ByteSink& sink) { fill(members[index], sink); });
  }
  Json index;
  index["metadata"]["total_size"] = total;
  index["weight_map"] = std::move(weight_map);
  // Written last: a folder with an index has all its shards.
  write_file_durably((fs::path(folder) / kIndexName).string(), dump_pretty(index));
}

}  // namespace rapt
