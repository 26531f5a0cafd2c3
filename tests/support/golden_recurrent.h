// A golden case of a recurrent network: its weights under PyTorch's names, its outputs, attention and greedy texts.
#pragma once

#include "decode/generate.h"
#include "decode/recurrent_decoder.h"
#include "io/names.h"
#include "support/golden_network.h"

namespace rapt::testing {

inline RecurrentConfig recurrent_config(const std::string& folder) {
  static constexpr std::pair<RecurrentAttention, const char*> kAttentions[] = {
      {RecurrentAttention::kNone, "none"},
      {RecurrentAttention::kContext, "context"},
      {RecurrentAttention::kAdditive, "bahdanau"},
      {RecurrentAttention::kDot, "luong-dot"},
      {RecurrentAttention::kGeneral, "luong-general"},
      {RecurrentAttention::kConcat, "luong-concat"}};
  const Json model = read_json_file(folder + "/model.json");
  const JsonFields fields(model, "model.json");
  RecurrentConfig c;
  c.cell = model.at("cell") == "lstm" ? RecurrentCell::kLstm : RecurrentCell::kGru;
  c.layers = fields.integer("layers");
  c.embedding_width = fields.integer("embedding");
  c.width = fields.integer("hidden");
  c.vocabulary = fields.integer("vocabulary");
  c.source_vocabulary = fields.integer_or("source_vocabulary", 0);
  c.encoder = c.source_vocabulary > 0;
  if (!c.encoder) return c;
  c.bidirectional = fields.boolean_or("bidirectional", false);
  c.input_feeding = fields.boolean_or("input_feeding", false);
  c.attention = value_named(model.at("attention").get<std::string>(), kAttentions, "attention");
  c.start_token = 1;
  c.end_token = 2;
  return c;
}

/// "encoder.weight_ih_l0_reverse" is encoder.0.reverse.input_weight here.
inline std::string our_name(const std::string& theirs) {
  const std::size_t dot = theirs.find('.');
  const std::string module = theirs.substr(0, dot);
  std::string rest = theirs.substr(dot + 1);
  if (module == "source_embedding") return "source_tokens." + rest;
  if (module == "target_embedding" || module == "embedding") return "tokens." + rest;
  if (module == "output") return "head." + rest;
  if (module != "encoder" && module != "decoder" && module != "net") return theirs;
  const bool reverse = rest.ends_with("_reverse");
  const std::string kind = rest.substr(0, rest.find('_'));  // weight, bias
  const std::string layer = rest.substr(rest.find("_l") + 2, 1);
  return (module == "encoder" ? "encoder." : "decoder.") + layer + (reverse ? ".reverse." : ".") +
         (rest.find("_ih_") != std::string::npos ? "input_" : "recurrent_") + kind;
}

struct RecurrentCase {
  AnyNetwork network;
  Names names;
};

inline RecurrentCase read_recurrent(const std::string& folder) {
  const RecurrentConfig config = recurrent_config(folder);
  Initializer init = Initializer::unset();
  RecurrentCase read{
      AnyNetwork({.backbone = config, .objective = config.encoder ? Objective::kTargetText : Objective::kNextToken},
                 init),
      {}};
  const SafetensorsFile weights(folder + "/weights.safetensors");
  for (const SafetensorsEntry& entry : weights.tensors()) {
    read.names[our_name(entry.name)].push_back({.ours = our_name(entry.name), .theirs = entry.name});
  }
  const auto parameters = parameters_of(read.network.module());
  require(parameters.size() == read.names.size(), parameters.size(), " parameters are there, expected ",
          read.names.size());
  for (NamedParameter p : parameters) {
    const auto name = read.names.find(p.name);
    require(name != read.names.end(), "the file has no ", p.name);
    const SafetensorsEntry& entry = *weights.find(name->second.front().theirs);
    require(Shape(entry.shape) == p.variable.shape(), p.name, " has another shape");
    weights.read_f32(entry, p.variable.value().span<float>());
  }
  return read;
}

inline const Recurrent& recurrent_of(const AnyNetwork& network) {
  return dynamic_cast<const Recurrent&>(network.backbone());
}

/// Scores, the encoder's outputs, and the weights of attention.
inline void check_recurrent_outputs(const GoldenCase& c, const Recurrent& model, const Batch& batch) {
  const NoGrad no_grad;
  Context ctx;
  require_close("logits", model.logits(model.states(batch, ctx)).value(), c.floats("logits"), 1e-4);
  if (!batch.source) return;
  require_close("encoder_output", model.encode(*batch.source, ctx).memory.memory.value(), c.floats("encoder_output"),
                1e-4);
  require(model.config().attends() == c.has("attention"), "attention is expected if the network has it");
  if (c.has("attention")) require_close("attention", model.attention(batch), c.floats("attention"), 1e-4);
}

/// Greedy texts: those of all sources in one batch, and each alone.
inline void check_recurrent_generation(const GoldenCase& c, const Recurrent& model) {
  const auto& config = model.config();
  const auto generated = [&](const std::vector<std::vector<std::int32_t>>& sources) {
    std::vector<Dim> lengths;
    std::vector<std::int32_t> tokens;
    for (const auto& source : sources) {
      lengths.push_back(static_cast<Dim>(source.size()));
      tokens.insert(tokens.end(), source.begin(), source.end());
    }
    const Stream stream = make_stream(lengths, tokens);
    RecurrentDecoder decoder(model, sources.size(), &stream);
    GenerateOptions options;
    options.max_tokens = c.expected.at("generation")[0].at("max_new_tokens").get<std::int64_t>();
    options.sampling.greedy = true;
    options.stop_ids = {config.end_token};
    return generate(decoder, TokenLists(sources.size(), {config.start_token}), options);
  };
  std::vector<std::vector<std::int32_t>> sources;
  for (const Json& item : c.expected.at("generation")) sources.push_back(item.at("source"));
  const auto together = generated(sources);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto expected = c.expected.at("generation")[i].at("tokens").get<std::vector<std::int32_t>>();
    for (Generated text : {together[i], generated({sources[i]}).front()}) {
      text.tokens.insert(text.tokens.begin(), config.start_token);
      if (text.ended) text.tokens.push_back(config.end_token);
      require(text.tokens == expected, "generation ", i, " gives ", dump_compact(Json(text.tokens)));
    }
  }
}

}  // namespace rapt::testing
