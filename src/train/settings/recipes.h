// The default recipes of runs, side by side; presets.h has the recipes that are requested by name.
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
  kFineTune,          ///< a pretrained model is trained on labels, or on masked words of other text
  kLabels,            ///< a classifier from scratch
  kLabelsAfterWords,  ///< the same, after training on the masked words of its own texts
  kWordsOfLabels,     ///< the masked words of those texts
  kPairs,             ///< an encoder-decoder from scratch
};

/// Sets a setting unless the user or a preset gave it.
void choose(LayeredConfig& config, std::string_view name, const std::string& value);
void choose_all(LayeredConfig& config, std::initializer_list<std::pair<const char*, std::string>> values);

/// Applies a recipe to the settings that were not given.
void follow(LayeredConfig& config, Recipe recipe);

/// Applies a preset to the settings that were neither given nor chosen. They then count as given: later choices do not
/// change them.
void follow_preset(LayeredConfig& config, std::string_view name);

/// The structure of an encoder that is trained on labels alone: two layers over a WordPiece vocabulary.
void choose_small_encoder(LayeredConfig& config);

/// The recipe of a run on pairs, and what the data and the compute do not decide of its structure.
/// \param has_model  it continues from --init
void choose_pair_recipe(LayeredConfig& config, bool has_model);

/// The size of an encoder-decoder from scratch, from the compute that its minutes allow.
/// \param operations  floating-point operations of the whole run
void choose_encoder_decoder(LayeredConfig& config, double operations);

/// The structure of a language model from scratch, from the compute that its minutes allow.
/// \param operations  floating-point operations of the whole run
void choose_language_model(LayeredConfig& config, double operations);

/// Whether the settings give the length of training. With --steps, nothing is chosen by cores or clock.
bool has_end(const TrainConfig& config);

/// --minutes, or the default if no length is given.
double minutes_of(const TrainConfig& config);

/// The share of a from-scratch classifier's minutes for the masked words of its texts.
inline constexpr double kShareOfWords = 0.6;  // docs/results.md, "Classifiers from scratch"

/// Number of labelled examples seen after which a small network from scratch starts to memorise them.
std::string passes_from_scratch(std::int64_t examples);

}  // namespace rapt
