#include "train/files/hugging_face.h"

#include <algorithm>
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
#include "train/files/hugging_face_kinds.h"

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

// Names that a tensor may have in a file instead of the one in its class's table: with or without the backbone's prefix
// (openai-community/gpt2 omits it), with TensorFlow's names of a norm's parameters and, for tied weights, the head's.
std::vector<std::string> aliases(const std::string& name, const NetworkConfig& config) {
  const std::string prefix = hugging_face::name_prefix(config);
  const std::string bare = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  std::vector<std::string> names = {name, bare, prefix + bare};
  for (const auto& [ending, other] : {std::pair<std::string, std::string>{"LayerNorm.weight", "LayerNorm.gamma"},
                                      {"LayerNorm.bias", "LayerNorm.beta"}}) {
    if (!bare.ends_with(ending)) continue;
    const std::string alias = bare.substr(0, bare.size() - ending.size()) + other;
    names.insert(names.end(), {prefix + alias, alias});
  }
  const auto* gpt = std::get_if<GptConfig>(&config.backbone);
  const bool table = bare == "wte.weight" || bare == "tokens_embed.weight" || bare == "embed_in.weight";
  if (gpt != nullptr && gpt->tied_head && table) names.insert(names.end(), {"lm_head.weight", "embed_out.weight"});
  if (bare == "embed_out.weight") names.push_back("lm_head.weight");  // GPT-NeoX's head has either name
  if (bare == "embeddings.word_embeddings.weight") names.push_back("cls.predictions.decoder.weight");
  if (bare == "cls.predictions.bias") names.push_back("cls.predictions.decoder.bias");
  return names;
}

const SafetensorsEntry* find_tensor(const SafetensorsModel& file, const std::string& name,
                                    const NetworkConfig& config) {
  for (const std::string& alias : aliases(name, config)) {
    if (const SafetensorsEntry* entry = file.find(alias)) return entry;
  }
  return nullptr;
}

// Tensors that a file may hold besides a network's parameters: buffers that older versions of transformers saved,
// second copies of tied weights, and a pooler and next-sentence head that stayed in files of classes that do not use
// them.
bool may_be_left(const std::string& name, const NetworkConfig& config) {
  const auto ends_with_one_of = [&](std::initializer_list<const char*> endings) {
    return std::ranges::any_of(endings, [&](const char* ending) { return name.ends_with(ending); });
  };
  if (const auto* gpt = std::get_if<GptConfig>(&config.backbone)) {
    const bool head = name == "lm_head.weight" || name == "embed_out.weight";
    return (gpt->tied_head && head) || ends_with_one_of({".attn.bias", ".attn.masked_bias", ".attention.bias",
                                                         ".attention.masked_bias", ".rotary_emb.inv_freq"});
  }
  if (ends_with_one_of({"embeddings.position_ids", "embeddings.token_type_ids"})) return true;
  if (name.starts_with("cls.predictions.decoder.")) return config.head == HeadKind::kPretraining;
  if (std::get<BertConfig>(config.backbone).pooler) return false;
  return ends_with_one_of({"pooler.dense.weight", "pooler.dense.bias"}) || name.starts_with("cls.seq_relationship.");
}

// The extents of their tensor for a parameter of ours.
std::vector<Dim> their_shape(const ParameterName& name, const Shape& ours) {
  std::vector<Dim> shape(ours.extents().begin(), ours.extents().end());
  if (name.transposed) std::ranges::reverse(shape);
  shape[0] /= name.parts;
  return shape;
}

// The elements of our parameter that their tensor corresponds to. For names whose elements are in the same order.
Tensor our_part(const ParameterName& name, const Tensor& ours) {
  const Dim rows = ours.shape()[0] / name.parts;
  return ours.slice(name.part * rows, (name.part + 1) * rows);
}

