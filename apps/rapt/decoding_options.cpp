#include "decoding_options.h"

#include <algorithm>

#include "tensor/error.h"

namespace rapt::app {

namespace {

constexpr Range kAny{.low = 0, .high = 1e9};
constexpr std::int64_t kMostBeams = 1024;

// Options that only one of beam search and sampling has.
const std::vector<const char*> kOfBeams = {"length-penalty", "length-penalty-kind", "coverage-penalty",
                                           "early-stopping", "n-best"};
const std::vector<const char*> kOfSampling = {"sample", "temperature", "top-k", "top-p", "min-p", "seed"};

const char* first_given(const Arguments& arguments, const std::vector<const char*>& names) {
  const auto given = std::ranges::find_if(names, [&](const char* name) { return arguments.has(name); });
  return given == names.end() ? nullptr : *given;
}

EarlyStopping early_stopping_of(const Arguments& arguments) {
  const std::string word = arguments.choice("early-stopping", "off", {"off", "on", "never"});
  if (word == "on") return EarlyStopping::kYes;
  return word == "off" ? EarlyStopping::kNo : EarlyStopping::kNever;
}

}  // namespace

SamplingOptions sampling_of(const Arguments& arguments) {
  SamplingOptions s;
  s.greedy = arguments.has("greedy");
  s.temperature = arguments.number("temperature", 1, kAny);
  s.top_k = arguments.whole("top-k", 0, 0);
  s.top_p = arguments.number("top-p", 1, kAny);
  s.min_p = arguments.number("min-p", 0, kAny);
  check(s);
  return s;
}

Constraints constraints_of(const Arguments& arguments, const DecodingDefaults& defaults) {
  Constraints c;
  c.repetition_penalty = arguments.number("repetition-penalty", 1, kAny);
  c.no_repeat_ngram = arguments.whole("no-repeat-ngram", defaults.no_repeat_ngram, 0, 1000);
  check(c);
  return c;
}

std::optional<BeamOptions> beam_of(const Arguments& arguments, const DecodingDefaults& defaults) {
  const char* const sampling = first_given(arguments, kOfSampling);
  const bool asked = arguments.has("beam");
  // generate has always accepted options of sampling beside --beam, which then do nothing.
  if (defaults.beams > 0 && asked && sampling != nullptr) {
    throw UsageError("--beam and --" + std::string(sampling) + " exclude each other; give one of them");
  }
  const bool search = asked || (defaults.beams > 0 && sampling == nullptr && !arguments.has("greedy"));
  if (!search) {
    if (const char* const option = first_given(arguments, kOfBeams)) {
      throw UsageError("--" + std::string(option) + " requires beam search; add --beam 5");
    }
    return std::nullopt;
  }
  BeamOptions beam;
  beam.best = static_cast<std::size_t>(arguments.whole("n-best", 1, 1, kMostBeams));
  const std::int64_t usual = std::max(defaults.beams, static_cast<std::int64_t>(beam.best));
  beam.beams = arguments.whole("beam", usual, 1, kMostBeams);
  beam.length_penalty = arguments.number("length-penalty", 1, {.low = -100, .high = 100});
  beam.penalty_kind = length_penalty_named(arguments.text("length-penalty-kind", "length"));
  beam.coverage_penalty = arguments.takes("coverage-penalty") ? arguments.number("coverage-penalty", 0, kAny) : 0;
  beam.early_stopping = early_stopping_of(arguments);
  beam.constraints = constraints_of(arguments, defaults);
  check(beam);
  return beam;
}

std::vector<Option> decoding_options(const DecodingDefaults& defaults) {
  const bool translates = defaults.beams > 0;
  const char* const search = "beam search";
  const char* const sampling = "sampling";
  std::vector<Option> options = {
      {.name = "beam",
       .value = "N",
       .help = "beam search with N beams",
       .aliases = {"num-beams", "beam-size"},
       .group = search,
       .fallback = translates ? std::to_string(defaults.beams) : ""},
      {.name = "length-penalty",
       .value = "X",
       .help = "values above 0 favour longer texts",
       .group = search,
       .fallback = "1"},
      {.name = "length-penalty-kind",
       .value = "length|gnmt",
       .help = "divide by length^X, or by ((5 + length) / 6)^X",
       .group = search,
       .fallback = "length"},
      {.name = "n-best",
       .value = "N",
       .help = "print the N best texts, with their scores",
       .aliases = {"num-return-sequences", "nbest"},
       .group = search,
       .fallback = "1"},
      {.name = "early-stopping",
       .value = "off|on|never",
       .help = "on: end when N texts are finished; never: only when none can become better",
       .group = search,
       .fallback = "off",
       .common = false},
      {.name = "greedy",
       .kind = OptionKind::kSwitch,
       .help = "always choose the most probable token",
       .group = sampling},
      {.name = "temperature",
       .value = "X",
       .help = "lower is more predictable, higher is more varied",
       .aliases = {"temp"},
       .group = sampling,
       .fallback = "1"},
      {.name = "top-k",
       .value = "K",
       .help = "sample from the K most probable tokens",
       .group = sampling,
       .fallback = "all"},
      {.name = "top-p",
       .value = "P",
       .help = "sample from the most probable tokens whose total probability reaches P",
       .group = sampling,
       .fallback = "1"},
      {.name = "min-p",
       .value = "P",
       .help = "sample from tokens at least P times as probable as the best one",
       .group = sampling,
       .fallback = "0"},
      {.name = "samples",
       .value = "N",
       .help = translates ? "number of sampled texts per source" : "number of texts per prompt",
       .aliases = {"num-samples"},
       .group = sampling,
       .fallback = "1"},
      {.name = "seed", .value = "N", .help = "random seed", .group = sampling, .fallback = "1"},
      {.name = "repetition-penalty",
       .value = "X",
       .help = "values above 1 make tokens that already occurred less probable",
       .aliases = {"repeat-penalty"},
       .fallback = "1"},
      {.name = "no-repeat-ngram",
       .value = "N",
       .help = "no sequence of N tokens occurs twice",
       .aliases = {"no-repeat-ngram-size"},
       .fallback = defaults.no_repeat_ngram > 0 ? std::to_string(defaults.no_repeat_ngram) : "off"}};
  if (translates) {
    options.push_back({.name = "coverage-penalty",
                       .value = "X",
                       .help = "values above 0 favour texts that attend to the whole source",
                       .group = search,
                       .fallback = "0"});
    options.push_back({.name = "sample",
                       .kind = OptionKind::kSwitch,
                       .help = "draw tokens at random instead of searching",
                       .group = sampling});
  }
  return options;
}

}  // namespace rapt::app
