// rapt params: the size of a model before it is built.
#include <fmt/format.h>

#include <algorithm>

#include "commands.h"
#include "io/escape.h"
#include "io/file.h"
#include "io/json.h"
#include "terminal.h"
#include "train/models/family.h"
#include "train/models/model_size.h"
#include "train/models/networks.h"
#include "train/settings/presets.h"

namespace rapt::app {

/// Number of entries that a tokenizer of this kind has before any text is seen; 0 if it depends on the text.
static Dim known_vocabulary(const LayeredConfig& config) {
  if (config.given("vocab")) return config.values.vocabulary;
  if (const KnownVocabulary& known = family_of(config.values).known_vocabulary; known.entries > 0) return known.entries;
  if (config.values.tokenizer == "byte") return 256;
  return config.values.tokenizer == "char" ? 0 : config.values.vocabulary;
}

static std::string as_table(const TrainConfig& config, const ModelSize& size, Dim vocabulary) {
  const std::string heads = config.has_heads() ? fmt::format("{} heads, ", config.heads) : "";
  std::string text = fmt::format("{}: {} layers, {}width {}, context {}, vocabulary {}\n\n", config.model,
                                 config.layers, heads, config.width, config.context, vocabulary);
  for (const auto& [name, count] : size.parts)
    text += fmt::format("{:<22}{:>15}{:>7.1f} %\n", name, fmt::group_digits(count),
                        100.0 * double(count) / double(size.parameters));
  text += fmt::format("{:<22}{:>15}\n", "parameters", fmt::group_digits(size.parameters));
  if (size.in_heads > 0) text += fmt::format("{:<22}{:>15}\n", "plus heads", fmt::group_digits(size.in_heads));
  text += fmt::format("{:<22}{:>15}\n\n", "per block", fmt::group_digits(size.per_block));
  text += fmt::format(
      "an update costs {:.3g} FLOP per token; weights, gradients and AdamW's moments take {}, plus activations\n",
      size.flop_per_token, readable_bytes(size.state_bytes));
  return text;
}

static std::string as_json(const ModelSize& size, Dim vocabulary) {
  Json json;
  json["parameters"] = size.parameters;
  if (size.in_heads > 0) json["in_heads"] = size.in_heads;
  json["per_block"] = size.per_block;
  for (const auto& [name, count] : size.parts) json["parts"][name] = count;
  json["vocabulary"] = vocabulary;
  json["flop_per_token"] = size.flop_per_token;
  json["state_bytes"] = size.state_bytes;
  return json.dump() + "\n";
}

static std::string preset_list() {
  std::string text;
  for (const Preset& preset : presets()) text += fmt::format("  {:<24}{}\n", preset.name, preset.help);
  return text;
}

static int run_params(const Arguments& arguments) {
  if (arguments.settings().empty() && !arguments.has("config")) {
    out("presets:\n" + preset_list() +
        "\nrapt params --preset NAME counts one; any setting of rapt train may be added.\n");
    return 0;
  }
  const std::string file = arguments.text("config");
  const LayeredConfig config = layer_config(file.empty() ? "" : read_file(file), file, arguments.settings());
  validate(config.values);
  check_structure(config.values);
  Dim vocabulary = known_vocabulary(config);
  if (vocabulary == 0) {
    vocabulary = 65;
    say("note: counting 65 characters, as in Shakespeare's works; --vocab N sets another size");
  }
  const KnownVocabulary& known = family_of(config.values).known_vocabulary;
  if (known.entries > 0 && !config.given("vocab")) {
    say(fmt::format("note: counting the {} entries of {}; --vocab N sets another size",
                    fmt::group_digits(known.entries), known.name));
  }
  const ModelSize size = model_size(config.values, vocabulary);
  out(arguments.has("json") ? as_json(size, vocabulary) : as_table(config.values, size, vocabulary));
  return 0;
}

Command params_command() {
  // Every setting is accepted, so that a run's command line can be counted unchanged; help shows those that matter.
  const std::vector<Option> counted =
      setting_options({"preset", "size", "model", "layers", "heads", "width", "feed-forward", "context", "vocabulary",
                       "tokenizer", "bias", "tie", "position"});
  std::vector<Option> options = setting_options();
  for (Option& option : options) {
    option.group.clear();
    option.common =
        std::any_of(counted.begin(), counted.end(), [&](const Option& other) { return other.name == option.name; });
  }
  options.push_back({.name = "config", .value = "FILE", .help = "settings from a TOML file", .aliases = {"c"}});
  options.push_back({.name = "json", .kind = OptionKind::kSwitch, .help = "one JSON object"});
  return {.name = "params",
          .summary = "count the parameters, FLOP and memory of a model; list the presets",
          .examples = {"rapt params", "rapt params --preset gpt2",
                       "rapt params --layers 6 --heads 6 --width 384 --vocab 8000"},
          .options = options,
          .run = run_params};
}

}  // namespace rapt::app
