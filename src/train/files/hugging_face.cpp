#include "train/files/hugging_face.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
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

// out [cols, rows, run] = in [rows, cols, run].
void transpose_runs(float* out, const float* in, Dim rows, Dim cols, Dim run) {
  for (Dim r = 0; r < rows; ++r) {
    for (Dim c = 0; c < cols; ++c) std::copy_n(in + (r * cols + c) * run, run, out + (c * rows + r) * run);
  }
}

bool same_order(const ParameterName& name) { return !name.transposed && name.heads == 0; }

// The elements of their tensor in our order. \param theirs  has their_shape()
void order_as_ours(const ParameterName& name, float* ours, const Tensor& theirs) {
  const auto* const from = theirs.data<float>();
  if (name.transposed) return transpose(ours, from, theirs.shape()[0], theirs.shape()[1]);
  transpose_runs(ours, from, name.heads, 3, theirs.size() / (3 * name.heads));
}

void order_as_theirs(const ParameterName& name, float* theirs, const Tensor& ours) {
  const auto* const from = ours.data<float>();
  if (name.transposed) return transpose(theirs, from, ours.shape()[0], ours.shape()[1]);
  transpose_runs(theirs, from, 3, name.heads, ours.size() / (3 * name.heads));
}

// Names that a tensor may have in a file instead of the one in its kind's table: with or without the backbone's prefix
// (openai-community/gpt2 omits it), with TensorFlow's names of a norm's parameters, and those that the kind knows.
std::vector<std::string> aliases(const std::string& name, const NetworkConfig& config) {
  const HuggingFaceKind& kind = kind_of(config.backbone);
  const std::string prefix = kind.name_prefix;
  const std::string bare = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  std::vector<std::string> names = {name, bare, prefix + bare};
  for (const auto& [ending, other] : {std::pair<std::string, std::string>{"LayerNorm.weight", "LayerNorm.gamma"},
                                      {"LayerNorm.bias", "LayerNorm.beta"}}) {
    if (!bare.ends_with(ending)) continue;
    const std::string alias = bare.substr(0, bare.size() - ending.size()) + other;
    names.insert(names.end(), {prefix + alias, alias});
  }
  for (std::string& alias : kind.other_names(bare, config)) names.push_back(std::move(alias));
  return names;
}

const SafetensorsEntry* find_tensor(const SafetensorsModel& file, const std::string& name,
                                    const NetworkConfig& config) {
  for (const std::string& alias : aliases(name, config)) {
    if (const SafetensorsEntry* entry = file.find(alias)) return entry;
  }
  return nullptr;
}

// The extents of their tensor for a parameter of ours.
std::vector<Dim> their_shape(const ParameterName& name, const Shape& ours) {
  std::vector<Dim> shape(ours.extents().begin(), ours.extents().end());
  if (name.transposed) std::ranges::reverse(shape);
  shape[0] /= name.parts;
  if (name.as_row) shape.insert(shape.begin(), 1);
  return shape;
}

// The elements of our parameter that their tensor corresponds to. For names whose elements are in the same order.
Tensor our_part(const ParameterName& name, const Tensor& ours) {
  const Dim rows = ours.shape()[0] / name.parts;
  return ours.slice(name.part * rows, (name.part + 1) * rows);
}

void read_parameter(const SafetensorsModel& file, const SafetensorsEntry& entry, const ParameterName& name,
                    Tensor& value, const std::string& directory) {
  const std::vector<Dim> wanted = their_shape(name, value.shape());
  if (entry.shape != wanted) {
    throw DataError(directory + ": " + entry.name + " is " + shape_text(entry.shape) + ", config.json needs " +
                    shape_text(wanted));
  }
  if (same_order(name)) {
    Tensor part = our_part(name, value);
    return file.read_f32(entry.name, part.span<float>());
  }
  Tensor theirs = Tensor::empty(Shape(std::span<const Dim>(wanted)));
  file.read_f32(entry.name, theirs.span<float>());
  order_as_ours(name, value.data<float>(), theirs);
}

// A second copy of a parameter, or a fixed tensor, must be what the network has.
void check_copy(const SafetensorsModel& file, const SafetensorsEntry& entry, const ParameterName& name,
                const Tensor& expected, const std::string& directory) {
  constexpr float kClose = 1e-5F;  // of fixed tensors, which other programs compute in their own way
  Tensor theirs = Tensor::empty(expected.shape());
  std::vector<Dim> shape(expected.shape().extents().begin(), expected.shape().extents().end());
  bool same = entry.shape == shape;
  if (same) {
    file.read_f32(entry.name, theirs.span<float>());
    const auto* const a = theirs.data<float>();
    const auto* const b = expected.data<float>();
    for (Dim i = 0; i < theirs.size(); ++i) same = same && std::abs(a[i] - b[i]) <= (name.repeated ? 0 : kClose);
  }
  if (same) return;
  throw DataError(directory + ": " + entry.name + " must be " +
                  (name.repeated ? "the same table as the others: rapt has one" : "the table of sinusoids"));
}

