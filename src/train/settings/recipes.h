// The recipes that a run follows where nobody gave a setting, side by side; presets.h has those that have names to ask
// for.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "train/settings/config_file.h"

namespace rapt {

/// The columns of the table in recipes.cpp.
enum class Recipe {
  kAdapt,             ///< a pretrained language model trains on other text
  kFineTune,          ///< a pretrained model learns labels, or trains on masked words of other text
  kLabels,            ///< a classifier from scratch
  kLabelsAfterWords,  ///< the same, once it has trained on the masked words of its own texts
  kWordsOfLabels,     ///< the masked words of those texts
};

/// Sets a setting unless the user or a preset gave it.
void choose(LayeredConfig& config, std::string_view name, const std::string& value);
void choose_all(LayeredConfig& config, std::initializer_list<std::pair<const char*, std::string>> values);

/// Sets what the recipe says and nobody gave.
void follow(LayeredConfig& config, Recipe recipe);

/// Sets what a preset says and nobody gave or chose. Its settings count as given: later choices leave them as they are.
void follow_preset(LayeredConfig& config, std::string_view name);

/// The structure of an encoder that learns from labels alone: two layers over whole words and their pieces.
void choose_small_encoder(LayeredConfig& config);

/// The structure of a language model from scratch, by the work that its minutes allow.
/// \param operations  floating-point operations of the whole run
void choose_language_model(LayeredConfig& config, double operations);

/// Whether the settings say how long to train. With --steps given, nothing is chosen by cores or clock.
bool has_end(const TrainConfig& config);

/// --minutes, or those that a run takes if nobody says how long.
double minutes_of(const TrainConfig& config);

/// How many minutes of a classifier from scratch its texts' words get, as a share.
inline constexpr double kShareOfWords = 0.6;  // docs/results.md, "Classifiers from scratch"

/// Passes over so many labelled examples after which a small network from scratch begins to memorise them.
std::string passes_from_scratch(std::int64_t examples);

}  // namespace rapt