// \param who  needs the shape, for messages
void read_parameter(const SafetensorsModel& file, const SafetensorsEntry& entry, const ParameterName& name,
                    Tensor& value, const std::string& directory, const char* who) {
  const std::vector<Dim> wanted = their_shape(name, value.shape());
  if (entry.shape != wanted) {
    throw DataError(directory + ": " + entry.name + " is " + shape_text(entry.shape) + ", " + who + " wants " +
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

// The first rows of a parameter with one row per entry of a vocabulary that has grown.
bool read_first_rows(const SafetensorsModel& file, const SafetensorsEntry& entry, Tensor& value) {
  const auto extents = value.shape().extents();
  const bool fits = entry.shape.size() == extents.size() && entry.shape[0] < extents[0] &&
                    std::equal(extents.begin() + 1, extents.end(), entry.shape.begin() + 1);
  if (fits) file.read_f32(entry.name, value.span<float>().first(static_cast<std::size_t>(entry.count())));
  return fits;
}

bool has_row_per_entry(const ParameterName& name, const NetworkConfig& config) {
  const std::string prefix = backbone_prefix(config);
  return name.ours == prefix + "tokens.weight" || name.ours == "words.bias" ||
         (config.is_gpt() && name.ours == prefix + "head.weight");
}

// A tensor that does not belong to the network is an error: silently reading half a model is worse than reading none.
void refuse_unknown(const SafetensorsModel& file, const std::set<std::string>& read, const NetworkConfig& config,
                    const std::string& directory) {
  for (const SafetensorsEntry* entry : file.tensors()) {
    if (read.contains(entry->name) || may_be_left(entry->name, config)) continue;
    throw DataError(directory + ": " + entry->name + " is not a parameter of the network that config.json names");
  }
}

std::map<std::string, Variable> by_name(Module& network) {
  std::map<std::string, Variable> parameters;
  for (NamedParameter& p : parameters_of(network)) parameters.emplace(p.name, p.variable);
  return parameters;
}

// Determines from its weights which parts of a BERT a file has, whatever its class says: encoders come with and without
// a pooler, Google's masked language models also hold the next-sentence head, and its small models do not name their
// class.
HuggingFaceConfig read_config(const std::string& directory, const SafetensorsModel& file) {
  const std::string path = directory + "/config.json";
  Json json = read_json_file(path, {.bytes = 1U << 20U});
  if (json.is_object() && !json.contains("architectures") && file.find("cls.predictions.transform.dense.weight")) {
    json["architectures"] = {"BertForMaskedLM"};
  }
  HuggingFaceConfig config = config_from_json(json, path);
  auto* const bert = std::get_if<BertConfig>(&config.network.backbone);
  if (bert == nullptr || config.network.head == HeadKind::kTask) return config;
  const bool pooler = find_tensor(file, "bert.pooler.dense.weight", config.network) != nullptr;
  const bool next_sentence = file.find("cls.seq_relationship.weight") != nullptr;
  if (config.network.head == HeadKind::kNone) bert->pooler = pooler;
  if (config.network.head == HeadKind::kPretraining) bert->pooler = bert->pooler || (pooler && next_sentence);
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
    const auto parameter = parameters.find(name.ours);
    if (parameter == parameters.end()) continue;
    const SafetensorsEntry* entry = find_tensor(file, name.theirs, config.network);
    if (entry == nullptr) throw DataError(directory + ": the weights have no " + name.theirs);
    read_parameter(file, *entry, name, parameter->second.value(), directory, "config.json");
    read.insert(entry->name);
  }
  refuse_unknown(file, read, config.network, directory);
  return model;
}

std::vector<std::string> initialise_from_hugging_face(AnyNetwork& network, const std::string& directory) {
  const SafetensorsModel file(directory);
  const NetworkConfig& config = network.config();
  const NetworkConfig theirs = read_config(directory, file).network;
  if (config.is_gpt() != theirs.is_gpt()) {
    throw DataError(directory + ": a " + (theirs.is_gpt() ? "GPT" : "BERT") + " cannot start a " +
                    (config.is_gpt() ? "GPT" : "BERT"));
  }
  const std::string prefix = backbone_prefix(config);
  auto parameters = by_name(network.module());
  std::set<std::string> fresh;
  for (const auto& [name, parameter] : parameters) fresh.insert(name);
  for (const ParameterName& name : hugging_face_names(config)) {
    const bool of_backbone = name.ours.starts_with(prefix);
    if (!of_backbone && config.head == HeadKind::kTask) continue;
    const auto parameter = parameters.find(name.ours);
    if (parameter == parameters.end()) continue;
    const SafetensorsEntry* entry = find_tensor(file, name.theirs, theirs);
    if (entry == nullptr) {
      const bool may_lack =
          !of_backbone || name.ours.starts_with(prefix + "pooler.") || name.ours == prefix + "head.weight";
      if (!may_lack) throw DataError(directory + ": the weights have no " + name.theirs);
      continue;
    }
    const bool grown = has_row_per_entry(name, config) && read_first_rows(file, *entry, parameter->second.value());
    if (!grown) read_parameter(file, *entry, name, parameter->second.value(), directory, "the network");
    fresh.erase(name.ours);
  }
  return {fresh.begin(), fresh.end()};
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
    if (const auto parameter = parameters.find(name.ours); parameter != parameters.end()) {
      e.parameter = parameter->second;
      e.spec.shape = their_shape(name, parameter->second.shape());
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
    const std::vector<float> zeros(static_cast<std::size_t>(e.spec.shape[0]));
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

void write_generation_config(const Json& config, const std::string& directory) {
  Json generation;
  for (const char* key : {"bos_token_id", "eos_token_id", "transformers_version"}) generation[key] = config.at(key);
  write_file_durably(directory + "/generation_config.json", dump_pretty(generation));
}

}  // namespace

void write_hugging_face(Module& network, const HuggingFaceConfig& config, const Tokenizer* tokenizer,
                        const std::string& directory) {
  const Json json = config_to_json(config, special_ids(tokenizer));
  const std::vector<Export> exports = exports_of(network, config.network);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw CannotCreateError("export: cannot create the folder " + directory + ": " + error.message());

  std::vector<SafetensorsSpec> specs;
  for (const Export& e : exports) specs.push_back(e.spec);
  write_safetensors_model(directory, specs, [&](std::size_t i, const ByteSink& sink) { give_bytes(exports[i], sink); });
  if (config.network.head == HeadKind::kLanguageModel) write_generation_config(json, directory);
  if (tokenizer != nullptr) {
    const Dim context = std::visit([](const auto& backbone) { return backbone.context; }, config.network.backbone);
    write_tokenizer(*tokenizer, context, directory);
  }
  write_file_durably(directory + "/config.json", dump_pretty(json));  // written last: a folder that has it is complete
}

}  // namespace rapt
