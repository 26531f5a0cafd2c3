// Known recipes by name: each is a list of settings, so a preset hides nothing and a flag can change any part of it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rapt {

struct Preset {
  std::string name;
  std::string help;                                           ///< one line: what it is and where it comes from
  std::vector<std::pair<std::string, std::string>> settings;  ///< canonical name and value, as they would be typed
};

/// Recipes to train and published models to train or count.
const std::vector<Preset>& presets();

/// Shapes that `rapt bench step` times, the same as in the PyTorch scripts that it is compared with; their settings
/// name the size of the vocabulary, since there is no text.
const std::vector<Preset>& bench_presets();

/// \throws UsageError  naming the nearest preset, or all of them
const Preset& find_preset(std::string_view name);
const Preset& find_bench_preset(std::string_view name);

/// What --size stands for.
/// \throws UsageError  naming the sizes there are
const Preset& find_size(std::string_view name);

}  // namespace rapt
