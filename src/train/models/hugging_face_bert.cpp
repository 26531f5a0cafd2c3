// The bert kind: transformers, models/bert/configuration_bert.py and modeling_bert.py.
#include <array>

#include "nn/models/bert.h"
#include "train/models/hugging_face_kind.h"

namespace rapt {
namespace {

using namespace hugging_face;

constexpr std::array<HuggingFaceClass, 7> kClasses{{
    {"Model", Objective::kNone},
    {"ForPreTraining", Objective::kMaskedWordsNextSentence},
    {"ForMaskedLM", Objective::kMaskedWords},
    {"ForSequenceClassification", Objective::kLabels, Task::kClassify},
    {"ForTokenClassification", Objective::kLabels, Task::kTag},
    {"ForQuestionAnswering", Objective::kLabels, Task::kQuestion},
    {"ForMultipleChoice", Objective::kLabels, Task::kChoice, false},
}};

BackboneConfig read(const JsonFields& fields, const HuggingFaceClass& known) {
  BertConfig c;
  c.vocabulary = fields.positive_integer_or("vocab_size", c.vocabulary);
  c.context = fields.positive_integer_or("max_position_embeddings", c.context);
  c.width = fields.positive_integer_or("hidden_size", c.width);
  c.layers = fields.positive_integer_or("num_hidden_layers", c.layers);
  c.heads = fields.positive_integer_or("num_attention_heads", c.heads);
  c.feed_forward = fields.positive_integer_or("intermediate_size", 3072);
  c.segments = fields.positive_integer_or("type_vocab_size", c.segments);
  c.activation = activation_from(fields, "hidden_act", "gelu");
  c.norm_epsilon = fields.number_or("layer_norm_eps", 1e-12);
  c.hidden_dropout = fields.number_or("hidden_dropout_prob", 0.1);
  c.attention_dropout = fields.number_or("attention_probs_dropout_prob", 0.1);
  c.init_std = fields.number_or("initializer_range", 0.02);
  if (c.width % c.heads != 0) {
    fields.refuse("num_attention_heads", "a divisor of hidden_size, which is " + std::to_string(c.width));
  }
  if (!(c.norm_epsilon > 0)) fields.refuse("layer_norm_eps", "positive");
  if (fields.string_or("position_embedding_type", "absolute") != "absolute") {
    fields.refuse("position_embedding_type", "absolute");
  }
  for (const char* key : {"is_decoder", "add_cross_attention", "is_encoder_decoder"}) {
    if (fields.boolean_or(key, false)) fields.refuse(key, "false: rapt's BERT is an encoder");
  }
  if (fields.has_value("pruned_heads") && !fields.at("pruned_heads").empty()) fields.refuse("pruned_heads", "empty");
  if (fields.positive_integer_or("embedding_size", c.width) != c.width) {
    fields.refuse("embedding_size", "hidden_size, which is " + std::to_string(c.width));
  }
  if (masks_words(known.objective) && !fields.boolean_or("tie_word_embeddings", true)) {
    fields.refuse("tie_word_embeddings", "true: words are predicted with the token table");
  }
  return c;  // chunk_size_feed_forward, use_cache and similar settings do not change results
}

TaskConfig read_head(const JsonFields& fields, Task task, Dim outputs, const BackboneConfig& backbone) {
  TaskConfig head = backbone.task_head(task, outputs);
  if (task != Task::kQuestion) {
    head.dropout = fields.number_or("classifier_dropout", backbone.as<BertConfig>()->hidden_dropout);
  }
  return head;
}

void write(Json& json, const NetworkConfig& network) {
  const BertConfig& c = *network.backbone.as<BertConfig>();
  const char* const activation = activation_name(c.activation);
  if (activation == nullptr) refuse_export("bert with this activation");
  json["vocab_size"] = c.vocabulary;
  json["hidden_size"] = c.width;
  json["num_hidden_layers"] = c.layers;
  json["num_attention_heads"] = c.heads;
  json["intermediate_size"] = c.inner_width();
  json["hidden_act"] = activation;
  json["hidden_dropout_prob"] = c.hidden_dropout;
  json["attention_probs_dropout_prob"] = c.attention_dropout;
  json["max_position_embeddings"] = c.context;
  json["type_vocab_size"] = c.segments;
  json["layer_norm_eps"] = c.norm_epsilon;
  json["initializer_range"] = c.init_std;
  json["position_embedding_type"] = "absolute";
  const bool own_dropout = network.objective == Objective::kLabels && network.task.task != Task::kQuestion &&
                           network.task.dropout != c.hidden_dropout;
  json["classifier_dropout"] = own_dropout ? Json(network.task.dropout) : Json(nullptr);
  json["tie_word_embeddings"] = true;
}

std::vector<ParameterName> names_of(const NetworkConfig& network) {
  const BertConfig& config = *network.backbone.as<BertConfig>();
  const std::string prefix = backbone_prefix(network), root = network.objective == Objective::kNone ? "" : "bert.";
  std::vector<ParameterName> names;
  const auto norm = [&](const std::string& ours, const std::string& theirs) {
    names.push_back({ours + ".gain", theirs + ".weight"});
    names.push_back({ours + ".bias", theirs + ".bias"});
  };
  const auto linear = [&](const std::string& ours, const std::string& theirs) {
    names.push_back({ours + ".weight", theirs + ".weight"});
    names.push_back({ours + ".bias", theirs + ".bias"});
  };
  names.push_back({prefix + "tokens.weight", root + "embeddings.word_embeddings.weight"});
  names.push_back({prefix + "positions.weight", root + "embeddings.position_embeddings.weight"});
  names.push_back({prefix + "segments.weight", root + "embeddings.token_type_embeddings.weight"});
  norm(prefix + "norm", root + "embeddings.LayerNorm");
  for (Dim layer = 0; layer < config.layers; ++layer) {
    const std::string ours = prefix + "blocks." + std::to_string(layer) + ".",
                      theirs = root + "encoder.layer." + std::to_string(layer) + ".";
    int part = 0;
    for (const char* name : {"query", "key", "value"}) {
      for (const char* kind : {".weight", ".bias"}) {
        names.push_back({ours + "attention.qkv" + kind, theirs + "attention.self." + name + kind, false, part, 3});
      }
      ++part;
    }
    linear(ours + "attention.out", theirs + "attention.output.dense");
    norm(ours + "norm1", theirs + "attention.output.LayerNorm");
    linear(ours + "feed_forward.up", theirs + "intermediate.dense");
    linear(ours + "feed_forward.down", theirs + "output.dense");
    norm(ours + "norm2", theirs + "output.LayerNorm");
  }
  if (config.pooler) linear(prefix + "pooler", root + "pooler.dense");
  if (masks_words(network.objective)) {
    linear("words.dense", "cls.predictions.transform.dense");
    norm("words.norm", "cls.predictions.transform.LayerNorm");
    names.push_back({"words.bias", "cls.predictions.bias"});
    if (config.pooler) linear("next_sentence", "cls.seq_relationship");
  }
  if (network.objective == Objective::kLabels) {
    linear("head", network.task.task == Task::kQuestion ? "qa_outputs" : "classifier");
  }
  return names;
}

std::vector<std::string> other_names(const std::string& bare, const NetworkConfig& /*network*/) {
  if (bare == "embeddings.word_embeddings.weight") return {"cls.predictions.decoder.weight"};
  if (bare == "cls.predictions.bias") return {"cls.predictions.decoder.bias"};
  return {};
}

bool may_be_left(const std::string& name, const NetworkConfig& network) {
  if (name.ends_with("embeddings.position_ids") || name.ends_with("embeddings.token_type_ids")) return true;
  if (name.starts_with("cls.predictions.decoder.")) return masks_words(network.objective);
  if (network.backbone.as<BertConfig>()->pooler) return false;
  return name.ends_with("pooler.dense.weight") || name.ends_with("pooler.dense.bias") ||
         name.starts_with("cls.seq_relationship.");
}

// Google's small models do not name their class.
const char* class_of_weights(const HuggingFaceKind::HasTensor& has) {
  return has("cls.predictions.transform.dense.weight") ? "ForMaskedLM" : "Model";
}

// Determines from its weights which parts of a BERT a file has, whatever its class says: encoders come with and without
// a pooler, and Google's masked language models also hold the next-sentence head.
void settle_by_weights(NetworkConfig& network, const HuggingFaceKind::HasTensor& has) {
  const bool pooler = has("bert.pooler.dense.weight") || has("pooler.dense.weight");
  if (network.objective == Objective::kNone) network.backbone.as<BertConfig>()->pooler = pooler;
  if (network.objective == Objective::kMaskedWords && pooler && has("cls.seq_relationship.weight")) {
    network.objective = Objective::kMaskedWordsNextSentence;
    network.backbone.fit(network.objective, network.task);
  }
}

}  // namespace

HuggingFaceKind bert_kind() {
  return {.model_type = "bert",
          .class_prefix = "Bert",
          .name_prefix = "bert.",
          .classes = kClasses,
          .holds = [](const BackboneConfig& backbone) { return backbone.as<BertConfig>() != nullptr; },
          .read = read,
          .read_head = read_head,
          .write = write,
          .names = names_of,
          .other_names = other_names,
          .may_be_left = may_be_left,
          .class_of_weights = class_of_weights,
          .settle_by_weights = settle_by_weights};
}

}  // namespace rapt
