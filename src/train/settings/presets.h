// Known recipes by name. Each is a list of settings, so a preset hides nothing, and an option can change any part of
// it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rapt {

struct Preset {
  std::string name;
  std::string help;                                           ///< one line: description and source
  std::vector<std::pair<std::string, std::string>> settings;  ///< canonical name and value, as on the command line
};

/// Training recipes, and published models to train or count.
const std::vector<Preset>& presets();

/// The shapes that `rapt bench step` times, the same as in the PyTorch scripts for comparison. Their settings include
/// the vocabulary size, because there is no text.
const std::vector<Preset>& bench_presets();

/// \throws UsageError  naming the most similar preset, or all of them
const Preset& find_preset(std::string_view name);
const Preset& find_bench_preset(std::string_view name);

/// The settings of --size.
/// \throws UsageError  naming the existing sizes
const Preset& find_size(std::string_view name);

}  // namespace rapt
