// rapt checkpoint: look into checkpoints, check them, compare them, and cross the border to Hugging Face directories.
#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "io/escape.h"
#include "io/safetensors.h"
#include "io/safetensors_model.h"
#include "tensor/error.h"
#include "terminal.h"
#include "train/checkpoint.h"
#include "train/choose.h"
#include "train/config_file.h"
#include "train/hugging_face.h"
#include "train/networks.h"
#include "train/pretrained.h"
#include "train/run_folder.h"

namespace rapt::app {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

bool is_safetensors(const std::string& path) { return path.ends_with(".safetensors"); }

std::string state_text(const StateValue& value) {
  return std::visit(
      [](const auto& v) {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::string>) {
          return v;
        } else {
          return fmt::format("{}", v);
        }
      },
      value);
}

std::string dims(const std::vector<Dim>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

void tell_checkpoint(const CheckpointFile& file, bool all) {
  Dim parameters = 0;
  for (const auto& t : file.tensors()) {
    if (t.name.starts_with("model/")) parameters += t.count();
  }
  out(fmt::format("{}: rapt checkpoint, format {}, {} bytes, CRC-32C {:08x}, sound\n", file.path(), file.format(),
                  file.bytes(), file.crc()));
  out(fmt::format("parameters  {}\n", fmt::group_digits(parameters)));
  for (const auto& [name, value] : file.state()) {
    out(fmt::format("{:<18}{}\n", name, escape_for_terminal(state_text(value))));
  }
  if (!all) return;
  for (const auto& t : file.tensors()) out(fmt::format("{:<48}{} {}\n", t.name, name_of(t.dtype), dims(t.shape)));
  for (const std::string& name : file.texts()) out("\n/" + name + ":\n" + file.text(name) + "\n");
}

void tell_safetensors(const std::string& path) {
  const SafetensorsFile file(path);
  Dim elements = 0;
  for (const SafetensorsEntry& t : file.tensors()) elements += t.count();
  out(fmt::format("{}: safetensors, {} tensors, {} elements, sound\n", path, file.tensors().size(),
                  fmt::group_digits(elements)));
  for (const SafetensorsEntry& t : file.tensors()) {
    out(fmt::format("{:<48}{} {}\n", escape_for_terminal(t.name), name_of(t.type), dims(t.shape)));
  }
}

int run_info(const Arguments& arguments) {
  const std::string path = arguments.positional(0);
  if (is_safetensors(path)) {
    tell_safetensors(path);
    return 0;
  }
  const std::string source = model_source(path);
  if (!fs::is_directory(source)) {
    tell_checkpoint(CheckpointFile(source), arguments.has("all"));
    return 0;
  }
  const Pretrained pretrained = open_pretrained(source);
  const TrainConfig& c = pretrained.config;
  out(fmt::format(
      "{}: Hugging Face directory, {} for --task {}, {} layers, width {}, {} heads, context {}, "
      "vocabulary {}\n",
      source, c.model, c.task, c.layers, c.width, c.heads, c.context, pretrained.network->backbone().vocabulary()));
  if (!c.labels.empty())
    out(fmt::format("labels      {}\n", escape_for_terminal(fmt::format("{}", fmt::join(c.labels, ", ")))));
  out(fmt::format("parameters  {}\n", fmt::group_digits(parameter_count(pretrained.network->module()))));
  return 0;
}

int run_verify(const Arguments& arguments) {
  for (const std::string& path : arguments.positionals()) {
    if (is_safetensors(path)) {
      const SafetensorsFile file(path);
      out(fmt::format("{}: sound, {} tensors\n", path, file.tensors().size()));
      continue;
    }
    const std::string source = model_source(path);
    if (fs::is_directory(source)) {
      const SafetensorsModel weights(source);
      out(fmt::format("{}: sound, {} tensors\n", source, weights.tensors().size()));
    } else {
      const CheckpointFile file(source);
      out(fmt::format("{}: sound, step {}, CRC-32C {:08x}\n", source, file.state_integer("step"), file.crc()));
    }
  }
  return 0;
}

// A run folder stands for its last.h5 here: what a run is compared by is where it has come to.
std::string last_of(const std::string& path) {
  if (!fs::is_directory(path)) return path;
  const RunFolder folder{path};
  if (fs::exists(folder.last())) return folder.last();
  return model_source(path);
}

std::vector<char> bytes_of(const CheckpointFile& file, const CheckpointFile::Tensor& t) {
  std::vector<char> bytes(static_cast<std::size_t>(t.count()) * size_of(t.dtype));
  file.read_into(t.name, t.dtype, bytes.data(), t.count());
  return bytes;
}

// Differences that count, a line each.
std::vector<std::string> tensor_differences(const CheckpointFile& a, const CheckpointFile& b) {
  std::vector<std::string> lines;
  for (const auto& t : a.tensors()) {
    const CheckpointFile::Tensor* other = b.find_tensor(t.name);
    if (other == nullptr) {
      lines.push_back(t.name + " is only in the first");
    } else if (other->shape != t.shape || other->dtype != t.dtype) {
      lines.push_back(t.name + " is " + dims(t.shape) + " and " + dims(other->shape));
    } else if (bytes_of(a, t) != bytes_of(b, *other)) {
      lines.push_back(t.name + " differs");
    }
  }
  for (const auto& t : b.tensors()) {
    if (a.find_tensor(t.name) == nullptr) lines.push_back(t.name + " is only in the second");
  }
  return lines;
}

std::vector<std::string> state_differences(const CheckpointFile& a, const CheckpointFile& b) {
  std::map<std::string, std::pair<std::string, std::string>> values;
  for (const auto& [name, value] : a.state()) values[name].first = state_text(value);
  for (const auto& [name, value] : b.state()) values[name].second = state_text(value);
  std::vector<std::string> lines;
  for (const auto& [name, both] : values) {
    if (both.first != both.second) lines.push_back(fmt::format("state {} is {} and {}", name, both.first, both.second));
  }
  return lines;
}

std::string text_or_none(const CheckpointFile& file, const std::string& name) {
  return file.has_text(name) ? file.text(name) : "";
}

int run_diff(const Arguments& arguments) {
  const CheckpointFile a(last_of(arguments.positional(0))), b(last_of(arguments.positional(1)));
  std::vector<std::string> lines = tensor_differences(a, b);
  for (std::string& line : state_differences(a, b)) lines.push_back(std::move(line));
  if (text_or_none(a, "tokenizer") != text_or_none(b, "tokenizer")) lines.emplace_back("the tokenizers differ");
  for (const std::string& line : lines) out(escape_for_terminal(line) + "\n");
  for (const char* name : {"config", "manifest"}) {
    if (text_or_none(a, name) != text_or_none(b, name)) {
      out(fmt::format("not counted: /{} differs (how the runs were started)\n", name));
    }
  }
  out(lines.empty() ? "equal\n" : fmt::format("{} differences\n", lines.size()));
  return lines.empty() ? 0 : 1;
}

int run_export(const Arguments& arguments) {
  arguments.choice("format", "hf", {"hf"});
  const std::string directory = arguments.required("out");
  const Pretrained pretrained = open_pretrained(arguments.positional(0));
  if (const int adapters = pretrained.network->merge_adapters(); adapters > 0) {
    say(fmt::format("merged {} low-rank adapters into the weights", adapters));
  }
  write_hugging_face(pretrained.network->module(), {pretrained.network->config(), pretrained.config.labels},
                     pretrained.tokenizer.get(), directory);
  say(fmt::format("wrote {} from {}", escape_for_terminal(directory), escape_for_terminal(pretrained.source)));
  return 0;
}

int run_import(const Arguments& arguments) {
  const std::string path = arguments.required("out");
  const Pretrained pretrained = open_pretrained(arguments.positional(0));
  TrainConfig config = pretrained.config;
  take_dropouts(config, pretrained.network->config());
  Json manifest;
  manifest["format"] = "rapt checkpoint";
  manifest["imported_from"] = pretrained.source;
  save_model(path, pretrained.network->module(),
             {.config = to_toml(config),
              .tokenizer = pretrained.tokenizer == nullptr ? "" : pretrained.tokenizer->to_json(),
              .manifest = manifest.dump(2) + "\n"});
  say(fmt::format("wrote {} from {}", escape_for_terminal(path), escape_for_terminal(pretrained.source)));
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
          .run = run_info};
}

