// The model families: one record each, in a separate file (gpt_family.cpp, bert_family.cpp), and a table of them. Code
// that depends on the kind of a model uses a property in its family's record, never a name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "decode/decoder.h"
#include "nn/models/any_network.h"
#include "train/models/hugging_face_kind.h"
#include "train/models/model_size.h"
#include "train/settings/train_config.h"

namespace rapt {

/// The names of a family's parameters without the prefix "backbone.": for --freeze, --layer-rate-decay and --lora-rank.
struct ParameterGroups {
  std::vector<std::string> embeddings;            ///< prefixes of names before the blocks: tables, a norm after them
  std::vector<std::string> blocks = {"blocks."};  ///< prefixes of a block's number, one per stack of blocks
  std::vector<std::string> before_head = {};      ///< prefixes of names between the blocks and a task head
};

/// A vocabulary that the family's published models share.
struct KnownVocabulary {
  Dim entries = 0;  ///< 0: none
  std::string name = {};
};

struct ModelFamily {
  std::vector<std::string> names;     ///< values of --model
  std::string title;                  ///< "GPT", for messages
  std::vector<Objective> objectives;  ///< the objectives of its networks
  std::string usual_task;             ///< the default --task
  /// The tokenizer adds the special tokens of a task's texts, "[CLS] A [SEP]"; otherwise GPT-1's delimiters are used.
  bool framed_by_tokenizer = false;
  bool has_attention_start = false;  ///< --attention-start applies to it
  KnownVocabulary known_vocabulary = {};
  ParameterGroups parameters;

  /// Rejects structure settings that the family does not have. \throws UsageError
  void (*check)(const TrainConfig& config);
  /// The backbone that the settings describe. \throws UsageError  if they are inconsistent
  BackboneConfig (*backbone)(const TrainConfig& config, VocabularySizes vocabulary);
  bool (*owns)(const BackboneConfig& backbone);
  /// Copies the settings that describe a backbone of the family into a configuration; its dropouts separately.
  void (*take_structure)(TrainConfig& config, const BackboneConfig& backbone);
  void (*take_dropouts)(TrainConfig& config, const BackboneConfig& backbone);
  /// As model_size().
  ModelSize (*size)(const TrainConfig& config, VocabularySizes vocabulary, double length);

  std::vector<HuggingFaceKind> hugging_face;  ///< the kinds of config.json for its networks

  /// Decodes with a backbone of the family; not set if the family does not predict the next token.
  std::unique_ptr<Decoder> (*decoder)(const Backbone& backbone, std::size_t sequences, const Stream* source) = nullptr;

  bool can_learn(Objective objective) const;
};

const std::vector<ModelFamily>& model_families();

/// \param name  a value of --model
/// \throws UsageError  for an unknown one, listing the existing ones
const ModelFamily& family_named(std::string_view name);
inline const ModelFamily& family_of(const TrainConfig& config) { return family_named(config.model); }
const ModelFamily& family_of(const BackboneConfig& backbone);

/// The first value of --model that can learn this: for suggestions in messages. Empty if there is none.
std::string first_model_for(Objective objective);

/// A decoder that reads the network, which must outlive it.
/// \param source  of an encoder-decoder: the source of each sequence, with its end token; else null
/// \throws UsageError  if the network does not predict the next token
std::unique_ptr<Decoder> make_decoder(const AnyNetwork& network, std::size_t sequences, const Stream* source = nullptr);

}  // namespace rapt