// A tensor that does not belong to the network is an error: silently reading half a model is worse than reading none.
void refuse_unknown(const SafetensorsModel& file, const std::set<std::string>& read, const NetworkConfig& config,
                    const std::string& directory) {
  const HuggingFaceKind& kind = kind_of(config.backbone);
  for (const SafetensorsEntry* entry : file.tensors()) {
    if (read.contains(entry->name) || kind.may_be_left(entry->name, config)) continue;
    throw DataError(directory + ": " + entry->name + " is not a parameter of the network that config.json names");
  }
}

std::map<std::string, Variable> by_name(Module& network) {
  std::map<std::string, Variable> parameters;
  for (NamedParameter& p : parameters_of(network)) parameters.emplace(p.name, p.variable);
  return parameters;
}

HuggingFaceConfig read_config(const std::string& directory, const SafetensorsModel& file) {
  const std::string path = directory + "/config.json";
  Json json = read_json_file(path, {.bytes = 1U << 20U});
  const HuggingFaceKind& kind = kind_of(JsonFields(json, path));
  const auto has = [&](const std::string& name) { return file.find(name) != nullptr; };
  if (!json.contains("architectures") && kind.class_of_weights != nullptr) {
    json["architectures"] = {kind.class_prefix + std::string(kind.class_of_weights(has))};
  }
  HuggingFaceConfig config = config_from_json(json, path);
  if (kind.settle_by_weights != nullptr) kind.settle_by_weights(config.network, has);
  return config;
}

}  // namespace

HuggingFaceConfig read_hugging_face_config(const std::string& directory) {
  return read_config(directory, SafetensorsModel(directory));
}

HuggingFaceModel read_hugging_face(const std::string& directory) {
  const SafetensorsModel file(directory);
  HuggingFaceConfig config = read_config(directory, file);
  Initializer init = Initializer::unset();
  HuggingFaceModel model{.network = AnyNetwork(config.network, init), .labels = std::move(config.labels)};
  auto parameters = by_name(model.network.module());
  std::set<std::string> read;
  for (const ParameterName& name : hugging_face_names(config.network)) {
    if (name.repeated || name.fixed.defined()) {
      const Tensor expected = name.repeated ? parameters.at(name.ours).value() : name.fixed;
      if (const SafetensorsEntry* copy = file.find(name.theirs)) check_copy(file, *copy, name, expected, directory);
      continue;
    }
    const auto parameter = parameters.find(name.ours);
    if (parameter == parameters.end()) continue;
    const SafetensorsEntry* entry = find_tensor(file, name.theirs, config.network);
    if (entry == nullptr && name.zeros > 0) {
      std::ranges::fill(parameter->second.value().span<float>(), 0.0F);
      continue;
    }
    if (entry == nullptr) throw DataError(directory + ": the weights have no " + name.theirs);
    read_parameter(file, *entry, name, parameter->second.value(), directory);
    read.insert(entry->name);
  }
  refuse_unknown(file, read, config.network, directory);
  return model;
}

