// Hugging Face directories for tests: networks to write to them, and other naming conventions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/safetensors.h"
#include "nn/models/any_network.h"
#include "train/files/hugging_face.h"

namespace rapt::testing {

/// Sets every parameter to random values, including biases and gains.
inline AnyNetwork random_network(const NetworkConfig& config, std::uint64_t seed = 3) {
  Initializer init(seed);
  AnyNetwork network(config, init);
  for (NamedParameter& p : parameters_of(network.module())) {
    Rng rng(random_key(seed, Purpose::kSampling, std::hash<std::string>()(p.name)));
    for (float& x : p.variable.value().span<float>()) x = static_cast<float>(rng.normal());
  }
  return network;
}

/// A directory with this network, and no tokenizer.
inline void write_network(AnyNetwork& network, const std::string& directory) {
  write_hugging_face(network.module(), {.network = network.config()}, {}, directory);
}

/// The same tensors under other names (an empty name omits a tensor), and an additional one that every old file has.
inline void rewrite_weights(const std::string& directory, const std::function<std::string(const std::string&)>& rename,
                            const std::string& extra = "") {
  std::vector<SafetensorsSpec> specs;
  std::vector<std::string> bytes;
  {
    const SafetensorsFile file(directory + "/model.safetensors");
    for (const SafetensorsEntry& entry : file.tensors()) {
      const std::string name = rename(entry.name);
      if (name.empty()) continue;
      specs.push_back({.name = name, .type = entry.type, .shape = entry.shape});
      bytes.push_back(file.read_bytes(entry));
    }
  }
  if (!extra.empty()) {
    specs.push_back({.name = extra, .type = ElementType::kI64, .shape = {1}});
    bytes.push_back(std::string(8, '\0'));
  }
  write_safetensors(directory + "/model.safetensors", specs,
                    [&](std::size_t i, const ByteSink& sink) { sink(bytes[i].data(), bytes[i].size()); });
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

}  // namespace rapt::testing
