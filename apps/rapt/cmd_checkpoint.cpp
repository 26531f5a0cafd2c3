// rapt checkpoint: inspect, verify and compare checkpoints; import and export Hugging Face directories.
#include <fmt/format.h>

#include <filesystem>

#include "checkpoint_views.h"
#include "commands.h"
#include "io/escape.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "io/safetensors_model.h"
#include "tensor/error.h"
#include "terminal.h"
#include "train/files/checkpoint.h"
#include "train/files/hugging_face.h"
#include "train/files/pretrained.h"
#include "train/files/run_folder.h"
#include "train/files/weight_average.h"
#include "train/models/networks.h"
#include "train/settings/config_file.h"
#include "train/tasks/choose.h"

namespace rapt::app {

namespace fs = std::filesystem;

namespace {

bool is_safetensors(const std::string& path) { return path.ends_with(".safetensors"); }

int run_checkpoint_verify(const Arguments& arguments) {
  for (const std::string& path : arguments.positionals()) {
    if (is_safetensors(path)) {
      const SafetensorsFile file(path);
      out(fmt::format("{}: intact, {} tensors\n", path, file.tensors().size()));
      continue;
    }
    const std::string source = model_source(path);
    if (fs::is_directory(source)) {
      const SafetensorsModel weights(source);
      out(fmt::format("{}: intact, {} tensors\n", source, weights.tensors().size()));
    } else {
      const CheckpointFile file(source);
      out(fmt::format("{}: intact, step {}, CRC-32C {:08x}\n", source, file.state_integer("step"), file.crc()));
    }
  }
  return 0;
}

int run_checkpoint_export(const Arguments& arguments) {
  arguments.choice("format", "hf", {"hf"});
  const std::string directory = arguments.required("out");
  const Pretrained pretrained = open_pretrained(arguments.positional(0));
  if (const int adapters = pretrained.network->merge_adapters(); adapters > 0) {
    say(fmt::format("merged {} low-rank adapters into the weights", adapters));
  }
  write_hugging_face(pretrained.network->module(), {pretrained.network->config(), pretrained.config.labels},
                     pretrained.tokenizers, directory);
  say(fmt::format("wrote {} from {}", escape_for_terminal(directory), escape_for_terminal(pretrained.source)));
  return 0;
}

int run_checkpoint_import(const Arguments& arguments) {
  const std::string path = arguments.required("out");
  const Pretrained pretrained = open_pretrained(arguments.positional(0));
  TrainConfig config = pretrained.config;
  take_dropouts(config, pretrained.network->config());
  Json manifest;
  manifest["format"] = "rapt checkpoint";
  manifest["imported_from"] = pretrained.source;
  save_model(path, pretrained.network->module(),
             {.config = to_toml(config), .tokenizers = pretrained.tokenizers, .manifest = manifest.dump(2) + "\n"});
  say(fmt::format("wrote {} from {}", escape_for_terminal(path), escape_for_terminal(pretrained.source)));
  return 0;
}

int run_checkpoint_average(const Arguments& arguments) {
  const std::string path = arguments.required("out");
  const Pretrained average = average_pretrained(arguments.positionals());
  TrainConfig config = average.config;
  take_dropouts(config, average.network->config());
  Json manifest;
  manifest["format"] = "rapt checkpoint";
  manifest["average_of"] = arguments.positionals();
  save_model(path, average.network->module(),
             {.config = to_toml(config), .tokenizers = average.tokenizers, .manifest = manifest.dump(2) + "\n"});
  say(fmt::format("wrote {}, the average of {} models", escape_for_terminal(path), arguments.positionals().size()));
  return 0;
}

Option out_option(const char* value, const char* help) {
  return {.name = "out", .value = value, .help = help, .aliases = {"o"}};
}

}  // namespace

Command checkpoint_info_command() {
  return {.name = "checkpoint info",
          .summary = "describe a checkpoint, run folder, safetensors file or Hugging Face directory",
          .arguments = "FILE|RUN|DIR",
          .least = 1,
          .most = 1,
          .examples = {"rapt checkpoint info runs/my", "rapt checkpoint info runs/my/last.h5 --all"},
          .options = {{.name = "all",
                       .kind = OptionKind::kSwitch,
                       .help = "also list every tensor, and print the embedded texts"}},
          .run = run_checkpoint_info};
}

Command checkpoint_verify_command() {
  return {.name = "checkpoint verify",
          .summary = "verify checksums and structure: exit code 0 if intact, 65 if not",
          .arguments = "FILE...",
          .least = 1,
          .most = 100000,
          .examples = {"rapt checkpoint verify runs/my/last.h5", "rapt checkpoint verify model.safetensors"},
          .run = run_checkpoint_verify};
}

Command checkpoint_diff_command() {
  return {
      .name = "checkpoint diff",
      .summary = "compare weights, optimiser, state and tokenizer: exit code 0 if equal, 1 if not",
      .arguments = "A B",
      .least = 2,
      .most = 2,
      .examples = {"rapt checkpoint diff runs/a runs/b", "rapt checkpoint diff runs/a DIR"},
      .more =
          "A and B are run folders (their last.h5), checkpoints or Hugging Face directories. Each tensor that differs "
          "is\n"
          "printed with the largest absolute difference and the L2 norm of the difference relative to A. With a "
          "Hugging\n"
          "Face directory, weights and tokenizer are compared. Differences of /config and /manifest are not counted.\n",
      .run = run_checkpoint_diff};
}

Command checkpoint_export_command() {
  return {.name = "checkpoint export",
          .summary = "write a model as a Hugging Face directory",
          .arguments = "MODEL",
          .least = 1,
          .most = 1,
          .examples = {"rapt checkpoint export runs/my --format hf --out DIR"},
          .options = {{.name = "format", .value = "hf", .help = "output format", .fallback = "hf"},
                      out_option("DIR", "output directory")},
          .more =
              "A GPT with rotary positions, as rapt train my.txt makes it, is written as gpt_neox; one with learned\n"
              "positions as gpt2, or as openai-gpt after --model gpt1; a BERT as bert.\n",
          .run = run_checkpoint_export};
}

Command checkpoint_average_command() {
  return {
      .name = "checkpoint average",
      .summary = "average the weights of several checkpoints of one run",
      .arguments = "MODEL...",
      .least = 2,
      .most = 1000,
      .examples = {"rapt checkpoint average runs/my/step-*.h5 --out averaged.h5"},
      .options = {out_option("FILE", "the checkpoint")},
      .more =
          "The result is a model without optimiser state, with the settings and the tokenizer of the last MODEL. Of\n"
          "runs with --ema, the moving averages are averaged. rapt train --average-last N does the same at the end\n"
          "of a run.\n",
      .run = run_checkpoint_average};
}

Command checkpoint_import_command() {
  return {.name = "checkpoint import",
          .summary = "convert a Hugging Face directory to a checkpoint",
          .arguments = "DIR",
          .least = 1,
          .most = 1,
          .examples = {"rapt checkpoint import DIR --out model.h5"},
          .options = {out_option("FILE", "the checkpoint")},
          .run = run_checkpoint_import};
}

}  // namespace rapt::app
