#include "train/hugging_face.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "io/durable_file.h"
#include "io/file.h"
#include "io/safetensors_model.h"
#include "tensor/error.h"
#include "tensor/parallel.h"

namespace rapt {

namespace fs = std::filesystem;

namespace {

// out [cols, rows] = in [rows, cols], block by block so that both sides stay in the cache.
void transpose(float* out, const float* in, Dim rows, Dim cols) {
  constexpr Dim kBlock = 32;
  parallel_blocks(rows, kBlock, [&](Dim r0, Dim r1) {
    for (Dim c0 = 0; c0 < cols; c0 += kBlock) {
      for (Dim r = r0; r < r1; ++r) {
        for (Dim c = c0; c < std::min(cols, c0 + kBlock); ++c) out[c * rows + r] = in[r * cols + c];
      }
    }
  });
}

// The name that a file gives to a tensor of ours: openai-community/gpt2 leaves the prefix out, and tied weights may
// stand under the head's name.
const SafetensorsEntry* find_tensor(const SafetensorsModel& file, const std::string& name, bool tied) {
  const std::string prefix = "transformer.";
  if (const SafetensorsEntry* entry = file.find(name)) return entry;
  if (name.starts_with(prefix)) {
    if (const SafetensorsEntry* entry = file.find(name.substr(prefix.size()))) return entry;
  }
  if (tied && (name.ends_with("wte.weight") || name.ends_with("tokens_embed.weight")))
    return file.find("lm_head.weight");
  return nullptr;
}

// Buffers that older versions of transformers saved: masks, not weights.
bool is_buffer(const std::string& name) { return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias"); }

void read_parameter(const SafetensorsModel& file, const SafetensorsEntry& entry, const ParameterName& name,
                    Tensor& value, const std::string& directory) {
  std::vector<Dim> wanted(value.shape().extents().begin(), value.shape().extents().end());
  if (name.transposed) std::ranges::reverse(wanted);
  if (entry.shape != wanted) {
    throw DataError(directory + ": " + entry.name + " is " + shape_text(entry.shape) + ", config.json wants " +
                    shape_text(wanted));
  }
  if (!name.transposed) return file.read_f32(entry.name, value.span<float>());
  Tensor theirs = Tensor::empty(Shape(std::span<const Dim>(wanted)));
  file.read_f32(entry.name, theirs.span<float>());
  transpose(value.data<float>(), theirs.data<float>(), wanted[0], wanted[1]);
}

// What is in the file and has no place in the model is an error: half a model read in silence is worse than none.
void refuse_unknown(const SafetensorsModel& file, const std::set<std::string>& read, bool tied,
                    const std::string& directory) {
  for (const SafetensorsEntry* entry : file.tensors()) {
    const bool tied_copy = tied && entry->name == "lm_head.weight";
    if (read.contains(entry->name) || is_buffer(entry->name) || tied_copy) continue;
    throw DataError(directory + ": " + entry->name +
                    " is not a parameter of the language model that config.json names");
  }
}

std::map<std::string, Variable> by_name(Gpt& model) {
  std::map<std::string, Variable> parameters;
  for (NamedParameter& p : parameters_of(model)) parameters.emplace(p.name, p.variable);
  return parameters;
}

}  // namespace

std::unique_ptr<Gpt> read_hugging_face_gpt(const std::string& directory) {
  const std::string config_path = directory + "/config.json";
  const GptConfig config = gpt_config_from_json(read_json_file(config_path, {.bytes = 1U << 20U}), config_path);
  const SafetensorsModel file(directory);
  Initializer init = Initializer::unset();
  auto model = std::make_unique<Gpt>(config, init);
  auto parameters = by_name(*model);
  std::set<std::string> read;
  for (const ParameterName& name : hugging_face_names(config)) {
    const auto parameter = parameters.find(name.ours);
    if (parameter == parameters.end()) continue;
    const SafetensorsEntry* entry = find_tensor(file, name.theirs, config.tied_head);
    if (entry == nullptr) throw DataError(directory + ": the weights have no " + name.theirs);
    read_parameter(file, *entry, name, parameter->second.value(), directory);
    read.insert(entry->name);
  }
  refuse_unknown(file, read, config.tied_head, directory);
  return model;
}

namespace {

// One tensor of model.safetensors: a parameter of ours, or zeros for a bias that ours does not have.
struct Export {
  SafetensorsSpec spec;
  ParameterName name;
  std::optional<Variable> parameter;
};

std::vector<Export> exports_of(Gpt& model) {
  const GptConfig& c = model.config();
  auto parameters = by_name(model);
  std::vector<Export> exports;
  for (const ParameterName& name : hugging_face_names(c)) {
    Export e{.spec = {.name = name.theirs, .type = ElementType::kF32, .shape = {}}, .name = name, .parameter = {}};
    if (const auto parameter = parameters.find(name.ours); parameter != parameters.end()) {
      e.parameter = parameter->second;
      const auto extents = parameter->second.shape().extents();
      e.spec.shape.assign(extents.begin(), extents.end());
      if (name.transposed) std::ranges::reverse(e.spec.shape);
    } else if (name.ours == "head.weight") {
      continue;  // tied
    } else {
      const bool up = name.ours.ends_with("feed_forward.up.bias"), qkv = name.ours.ends_with("qkv.bias");
      e.spec.shape = {up ? c.inner_width() : qkv ? 3 * c.width : c.width};
    }
    exports.push_back(std::move(e));
  }
  return exports;
}

void give_bytes(const Export& e, const ByteSink& sink) {
  if (!e.parameter) {
    const std::vector<float> zeros(static_cast<std::size_t>(e.spec.shape[0]));
    return sink(zeros.data(), zeros.size() * sizeof(float));
  }
  const Tensor& value = e.parameter->value();
  if (!e.name.transposed) return sink(value.raw(), value.bytes());
  Tensor theirs = Tensor::empty(value.shape());
  transpose(theirs.data<float>(), value.data<float>(), value.shape()[0], value.shape()[1]);
  sink(theirs.raw(), theirs.bytes());
}

void write_tokenizer(const Tokenizer& tokenizer, std::int64_t context, const std::string& directory) {
  write_file_durably(directory + "/tokenizer.json", tokenizer.to_json());
  write_file_durably(directory + "/tokenizer_config.json", tokenizer.to_config_json(context));
  Json special = Json::object();
  if (const auto end = tokenizer.end_of_text()) {
    for (const char* key : {"bos_token", "eos_token"}) special[key] = tokenizer.token_text(*end);
  }
  write_file_durably(directory + "/special_tokens_map.json", dump_pretty(special));
}

}  // namespace

void write_hugging_face_gpt(Gpt& model, const Tokenizer* tokenizer, const std::string& directory) {
  const auto end = tokenizer == nullptr ? std::nullopt : tokenizer->end_of_text();
  const std::int64_t end_of_text = end ? *end : -1;
  const Json config = gpt_config_to_json(model.config(), end_of_text);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw CannotCreateError("export: cannot create the folder " + directory + ": " + error.message());

  const std::vector<Export> exports = exports_of(model);
  std::vector<SafetensorsSpec> specs;
  for (const Export& e : exports) specs.push_back(e.spec);
  write_safetensors_model(directory, specs, [&](std::size_t i, const ByteSink& sink) { give_bytes(exports[i], sink); });

  Json generation;
  generation["bos_token_id"] = config.at("bos_token_id");
  generation["eos_token_id"] = config.at("eos_token_id");
  generation["transformers_version"] = config.at("transformers_version");
  write_file_durably(directory + "/generation_config.json", dump_pretty(generation));
  if (tokenizer != nullptr) write_tokenizer(*tokenizer, model.config().context, directory);
  write_file_durably(directory + "/config.json", dump_pretty(config));  // last: a folder with it is complete
}

}  // namespace rapt
