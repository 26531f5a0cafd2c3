// A kind of networks as transformers has them, which config.json's model_type names: its classes, what its keys mean,
// and what its parameters are called. Each model family lists its kinds (train/models/family.h).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autograd/ops/activation.h"
#include "io/json.h"
#include "nn/models/any_network.h"

namespace rapt {

/// A parameter under both of its names. transformers' Conv1D keeps [in, out] where we keep [out, in]; BERT's query, key
/// and value are three matrices where ours is one with the rows of all three; GPT-NeoX's are one as well, but with the
/// rows of the first head's query, key and value first, then the second head's.
struct ParameterName {
  std::string ours, theirs;
  bool transposed = false;
  int part = 0, parts = 1;  ///< theirs is which of how many equal runs of our rows
  Dim heads = 0;            ///< H where our rows are [3, H, D] and theirs [H, 3, D]; 0 where the order is the same
  bool written = true;      ///< false for an untied head beside a task whose class has none: read where it is there
};

/// A class of a kind: what it is called after the kind's prefix, and what it is.
struct HuggingFaceClass {
  const char* suffix;
  Objective objective;
  std::optional<Task> task = {};  ///< of kLabels; kClassify is three tasks (problem_type)
  bool labels = true;             ///< config.json of a task lists its outputs
};

struct HuggingFaceKind {
  const char* model_type;
  const char* class_prefix;  ///< "GPT2" of GPT2LMHeadModel
  const char* name_prefix;   ///< what the names of a backbone's parameters begin with
  /// The first is meant where config.json names none; of several with the same meaning the first is written.
  std::span<const HuggingFaceClass> classes;
  bool marks_texts = false;  ///< config.json has the ids of the tokens that begin and end a text

  /// Whether this kind holds a backbone.
  bool (*holds)(const BackboneConfig& backbone);
  /// \throws DataError  for what is not known here and would change the mathematics
  BackboneConfig (*read)(const JsonFields& fields, const HuggingFaceClass& known);
  TaskConfig (*read_head)(const JsonFields& fields, Task task, Dim outputs, const BackboneConfig& backbone);
  /// \throws UsageError  if transformers has no such network
  void (*write)(Json& json, const NetworkConfig& network);
  std::vector<ParameterName> (*names)(const NetworkConfig& network);
  /// Other names of a parameter than that of the table, which comes without the prefix.
  std::vector<std::string> (*other_names)(const std::string& bare, const NetworkConfig& network);
  /// Whether a file may hold this tensor beside the network's parameters: buffers that older versions of transformers
  /// saved, second copies of tied weights, heads that stayed in files of classes that do not use them.
  bool (*may_be_left)(const std::string& name, const NetworkConfig& network);

  using HasTensor = std::function<bool(const std::string& name)>;
  /// The class of weights whose config.json names none, after the prefix; not set: the first.
  const char* (*class_of_weights)(const HasTensor& has) = nullptr;
  /// What only the weights tell; not set: nothing.
  void (*settle_by_weights)(NetworkConfig& network, const HasTensor& has) = nullptr;
};

HuggingFaceKind gpt2_kind();
HuggingFaceKind openai_gpt_kind();
HuggingFaceKind gpt_neox_kind();
HuggingFaceKind bert_kind();

namespace hugging_face {

/// A key of transformers' ACT2FN. \throws DataError  for one that is not known here, listing those that are
Activation activation_from(const JsonFields& fields, const char* key, const char* fallback);
/// \return  null if transformers has no such activation
const char* activation_name(Activation activation);

/// Throws the UsageError that says what transformers does not have, and what to do instead if there is something.
[[noreturn]] void refuse_export(const std::string& what, const std::string& instead = "");

}  // namespace hugging_face
}  // namespace rapt
