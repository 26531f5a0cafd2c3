// A kind of network in transformers, identified by config.json's model_type: its classes, the meaning of its keys, and
// the names of its parameters. Each model family lists its kinds (train/models/family.h).
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

/// A parameter under both of its names. transformers' Conv1D stores [in, out] where rapt stores [out, in]. BERT's
/// query, key and value are three matrices; rapt has one with the rows of all three. GPT-NeoX has one as well, but with
/// the rows of the first head's query, key and value first, then the second head's.
struct ParameterName {
  std::string ours, theirs;
  bool transposed = false;
  int part = 0, parts = 1;  ///< index and number of equal runs of our rows that form their parameter
  Dim heads = 0;            ///< H if our rows are [3, H, D] and theirs [H, 3, D]; 0 if the order is the same
  bool as_row = false;      ///< theirs is [1, n] where ours is [n]
  Dim zeros = 0;  ///< zeros that are written if the network lacks the parameter, which a file may then lack, too
  bool repeated = false;  ///< a second copy of a parameter that another entry of the table reads
  Tensor fixed = {};      ///< of a tensor that is no parameter, such as a table of sinusoids: its values
  bool written = true;    ///< false for an untied head beside a task whose class has none: read if present
};

/// A class of a kind: its name without the kind's prefix, and its meaning.
struct HuggingFaceClass {
  const char* suffix;
  Objective objective;
  std::optional<Task> task = {};  ///< for kLabels; kClassify is three tasks (problem_type)
  bool labels = true;             ///< config.json of a task lists its outputs
};

struct HuggingFaceKind {
  const char* model_type;
  const char* class_prefix;  ///< "GPT2" of GPT2LMHeadModel
  const char* name_prefix;   ///< prefix of the names of a backbone's parameters
  /// The first one is the default if config.json names none; of several with the same meaning, the first one is
  /// written.
  std::span<const HuggingFaceClass> classes;
  bool marks_texts = false;  ///< config.json has the ids of the tokens that start and end a text

  /// Whether this kind can hold a backbone.
  bool (*holds)(const BackboneConfig& backbone);
  /// \throws DataError  for an unsupported setting that would change the results
  BackboneConfig (*read)(const JsonFields& fields, const HuggingFaceClass& known);
  TaskConfig (*read_head)(const JsonFields& fields, Task task, Dim outputs, const BackboneConfig& backbone);
  /// \throws UsageError  if transformers has no such network
  void (*write)(Json& json, const NetworkConfig& network);
  std::vector<ParameterName> (*names)(const NetworkConfig& network);
  /// Names of a parameter other than the one in the table; without the prefix.
  std::vector<std::string> (*other_names)(const std::string& bare, const NetworkConfig& network);
  /// Whether a file may hold this tensor in addition to the network's parameters: buffers that older versions of
  /// transformers saved, second copies of tied weights, heads that stayed in files of classes that do not use them.
  bool (*may_be_left)(const std::string& name, const NetworkConfig& network);

  using HasTensor = std::function<bool(const std::string& name)>;
  /// The class, without the prefix, of weights whose config.json names none; not set: the first one.
  const char* (*class_of_weights)(const HasTensor& has) = nullptr;
  /// Properties that only the weights show; not set: none.
  void (*settle_by_weights)(NetworkConfig& network, const HasTensor& has) = nullptr;
};

HuggingFaceKind gpt2_kind();
HuggingFaceKind openai_gpt_kind();
HuggingFaceKind gpt_neox_kind();
HuggingFaceKind bert_kind();
HuggingFaceKind marian_kind();
HuggingFaceKind bart_kind();
HuggingFaceKind mbart_kind();
HuggingFaceKind pegasus_kind();

namespace hugging_face {

/// A key of transformers' ACT2FN. \throws DataError  for an unsupported one, listing the supported ones
Activation activation_from(const JsonFields& fields, const char* key, const char* fallback);
/// \return  null if transformers has no such activation
const char* activation_name(Activation activation);

/// Throws the UsageError that names what transformers does not support, and an alternative if there is one.
[[noreturn]] void refuse_export(const std::string& what, const std::string& instead = "");

}  // namespace hugging_face
}  // namespace rapt
