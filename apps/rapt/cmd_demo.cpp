// rapt demo: trains on generated stories and shows what the model writes while it learns.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "commands.h"
#include "decode/generate.h"
#include "decode/gpt_decoder.h"
#include "decode/text_start.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/corpus/stories.h"
#include "text/tokenizer/stream_decoder.h"
#include "train/files/pretrained.h"
#include "train/models/family.h"
#include "train/run/run.h"

namespace rapt::app {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kStoryBytes = std::size_t{1} << 20;

// The settings of the demo: small enough to write words within seconds.
std::vector<FlagValue> demo_flags(const std::string& stories, const std::string& folder, const Arguments& arguments) {
  return {{"data", {stories}},
          {"out", {folder}},
          {"tokenizer", {"byte-bpe"}},
          {"vocabulary", {"1024"}},
          {"documents", {"paragraph"}},
          {"minutes", {arguments.text("minutes", "2")}},
          {"seed", {arguments.text("seed", "1")}},
          {"layers", {"4"}},
          {"heads", {"4"}},
          {"width", {"128"}},
          {"context", {"96"}},
          {"batch", {"12"}},
          {"learning-rate", {"3e-3"}},
          {"beta2", {"0.99"}},
          {"sample-every", {"6s"}},
          {"sample-tokens", {"60"}}};
}

int run_demo(const Arguments& arguments) {
  const std::string folder = arguments.text("out", "runs/demo");
  fs::create_directories(folder);
  const std::string stories = folder + "/../demo-stories.txt";
  std::ofstream(stories) << generate_stories(1, kStoryBytes);
  say(fmt::format("rapt demo: training a small GPT on {} KB of generated stories", kStoryBytes >> 10U));
  RunRequest request;
  request.config = layer_config("", "", demo_flags(stories, folder, arguments));
  const Terminal& t = terminal();
  request.progress = {.bar = t.bar, .colour = t.colour, .unicode = t.unicode, .quiet = t.quiet, .width = t.width};
  request.sink = [](std::string_view text) { tell(text); };
  request.command = {"rapt", "demo"};
  const StopSignals signals;
  const RunResult result = run_training(request, signals);
  if (!result.finished) return 75;

  const Pretrained pretrained = open_pretrained(folder);
  GenerateOptions options;
  options.max_tokens = 200;
  options.sampling.temperature = 0.7;
  const Tokenizer& tokenizer = require_tokenizer(pretrained);
  if (const auto end = tokenizer.end_of_text()) options.stop_ids = {*end};
  const std::string prompt = arguments.text("prompt", "Once");
  TextStart start{tokenizer.encode(prompt), prompt};
  if (start.ids.empty()) start = text_start(tokenizer, tokenizer.end_of_text(), nullptr);
  const auto decoder = make_decoder(*pretrained.network, 1);
  const Generated text = generate(*decoder, {start.ids}, options).front();
  out(start.shown + decode_after(tokenizer, start.ids, text.tokens) + "\n");
  say(fmt::format("your own text: rapt train my.txt; more of this: rapt generate {} --prompt \"Once\"", folder));
  return 0;
}

}  // namespace

Command demo_command() {
  return {.name = "demo",
          .summary = "train a small model on generated stories and show what it writes",
          .examples = {"rapt demo", "rapt demo --minutes 1"},
          .options = {{.name = "minutes", .value = "N", .help = "minutes of training", .fallback = "2"},
                      {.name = "prompt", .value = "TEXT", .help = "prompt of the final story", .fallback = "Once"},
                      {.name = "out", .value = "DIR", .help = "run folder", .fallback = "runs/demo"},
                      {.name = "seed", .value = "N", .help = "random seed", .fallback = "1"}},
          .run = run_demo};
}

}  // namespace rapt::app