Command checkpoint_verify_command() {
  return {.name = "checkpoint verify",
          .summary = "verify checksums and structure: exit code 0 if intact, 65 if not",
          .arguments = "FILE...",
          .least = 1,
          .most = 100000,
          .examples = {"rapt checkpoint verify runs/my/last.h5", "rapt checkpoint verify model.safetensors"},
          .run = run_verify};
}

Command checkpoint_diff_command() {
  return {
      .name = "checkpoint diff",
      .summary = "compare weights, optimiser, state and tokenizer: exit code 0 if equal, 1 if not",
      .arguments = "A B",
      .least = 2,
      .most = 2,
      .examples = {"rapt checkpoint diff runs/a runs/b"},
      .more =
          "A run folder stands for its last.h5. /config and /manifest say how a run was started; that they differ is\n"
          "said but not counted.\n",
      .run = run_diff};
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
          .run = run_export};
}

Command checkpoint_import_command() {
  return {.name = "checkpoint import",
          .summary = "convert a Hugging Face directory to a checkpoint",
          .arguments = "DIR",
          .least = 1,
          .most = 1,
          .examples = {"rapt checkpoint import DIR --out model.h5"},
          .options = {out_option("FILE", "the checkpoint")},
          .run = run_import};
}

}  // namespace rapt::app
