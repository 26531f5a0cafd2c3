// rapt checkpoint info: the model, its task and data, and the state of its training.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "checkpoint_views.h"
#include "io/escape.h"
#include "io/joined.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "terminal.h"
#include "train/files/checkpoint_file.h"
#include "train/files/pretrained.h"
#include "train/files/run_folder.h"
#include "train/models/networks.h"
#include "train/tasks/labelled_task.h"

namespace rapt::app {

namespace fs = std::filesystem;

namespace {

void row(const char* name, const std::string& value) {
  out(fmt::format("{:<12}{}\n", name, escape_for_terminal(value)));
}

std::string dims(const std::vector<Dim>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

// Long names keep a space before the next column.
void tensor_line(const std::string& name, const char* type, const std::vector<Dim>& shape) {
  out(fmt::format("{:<48} {} {}\n", escape_for_terminal(name), type, dims(shape)));
}

std::string labels_text(const std::vector<std::string>& labels) {
  constexpr std::size_t kMost = 20;
  return fmt::format("{}: {}", labels.size(), joined_first(labels, kMost));
}

// Facts for both rapt's own files and Hugging Face directories.
void tell_model(const Pretrained& model) {
  TrainConfig c = model.config;
  take_network_settings(c, model.network->config());
  const std::string parts = c.has_heads()
                                ? fmt::format("{} heads, width {}, feed-forward {}, {} positions", c.heads, c.width,
                                              c.feed_forward_width(), c.position)
                                : fmt::format("width {}, embeddings of {}, attention: {}", c.width,
                                              c.embedding_width > 0 ? c.embedding_width : c.width, c.attention);
  row("model", fmt::format("{}: {} {}, {}", c.model, c.layers, c.layers == 1 ? "layer" : "layers", parts));
  row("parameters", fmt::format("{}", fmt::group_digits(parameter_count(model.network->module()))));
  row("context", fmt::format("{} tokens", c.context));
  row("task", c.task);
  if (!c.labels.empty()) row("labels", labels_text(c.labels));
  const auto tokenizer_row = [&](const char* name, const Tokenizer* tokenizer) {
    row(name, tokenizer == nullptr
                  ? "none"
                  : fmt::format("{}, {} entries", tokenizer->kind(), fmt::group_digits(tokenizer->vocabulary_size())));
  };
  if (model.tokenizers.source != nullptr) tokenizer_row("source", model.tokenizers.source.get());
  tokenizer_row("tokenizer", model.tokenizers.target.get());
}

// The files in the manifest, however it groups them.
void collect_sources(const Json& json, std::vector<std::string>& sources) {
  if (json.is_object() && json.contains("name") && json["name"].is_string()) {
    std::string source = json["name"].get<std::string>();
    if (json.contains("bytes") && json["bytes"].is_number_unsigned())
      source += fmt::format(" ({} bytes)", fmt::group_digits(json["bytes"].get<std::uint64_t>()));
    sources.push_back(std::move(source));
  } else if (json.is_structured()) {
    for (const Json& inner : json) collect_sources(inner, sources);
  }
}

void tell_run(const CheckpointFile& file, const TrainConfig& config) {
  const bool finished = file.has_state("finished") && file.state_integer("finished") != 0;
  row("step", fmt::format("{}{}", file.state_integer("step"), finished ? ", run finished" : ""));
  if (file.has_state("best_score") && std::isfinite(file.state_number("best_score"))) {
    const std::string metric = deciding_metric(config);
    const double score = file.state_number("best_score");
    row("best", fmt::format("{} {:.4f} at step {}", metric, metric == "loss" ? -score : score,
                            file.state_integer("best_step")));
  }
  if (!file.has_text("manifest")) return;
  const Json manifest = parse_json(file.text("manifest"), file.path() + ": /manifest");
  std::vector<std::string> sources;
  if (manifest.contains("data")) collect_sources(manifest["data"], sources);
  if (!sources.empty()) row("data", fmt::format("{}", fmt::join(sources, ", ")));
  if (manifest.contains("imported_from") && manifest["imported_from"].is_string())
    row("imported", manifest["imported_from"].get<std::string>());
  if (!config.init.empty()) row("init", config.init);
}

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

void tell_contents(const CheckpointFile& file) {
  out("\n");
  for (const auto& [name, value] : file.state()) row(name.c_str(), " " + state_text(value));
  out("\n");
  for (const auto& t : file.tensors()) tensor_line(t.name, name_of(t.dtype), t.shape);
  for (const std::string& name : file.texts()) out("\n/" + name + ":\n" + file.text(name) + "\n");
}

void tell_safetensors(const std::string& path) {
  const SafetensorsFile file(path);
  Dim elements = 0;
  for (const SafetensorsEntry& t : file.tensors()) elements += t.count();
  out(fmt::format("{}: safetensors, {} tensors, {} elements, intact\n", path, file.tensors().size(),
                  fmt::group_digits(elements)));
  for (const SafetensorsEntry& t : file.tensors()) tensor_line(t.name, name_of(t.type), t.shape);
}

// A run folder stands for its best.h5, which may be older than the run's latest state.
void tell_newest(const std::string& path, const CheckpointFile& shown) {
  const RunFolder folder{path};
  if (!fs::is_directory(path) || !fs::exists(folder.last())) return;
  const CheckpointFile last(folder.last());
  if (last.state_integer("step") == shown.state_integer("step")) return;
  row("newest", fmt::format("{}, step {}", folder.last(), last.state_integer("step")));
}

}  // namespace

int run_checkpoint_info(const Arguments& arguments) {
  const std::string path = arguments.positional(0);
  if (path.ends_with(".safetensors")) {
    tell_safetensors(path);
    return 0;
  }
  const std::string source = model_source(path), shown = escape_for_terminal(source);
  if (fs::is_directory(source)) {
    out(fmt::format("{}: Hugging Face directory\n", shown));
    tell_model(open_pretrained(source));
    return 0;
  }
  const CheckpointFile file(source);
  out(fmt::format("{}: rapt checkpoint, format {}, {} bytes, CRC-32C {:08x}, intact\n", shown, file.format(),
                  fmt::group_digits(file.bytes()), file.crc()));
  const Pretrained model = open_pretrained(source);
  tell_model(model);
  tell_run(file, model.config);
  tell_newest(path, file);
  if (arguments.has("all")) tell_contents(file);
  return 0;
}

}  // namespace rapt::app
