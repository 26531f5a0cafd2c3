// Recurrent networks: LSTM and GRU language models and encoder-decoders.
#include "decode/recurrent_decoder.h"
#include "io/names.h"
#include "nn/models/recurrent.h"
#include "tensor/error.h"
#include "train/models/family.h"

namespace rapt {
namespace {

constexpr std::pair<RecurrentCell, const char*> kCells[] = {{RecurrentCell::kLstm, "lstm"},
                                                            {RecurrentCell::kGru, "gru"}};
constexpr std::pair<RecurrentAttention, const char*> kAttentions[] = {
    {RecurrentAttention::kNone, "none"},         {RecurrentAttention::kContext, "context"},
    {RecurrentAttention::kAdditive, "additive"}, {RecurrentAttention::kDot, "dot"},
    {RecurrentAttention::kGeneral, "general"},   {RecurrentAttention::kConcat, "concat"}};

void check_recurrent(const TrainConfig& c) {
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw UsageError(message);
  };
  const RecurrentAttention attention = value_named(c.attention, kAttentions, "--attention");
  require(c.has_source() || attention == RecurrentAttention::kNone,
          "--attention " + c.attention + " requires --task translate or summarize, got --task " + c.task);
  require(c.has_source() || !c.bidirectional,
          "--bidirectional requires --task translate or summarize, got --task " + c.task);
  require(attention != RecurrentAttention::kDot || !c.bidirectional,
          "--attention dot needs an encoder as wide as the decoder, got --bidirectional; use --attention general");
  require(!c.input_feeding || attention >= RecurrentAttention::kDot,
          "--input-feeding requires --attention dot, general or concat, got --attention " + c.attention);
  require(c.init_range == 0 || c.init_std == 0, "--init-range and --init-std exclude each other; leave one out");
  require(c.lora_rank == 0, "--lora-rank requires a GPT or BERT, got --model " + c.model);
}

BackboneConfig recurrent_backbone(const TrainConfig& config, VocabularySizes vocabulary) {
  RecurrentConfig c;
  c.cell = value_named(config.model, kCells, "--model");
  c.encoder = config.has_source();
  c.vocabulary = vocabulary.target;
  c.source_vocabulary = vocabulary.source;
  if (c.encoder && !config.tie_source && vocabulary.source == 0) c.source_vocabulary = vocabulary.target;
  c.context = config.context;
  c.width = config.width;
  c.embedding_width = config.embedding_width;
  c.layers = config.layers;
  c.decoder_layers = config.decoder_layers;
  c.bidirectional = config.bidirectional;
  c.attention = value_named(config.attention, kAttentions, "--attention");
  c.input_feeding = config.input_feeding;
  c.tied_head = config.tie && c.state_width() == c.embedding();
  c.bias = config.bias;
  c.embedding_dropout = config.embedding_dropout_rate();
  c.layer_dropout = config.residual_dropout_rate();
  c.init_range = config.init_range;
  c.init_std = config.init_std;
  c.start_token = static_cast<std::int32_t>(config.start_token);
  c.end_token = static_cast<std::int32_t>(config.end_token);
  c.pad_token = static_cast<std::int32_t>(config.pad_token);
  check(c);
  return c;
}

void take_recurrent_structure(TrainConfig& config, const BackboneConfig& backbone) {
  const RecurrentConfig& c = *backbone.as<RecurrentConfig>();
  config.model = name_in(kCells, c.cell);
  config.context = c.context;
  config.width = c.width;
  config.embedding_width = c.embedding_width;
  config.layers = c.layers;
  config.decoder_layers = c.decoder_layers;
  config.bidirectional = c.bidirectional;
  config.attention = name_in(kAttentions, c.attention);
  config.input_feeding = c.input_feeding;
  config.tie = c.tied_head;
  config.tie_source = !c.encoder || c.source_vocabulary != c.vocabulary;
  config.bias = c.bias;
  config.init_range = c.init_range;
  config.init_std = c.init_std;
  config.start_token = c.start_token;
  config.end_token = c.end_token;
  config.pad_token = c.pad_token;
}

void take_recurrent_dropouts(TrainConfig& config, const BackboneConfig& backbone) {
  const RecurrentConfig& c = *backbone.as<RecurrentConfig>();
  config.embedding_dropout = c.embedding_dropout;
  config.residual_dropout = c.layer_dropout;
}

// Parameters of a stack of recurrent layers whose bottom one reads `in` columns.
Dim stack_size(const RecurrentConfig& c, Dim layers, Dim in, Dim directions) {
  Dim size = 0;
  for (Dim l = 0; l < layers; ++l) {
    const Dim below = l == 0 ? in : directions * c.width;
    size += directions * gates_of(c.cell) * c.width * (below + c.width + (c.bias ? 2 : 0));
  }
  return size;
}

// Of an encoder-decoder, source and target tokens are counted as one half of all tokens each.
ModelSize recurrent_size(const TrainConfig& config, VocabularySizes vocabulary, double length) {
  const BackboneConfig backbone = recurrent_backbone(config, vocabulary);
  const RecurrentConfig& c = *backbone.as<RecurrentConfig>();
  const Dim C = c.width, M = c.memory_width(), E = c.embedding(), V = c.vocabulary, b = c.bias ? 1 : 0;
  const Dim encoder = c.encoder ? stack_size(c, c.layers, E, c.bidirectional ? 2 : 1) : 0;
  const Dim decoder = stack_size(c, c.decoder_depth(), E + c.fed_width(), 1);
  const Dim bridge = c.bidirectional ? 2 * C * C + b * C : 0;
  const Dim key = c.has_key() ? C * M + (c.attention == RecurrentAttention::kAdditive ? b * C : 0) : 0;
  const Dim query = (c.has_score() ? C * C + C : 0) + (c.is_luong() ? C * (C + M) : 0);
  ModelSize size;
  size.parts.emplace_back("token embeddings", (V + c.source_vocabulary) * E);
  if (c.encoder) size.parts.emplace_back("encoder", encoder);
  if (bridge > 0) size.parts.emplace_back("bridge", bridge);
  size.parts.emplace_back(c.encoder ? "decoder" : "recurrent layers", decoder);
  if (key + query > 0) size.parts.emplace_back("attention", key + query);
  if (!c.tied_head || c.bias) size.parts.emplace_back("output layer", (c.tied_head ? 0 : V * c.state_width()) + b * V);
  for (const auto& part : size.parts) size.parameters += part.second;
  size.per_block = c.encoder ? encoder / c.layers : decoder / c.layers;
  const auto of_target = static_cast<double>(decoder + query + V * c.state_width());
  size.in_products = c.encoder ? (static_cast<double>(encoder + key) + of_target) / 2 : of_target;
  // Scores and weighted sums over the tokens of the source, for each target token.
  const double S = length > 0 ? length : static_cast<double>(config.longest_sequence());
  const double attended = c.attends() ? S * static_cast<double>(C + M) / 2 : 0;
  size.flop_per_token = 6 * (size.in_products + attended);
  size.state_bytes = static_cast<std::uint64_t>(size.parameters) * 16;
  return size;
}

std::unique_ptr<Decoder> recurrent_decoder(const Backbone& backbone, std::size_t sequences, const Stream* source) {
  return std::make_unique<RecurrentDecoder>(dynamic_cast<const Recurrent&>(backbone), sequences, source);
}

}  // namespace

ModelFamily recurrent_family() {
  return {.names = {"lstm", "gru"},
          .title = "recurrent network",
          .objectives = {Objective::kNextToken, Objective::kTargetText},
          .usual_task = "lm",
          .parameters = {.embeddings = {"tokens.", "source_tokens."},
                         .blocks = {"encoder.", "decoder."},
                         .before_head = {"bridge.", "key.", "query.", "score.", "combine.", "head."}},
          .check = check_recurrent,
          .backbone = recurrent_backbone,
          .owns = [](const BackboneConfig& backbone) { return backbone.as<RecurrentConfig>() != nullptr; },
          .take_structure = take_recurrent_structure,
          .take_dropouts = take_recurrent_dropouts,
          .size = recurrent_size,
          .hugging_face = {},
          .decoder = recurrent_decoder};
}

}  // namespace rapt
