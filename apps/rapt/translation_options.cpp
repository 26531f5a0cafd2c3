#include "translation_options.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace rapt::app {

// Without limits, a text has at most this many tokens per source token, and so many more.
static constexpr double kUsualRatio = 3;
static constexpr std::int64_t kAllowance = 30;

TranslateOptions translate_options(const Arguments& arguments, const TranslationKind& kind,
                                   const TranslationModel& model) {
  constexpr Range kRatio{.low = 0, .high = 1e6};
  TranslateOptions o;
  o.prompt = model.prompt(arguments.text("prefix"));
  o.beam = beam_of(arguments, kind.decoding);
  o.sampling.sampling = sampling_of(arguments);
  o.sampling.constraints = constraints_of(arguments, kind.decoding);
  o.sampling.seed = static_cast<std::uint64_t>(arguments.whole("seed", 1, 0));
  o.sampling.samples = static_cast<std::size_t>(arguments.whole("samples", 1, 1, 100000));
  if (o.beam && arguments.has("samples"))
    throw UsageError("--samples requires sampling; add --sample, or use --n-best");
  o.limits.least = arguments.whole("min-length", 0, 0);
  o.limits.most = arguments.whole("max-length", kind.max_length > 0 ? kind.max_length : model.context(), 1);
  if (o.limits.least > o.limits.most) {
    throw UsageError(
        fmt::format("--min-length must be at most --max-length, {}, got {}", o.limits.most, o.limits.least));
  }
  o.least_ratio = arguments.number("min-length-ratio", 0, kRatio);
  const bool limited = arguments.has("max-length") || kind.max_length > 0;
  o.most_ratio = arguments.number("max-length-ratio", limited ? 0 : kUsualRatio, kRatio);
  if (!limited && !arguments.has("max-length-ratio")) o.allowance = kAllowance;
  o.batch_sources = static_cast<std::size_t>(arguments.whole("batch", 64, 1, 1 << 20));
  o.batch_tokens = static_cast<std::size_t>(arguments.whole("batch-tokens", 4096, 1));
  for (Constraints* c : {&o.sampling.constraints, o.beam ? &o.beam->constraints : nullptr}) {
    if (c != nullptr) model.complete(*c);
  }
  o.sampling.stop_ids = model.stop_ids();
  o.sampling.alignment = arguments.has("replace-unknown");
  if (o.beam) {
    o.beam->stop_ids = o.sampling.stop_ids;
    o.beam->alignment = o.sampling.alignment;
  }
  return o;
}

std::vector<Option> translation_options(const TranslationKind& kind) {
  std::vector<Option> options = {
      {.name = "max-length",
       .value = "N",
       .help = "maximum number of tokens of a text",
       .aliases = {"max-tokens", "max-new-tokens"},
       .fallback = kind.max_length > 0 ? std::to_string(kind.max_length) : "by ratio"},
      {.name = "max-length-ratio",
       .value = "X",
       .help = "maximum number of tokens per token of the source",
       .fallback = kind.max_length > 0 ? "" : fmt::format("{}, and {} more", kUsualRatio, kAllowance)},
      {.name = "min-length",
       .value = "N",
       .help = "minimum number of tokens of a text",
       .aliases = {"min-tokens", "min-new-tokens"},
       .fallback = "0"},
      {.name = "min-length-ratio", .value = "X", .help = "minimum number of tokens per token of the source"},
      {.name = "prefix", .value = "TEXT", .help = "every text starts with this"},
      {.name = "batch", .value = "N", .help = "maximum number of texts computed together", .fallback = "64"},
      {.name = "batch-tokens", .value = "N", .help = "maximum number of their source tokens", .fallback = "4096"}};
  for (Option& option : decoding_options(kind.decoding)) options.push_back(std::move(option));
  return options;
}

}  // namespace rapt::app