namespace {

// One tensor of model.safetensors: a parameter of ours or a part of one, or zeros for a missing bias.
struct Export {
  SafetensorsSpec spec;
  ParameterName name;
  std::optional<Variable> parameter;
};

// The extents of a bias, by its weight or gain; none if the name is not a bias.
std::optional<Dim> bias_width(const std::string& bias, const std::map<std::string, Variable>& parameters) {
  const std::string ending = ".bias";
  if (!bias.ends_with(ending)) return std::nullopt;
  const std::string stem = bias.substr(0, bias.size() - ending.size());
  for (const char* partner : {".weight", ".gain"}) {
    const auto found = parameters.find(stem + partner);
    if (found != parameters.end()) return found->second.shape()[0];
  }
  return std::nullopt;
}

std::vector<Export> exports_of(Module& network, const NetworkConfig& config) {
  auto parameters = by_name(network);
  std::set<std::string> left;
  for (const auto& [name, parameter] : parameters) left.insert(name);
  std::vector<Export> exports;
  for (const ParameterName& name : hugging_face_names(config)) {
    left.erase(name.ours);
    if (!name.written) continue;
    Export e{.spec = {.name = name.theirs, .type = ElementType::kF32, .shape = {}}, .name = name, .parameter = {}};
    if (name.fixed.defined()) {
      e.parameter = Variable(name.fixed);
      e.spec.shape = their_shape(name, name.fixed.shape());
    } else if (const auto parameter = parameters.find(name.ours); parameter != parameters.end()) {
      e.parameter = parameter->second;
      e.spec.shape = their_shape(name, parameter->second.shape());
    } else if (name.zeros > 0) {
      e.spec.shape = {1, name.zeros};
    } else if (const auto width = bias_width(name.ours, parameters)) {
      e.spec.shape = {*width};
    } else {
      throw BugError("export: the network has no " + name.ours);
    }
    exports.push_back(std::move(e));
  }
  if (!left.empty()) {
    throw UsageError("export: transformers' class for this network has no place for " + *left.begin() +
                     "; it cannot be exported as a Hugging Face directory");
  }
  return exports;
}

void give_bytes(const Export& e, const ByteSink& sink) {
  if (!e.parameter) {
    const std::vector<float> zeros(static_cast<std::size_t>(e.spec.shape.back()));
    return sink(zeros.data(), zeros.size() * sizeof(float));
  }
  const Tensor& value = e.parameter->value();
  if (same_order(e.name)) {
    const Tensor part = our_part(e.name, value);
    return sink(part.raw(), part.bytes());
  }
  Tensor theirs = Tensor::empty(value.shape());
  order_as_theirs(e.name, theirs.data<float>(), value);
  sink(theirs.raw(), theirs.bytes());
}

SpecialIds special_ids(const Tokenizer* tokenizer) {
  if (tokenizer == nullptr) return {};
  return {.end_of_text = tokenizer->end_of_text().value_or(-1), .padding = tokenizer->pad_token().value_or(-1)};
}

void write_tokenizer(const Tokenizer& tokenizer, std::int64_t context, const std::string& directory) {
  write_file_durably(directory + "/tokenizer.json", tokenizer.to_json());
  const std::string config = tokenizer.to_config_json(context);
  write_file_durably(directory + "/tokenizer_config.json", config);
  Json special = Json::object();  // repeated for programs that read only this file
  const Json parsed = parse_json(config, "tokenizer_config.json");
  for (const auto& [key, value] : parsed.items()) {
    if (key.ends_with("_token")) special[key] = value;
  }
  write_file_durably(directory + "/special_tokens_map.json", dump_pretty(special));
}

// Whether there are any.
bool write_original_files(const Tokenizers& tokenizers, const std::string& directory) {
  bool any = false;
  for (const auto& tokenizer : {tokenizers.source, tokenizers.target}) {
    if (tokenizer == nullptr) continue;
    for (const auto& [name, bytes] : tokenizer->original_files()) {
      write_file_durably(directory + "/" + name, bytes);
      any = true;
    }
  }
  return any;
}

// \param longest  maximum length of a generated text; 0: none. transformers' default of 20 would cut most translations
void write_generation_config(const Json& config, std::int64_t longest, const std::string& directory) {
  Json generation;
  for (const char* key : {"bos_token_id", "eos_token_id", "transformers_version"}) generation[key] = config.at(key);
  for (const char* key : {"decoder_start_token_id", "pad_token_id", "forced_bos_token_id"}) {
    if (longest > 0) generation[key] = config.at(key);
  }
  if (longest > 0) generation["max_length"] = longest;
  write_file_durably(directory + "/generation_config.json", dump_pretty(generation));
}

}  // namespace

void write_hugging_face(Module& network, const HuggingFaceConfig& config, const Tokenizers& tokenizers,
                        const std::string& directory) {
  const Json json = config_to_json(config, special_ids(tokenizers.target.get()));
  const std::vector<Export> exports = exports_of(network, config.network);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw CannotCreateError("export: cannot create the folder " + directory + ": " + error.message());

  std::vector<SafetensorsSpec> specs;
  for (const Export& e : exports) specs.push_back(e.spec);
  write_safetensors_model(directory, specs, [&](std::size_t i, const ByteSink& sink) { give_bytes(exports[i], sink); });
  const Objective objective = config.network.objective;
  if (objective == Objective::kNextToken) write_generation_config(json, 0, directory);
  if (objective == Objective::kTargetText) write_generation_config(json, config.network.backbone.context(), directory);
  if (!write_original_files(tokenizers, directory)) {
    const std::int64_t context = config.network.backbone.context();
    if (tokenizers.target != nullptr) write_tokenizer(*tokenizers.target, context, directory);
    if (tokenizers.source != nullptr) {
      fs::create_directories(directory + "/" + kSourceTokenizer);
      write_tokenizer(*tokenizers.source, context, directory + "/" + kSourceTokenizer);
    }
  }
  write_file_durably(directory + "/config.json", dump_pretty(json));  // written last: a folder that has it is complete
}

}  // namespace rapt
