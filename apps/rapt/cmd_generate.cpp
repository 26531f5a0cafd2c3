// rapt generate: continues prompts with generated text.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "commands.h"
#include "decode/text_start.h"
#include "decoding_options.h"
#include "io/file.h"
#include "io/json.h"
#include "model_input.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/corpus/input.h"
#include "text/tokenizer/stream_decoder.h"
#include "train/models/family.h"

namespace rapt::app {
namespace {

std::string read_standard_input() {
  const Input input = Input::from_standard_input();
  std::string text(input.bytes(), '\0');
  input.read(0, text.data(), text.size());
  return text;
}

std::vector<std::string> prompts_of(const Arguments& arguments) {
  std::vector<std::string> prompts = arguments.list("prompt");
  for (std::string& prompt : prompts) {
    if (prompt == "-") prompt = read_standard_input();
  }
  if (const std::string file = arguments.text("prompt-file"); !file.empty()) {
    std::string text = file == "-" ? read_standard_input() : read_file(file);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      prompts.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  if (prompts.empty()) prompts.emplace_back();
  return prompts;
}

const DecodingDefaults kDefaults{};

GenerateOptions options_of(const Arguments& arguments) {
  GenerateOptions options;
  options.max_tokens = arguments.whole("max-tokens", 200, 0);
  options.seed = static_cast<std::uint64_t>(arguments.whole("seed", 1, 0));
  options.samples = static_cast<std::size_t>(arguments.whole("samples", 1, 1, 100000));
  options.sampling = sampling_of(arguments);
  options.constraints = constraints_of(arguments, kDefaults);
  return options;
}

// The limits of every prompt's text.
std::vector<LengthLimits> limits_of(const Arguments& arguments, const GenerateOptions& options, std::size_t prompts) {
  const std::int64_t least = arguments.whole("min-tokens", 0, 0);
  if (least > options.max_tokens) {
    throw UsageError(fmt::format("--min-tokens must be at most --max-tokens, {}, got {}", options.max_tokens, least));
  }
  return std::vector<LengthLimits>(prompts, {.least = least, .most = options.max_tokens});
}

// Whether the model was trained on the token that ends documents: a model of a single text was not.
bool knows_end_of_text(const TrainConfig& config) {
  const auto is_text = [](const std::string& name) { return name.find(".jsonl") == std::string::npos; };
  return config.data.empty() || config.documents != "file" || !std::ranges::all_of(config.data, is_text);
}

// An empty prompt starts a text.
TextStart start_of(const std::string& prompt, const Tokenizer& tokenizer, const TrainConfig& config) {
  TextStart start{tokenizer.encode(prompt), prompt};
  if (!start.ids.empty()) return start;
  const auto end = knows_end_of_text(config) ? tokenizer.end_of_text() : std::nullopt;
  return text_start(tokenizer, end, [&](std::size_t i) -> std::optional<std::int32_t> {
    for (std::int32_t id = 0; i == 0 && id < tokenizer.vocabulary_size(); ++id)
      if (!tokenizer.is_special(id)) return id;
    return std::nullopt;
  });
}

std::vector<std::string> stops_of(const Arguments& arguments) {
  std::vector<std::string> stops = arguments.list("stop");
  for (const std::string& stop : stops)
    if (stop.empty()) throw UsageError("--stop must not be empty; give the text to stop before, or leave it out");
  return stops;
}

// The text ends where the first of the stop strings starts. Tokens that hold text before it are kept.
std::optional<Kept> kept_before(const std::vector<std::string>& stops, const Tokenizer& tokenizer,
                                std::span<const std::int32_t> prompt, std::span<const std::int32_t> tokens) {
  const std::string text = decode_after(tokenizer, prompt, tokens);
  std::size_t at = std::string::npos;
  for (const std::string& stop : stops) at = std::min(at, text.find(stop));
  if (at == std::string::npos) return std::nullopt;
  StreamDecoder decoder(tokenizer);
  decoder.begin_after(prompt);
  std::size_t count = 0;
  for (std::size_t bytes = 0; bytes < at && count < tokens.size(); ++count) bytes += decoder.push(tokens[count]).size();
  return Kept{count, at};
}

void print(const std::string& prompt, const std::string& text, const Generated& g, const Arguments& arguments) {
  const bool echo = !arguments.has("no-echo");
  if (arguments.has("json")) {
    Json json;
    json["prompt"] = prompt;
    json["text"] = text;
    json["tokens"] = g.tokens;
    json["log_probability"] = g.log_probability;
    if (arguments.has("n-best")) json["score"] = g.score;
    json["finish"] = g.ended ? "stop" : "length";
    return out(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  out((echo ? prompt : "") + text + "\n");
}

// The texts of each prompt, those of the first one first.
std::vector<std::vector<Generated>> run_decoder(const AnyNetwork& network, const TokenLists& prompts,
                                                std::optional<BeamOptions> beam, GenerateOptions options) {
  if (beam) {
    beam->limits = options.limits;
    beam->stop_ids = options.stop_ids;
    beam->stop = options.stop;
    const auto decoder = make_decoder(network, prompts.size());
    return beam_search(*decoder, prompts, *beam);
  }
  const auto decoder = make_decoder(network, prompts.size());
  std::vector<std::vector<Generated>> results(prompts.size());
  std::vector<Generated> texts = generate(*decoder, prompts, options);
  for (std::size_t i = 0; i < texts.size(); ++i) results[i / options.samples].push_back(std::move(texts[i]));
  return results;
}

int write_texts(const Arguments& arguments, const Pretrained& pretrained, GenerateOptions options,
                const std::optional<BeamOptions>& beam, const std::vector<std::string>& stops) {
  static_cast<void>(pretrained.language_model());  // or reports its kind, before anything is written
  const Tokenizer& tokenizer = require_tokenizer(pretrained);
  std::vector<std::string> prompts = prompts_of(arguments);
  if (const auto end = tokenizer.end_of_text(); end && !arguments.has("ignore-end")) options.stop_ids = {*end};
  options.limits = limits_of(arguments, options, prompts.size());
  TokenLists ids;
  for (std::string& prompt : prompts) {
    TextStart start = start_of(prompt, tokenizer, pretrained.config);
    ids.push_back(std::move(start.ids));
    prompt = std::move(start.shown);
  }
  if (!stops.empty()) {
    options.stop = [&](std::size_t prompt, std::span<const std::int32_t> tokens) {
      return kept_before(stops, tokenizer, ids[prompt], tokens);
    };
  }
  // A single text on a terminal is printed as it is generated.
  const bool stream = prompts.size() == 1 && options.samples == 1 && !arguments.has("json") && !beam && stops.empty();
  StreamDecoder decoder(tokenizer);
  auto echo = [&, done = arguments.has("no-echo")]() mutable {  // not before there is a first token
    if (!std::exchange(done, true)) out(prompts[0]);
  };
  if (stream) {
    decoder.begin_after(ids[0]);
    options.on_token = [&](std::size_t, std::int32_t id) {
      echo();
      out(decoder.push(id));
      flush_out();
    };
  }
  const auto start = std::chrono::steady_clock::now();
  const auto results = run_decoder(*pretrained.network, ids, beam, options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::size_t tokens = 0;
  for (const auto& texts : results) {
    for (const Generated& g : texts) tokens += g.tokens.size();
  }
  if (stream) {
    echo();
    out(decoder.finish() + "\n");
  } else {
    for (std::size_t p = 0; p < prompts.size(); ++p) {
      for (const Generated& g : results[p]) {
        std::string text = decode_after(tokenizer, ids[p], g.tokens);
        if (g.bytes) text.resize(*g.bytes);
        print(prompts[p], text, g, arguments);
      }
    }
  }
  if (arguments.has("timing")) {
    say(fmt::format("{} tokens in {:.2f} s, {:.1f} tokens/s", tokens, seconds, static_cast<double>(tokens) / seconds));
  }
  return 0;
}

int run_generate(const Arguments& arguments) {
  const GenerateOptions options = options_of(arguments);
  const std::optional<BeamOptions> beam = beam_of(arguments, kDefaults);
  const std::vector<std::string> stops = stops_of(arguments);
  const Pretrained model = open_model(arguments);
  return with_finite_results(model, [&] { return write_texts(arguments, model, options, beam, stops); });
}

}  // namespace

Command generate_command() {
  const OptionKind flag = OptionKind::kSwitch;
  std::vector<Option> options = {
      {.name = "prompt",
       .kind = OptionKind::kList,
       .value = "TEXT",
       .help = "text to continue; - reads standard input",
       .aliases = {"p"}},
      {.name = "prompt-file", .value = "FILE", .help = "one prompt per line"},
      {.name = "max-tokens",
       .value = "N",
       .help = "maximum number of new tokens",
       .aliases = {"n", "max-new-tokens", "length", "n-predict"},
       .fallback = "200"},
      {.name = "min-tokens",
       .value = "N",
       .help = "the end-of-text token waits for N new tokens",
       .aliases = {"min-new-tokens"},
       .fallback = "0"},
      {.name = "stop", .kind = OptionKind::kList, .value = "TEXT", .help = "stop before this text"},
      {.name = "ignore-end", .kind = flag, .help = "continue past the end-of-text token", .aliases = {"ignore-eos"}},
      {.name = "no-echo", .kind = flag, .help = "do not print the prompt"},
      {.name = "timing", .kind = flag, .help = "report tokens per second on standard error"},
      {.name = "json", .kind = flag, .help = "one JSON object per text"}};
  for (Option& option : decoding_options(kDefaults)) options.push_back(std::move(option));
  return {
      .name = "generate",
      .summary = "continue a prompt with generated text",
      .arguments = "MODEL",
      .least = 1,
      .most = 1,
      .examples = {"rapt generate runs/my --prompt \"Once upon a time\"",
                   "rapt generate runs/my --prompt \"ROMEO:\" --max-tokens 200 --temperature 0.8 --top-k 40 --seed 7",
                   "rapt generate runs/my --prompt-file prompts.txt --beam 4 --n-best 2 --no-repeat-ngram 3 --json",
                   "rapt generate runs/my --prompt \"Q: why?\" --stop \"Q:\" --json"},
      .options = options,
      .more =
          "--stop may be repeated; the text ends before the first occurrence of any of them, with --beam too. In\n"
          "--json, tokens and log_probability cover the text that is kept: a token is kept if it holds text before\n"
          "the stop string. An end-of-text token is not kept. finish is stop or length. With --n-best, score is the\n"
          "log-probability, of the end-of-text token too, divided by the length penalty.\n",
      .run = run_generate};
}

}  // namespace rapt::app
