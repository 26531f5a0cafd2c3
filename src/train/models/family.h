// The model families: one record for each, in a file of its own (gpt_family.cpp, bert_family.cpp), and a table of them.
// Code that depends on the kind of a model asks its family's record for the property that it means, never for a name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nn/models/any_network.h"
#include "train/models/hugging_face_kind.h"
#include "train/models/model_size.h"
#include "train/settings/train_config.h"

namespace rapt {

/// What a family's parameters are called, without "backbone." in front: for --freeze, --layer-rate-decay and
/// --lora-rank.
struct ParameterGroups {
  std::vector<std::string> embeddings;  ///< beginnings of names in front of the blocks: tables, a norm behind them
  std::string blocks = "blocks.";       ///< what stands before a block's number
  std::vector<std::string> before_head = {};  ///< beginnings of names between the blocks and a task's head
};

/// A vocabulary that published models of the family share.
struct KnownVocabulary {
  Dim entries = 0;  ///< 0: there is none
  std::string name = {};
};

struct ModelFamily {
  std::vector<std::string> names;     ///< as --model has them
  std::string title;                  ///< "GPT", for messages
  std::vector<Objective> objectives;  ///< what its networks can be taught
  std::string usual_task;             ///< as --task has it, where none is given
  /// Texts of a task are framed by the tokenizer, "[CLS] A [SEP]"; otherwise by GPT-1's delimiters.
  bool framed_by_tokenizer = false;
  bool has_attention_start = false;  ///< --attention-start means something to it
  KnownVocabulary known_vocabulary = {};
  ParameterGroups parameters;

  /// Refuses settings of the structure that the family does not have. \throws UsageError
  void (*check)(const TrainConfig& config);
  /// The backbone that the settings describe. \throws UsageError  if they do not fit each other
  BackboneConfig (*backbone)(const TrainConfig& config, Dim vocabulary);
  bool (*owns)(const BackboneConfig& backbone);
  /// Puts the settings that describe a backbone of the family into a configuration; its dropouts by themselves.
  void (*take_structure)(TrainConfig& config, const BackboneConfig& backbone);
  void (*take_dropouts)(TrainConfig& config, const BackboneConfig& backbone);
  /// As model_size().
  ModelSize (*size)(const TrainConfig& config, Dim vocabulary, double length);

  std::vector<HuggingFaceKind> hugging_face;  ///< the kinds of config.json that hold its networks

  bool can_learn(Objective objective) const;
};

const std::vector<ModelFamily>& model_families();

/// \param name  as --model has it
/// \throws UsageError  for one that no family has, listing those there are
const ModelFamily& family_named(std::string_view name);
inline const ModelFamily& family_of(const TrainConfig& config) { return family_named(config.model); }
const ModelFamily& family_of(const BackboneConfig& backbone);

/// The name of the first model that holds for, as --model has it: what a message proposes. Empty if there is none.
std::string first_model_for(Objective objective);

}  // namespace rapt
