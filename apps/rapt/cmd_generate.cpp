// rapt generate: continues prompts with generated text.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "commands.h"
#include "decode/beam.h"
#include "decode/generate.h"
#include "decode/text_start.h"
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

using Json = Json;

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
  const std::int64_t samples = arguments.whole("samples", 1, 1, 100000);
  std::vector<std::string> all;
  for (const std::string& prompt : prompts) all.insert(all.end(), static_cast<std::size_t>(samples), prompt);
  return all;
}

GenerateOptions options_of(const Arguments& arguments) {
  constexpr Range kAny{.low = 0, .high = 1e9};
  GenerateOptions options;
  options.max_tokens = arguments.whole("max-tokens", 200, 0);
  options.seed = static_cast<std::uint64_t>(arguments.whole("seed", 1, 0));
  SamplingOptions& s = options.sampling;
  s.greedy = arguments.has("greedy");
  s.temperature = arguments.number("temperature", 1, kAny);
  s.top_k = arguments.whole("top-k", 0, 0);
  s.top_p = arguments.number("top-p", 1, kAny);
  s.min_p = arguments.number("min-p", 0, kAny);
  options.constraints.repetition_penalty = arguments.number("repetition-penalty", 1, kAny);
  return options;
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
    json["finish"] = g.ended ? "stop" : "length";
    return out(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  out((echo ? prompt : "") + text + "\n");
}

// Prompt by prompt: a batch rounds the last digits of log-probabilities differently.
std::vector<Generated> run_beams(const AnyNetwork& network, const TokenLists& prompts, const Arguments& arguments,
                                 const GenerateOptions& options) {
  BeamOptions beam{.beams = arguments.whole("beam", 4, 1, 1024),
                   .max_tokens = options.max_tokens,
                   .length_penalty = arguments.number("length-penalty", 1, {.low = -100, .high = 100}),
                   .constraints = options.constraints,
                   .stop_ids = options.stop_ids,
                   .stop = options.stop};
  std::vector<Generated> results;
  for (const std::vector<std::int32_t>& prompt : prompts) {
    const auto decoder = make_decoder(network, 1);
    results.push_back(beam_search(*decoder, {prompt}, beam).front().front());
    ++beam.first_prompt;
  }
  return results;
}

std::vector<Generated> run_sampling(const AnyNetwork& network, const TokenLists& prompts,
                                    const GenerateOptions& options) {
  const auto decoder = make_decoder(network, prompts.size());
  return generate(*decoder, prompts, options);
}

int write_texts(const Arguments& arguments, const Pretrained& pretrained, GenerateOptions options,
                const std::vector<std::string>& stops) {
  static_cast<void>(pretrained.language_model());  // or reports its kind, before anything is written
  const Tokenizer& tokenizer = require_tokenizer(pretrained);
  std::vector<std::string> prompts = prompts_of(arguments);
  if (const auto end = tokenizer.end_of_text(); end && !arguments.has("ignore-end")) options.stop_ids = {*end};
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
  const bool stream = prompts.size() == 1 && !arguments.has("json") && !arguments.has("beam") && stops.empty();
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
  const std::vector<Generated> results = arguments.has("beam") ? run_beams(*pretrained.network, ids, arguments, options)
                                                               : run_sampling(*pretrained.network, ids, options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::size_t tokens = 0;
  for (const Generated& g : results) tokens += g.tokens.size();
  if (stream) {
    echo();
    out(decoder.finish() + "\n");
  } else {
    for (std::size_t i = 0; i < results.size(); ++i) {
      std::string text = decode_after(tokenizer, ids[i], results[i].tokens);
      if (results[i].bytes) text.resize(*results[i].bytes);
      print(prompts[i], text, results[i], arguments);
    }
  }
  if (arguments.has("timing")) {
    say(fmt::format("{} tokens in {:.2f} s, {:.1f} tokens/s", tokens, seconds, static_cast<double>(tokens) / seconds));
  }
  return 0;
}

int run(const Arguments& arguments) {
  const GenerateOptions options = options_of(arguments);
  check(options.sampling);
  const std::vector<std::string> stops = stops_of(arguments);
  const Pretrained model = open_model(arguments);
  return with_finite_results(model, [&] { return write_texts(arguments, model, options, stops); });
}

}  // namespace

Command generate_command() {
  const OptionKind flag = OptionKind::kSwitch;
  return {
      .name = "generate",
      .summary = "continue a prompt with generated text",
      .arguments = "MODEL",
      .least = 1,
      .most = 1,
      .examples = {"rapt generate runs/my --prompt \"Once upon a time\"",
                   "rapt generate runs/my --prompt \"ROMEO:\" --max-tokens 200 --temperature 0.8 --top-k 40 --seed 7",
                   "rapt generate runs/my --prompt-file prompts.txt --beam 4 --json",
                   "rapt generate runs/my --prompt \"Q: why?\" --stop \"Q:\" --json"},
      .options =
          {{.name = "prompt",
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
           {.name = "samples",
            .value = "N",
            .help = "number of texts per prompt",
            .aliases = {"num-samples"},
            .fallback = "1"},
           {.name = "greedy", .kind = flag, .help = "always choose the most probable token"},
           {.name = "temperature",
            .value = "X",
            .help = "lower is more predictable, higher is more varied",
            .aliases = {"temp"},
            .fallback = "1"},
           {.name = "top-k", .value = "K", .help = "sample from the K most probable tokens", .fallback = "all"},
           {.name = "top-p",
            .value = "P",
            .help = "sample from the most probable tokens whose total probability reaches P",
            .fallback = "1"},
           {.name = "min-p",
            .value = "P",
            .help = "sample from tokens at least P times as probable as the best one",
            .fallback = "0"},
           {.name = "repetition-penalty",
            .value = "X",
            .help = "values above 1 make tokens that already occurred less probable",
            .aliases = {"repeat-penalty"},
            .fallback = "1"},
           {.name = "beam", .value = "N", .help = "beam search with N beams", .aliases = {"num-beams", "beam-size"}},
           {.name = "length-penalty",
            .value = "X",
            .help = "beam search: values above 0 favour longer texts",
            .fallback = "1"},
           {.name = "stop", .kind = OptionKind::kList, .value = "TEXT", .help = "stop before this text"},
           {.name = "ignore-end",
            .kind = flag,
            .help = "continue past the end-of-text token",
            .aliases = {"ignore-eos"}},
           {.name = "seed", .value = "N", .help = "random seed", .fallback = "1"},
           {.name = "no-echo", .kind = flag, .help = "do not print the prompt"},
           {.name = "timing", .kind = flag, .help = "report tokens per second on standard error"},
           {.name = "json", .kind = flag, .help = "one JSON object per text"}},
      .more =
          "--stop may be repeated; the text ends before the first occurrence of any of them, with --beam too. In\n"
          "--json, tokens and log_probability cover the text that is kept: a token is kept if it holds text before\n"
          "the stop string. An end-of-text token is not kept. finish is stop or length.\n",
      .run = run};
}

}  // namespace rapt::app
