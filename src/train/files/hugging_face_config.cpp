// config.json as a whole: the kind, the class, the names of labels, and the keys that all kinds share.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "tensor/error.h"
#include "train/files/hugging_face_kinds.h"

namespace rapt {

namespace hugging_face {
namespace {

constexpr std::array<std::pair<const char*, Activation>, 13> kActivations{{
    {"gelu_new", Activation::kGeluTanh},
    {"gelu", Activation::kGelu},
    {"gelu_pytorch_tanh", Activation::kGeluTanh},
    {"gelu_fast", Activation::kGeluTanh},
    {"gelu_accurate", Activation::kGeluTanh},
    {"gelu_python", Activation::kGelu},
    {"relu", Activation::kRelu},
    {"silu", Activation::kSilu},
    {"swish", Activation::kSilu},
    {"tanh", Activation::kTanh},
    {"sigmoid", Activation::kSigmoid},
    {"quick_gelu", Activation::kQuickGelu},
    {"linear", Activation::kNone},
}};

// A class name without the kind's prefix, and its meaning.
struct ClassName {
  const char* suffix;
  HeadKind head;
  std::optional<Task> task = {};
};
// Of several with the same meaning, the first one is written. ForSequenceClassification is three tasks (problem_type).
constexpr std::array<ClassName, 6> kGptClasses{{
    {"LMHeadModel", HeadKind::kLanguageModel},
    {"Model", HeadKind::kLanguageModel},
    {"ForSequenceClassification", HeadKind::kTask, Task::kClassify},
    {"DoubleHeadsModel", HeadKind::kTask, Task::kChoice},
    {"ForTokenClassification", HeadKind::kTask, Task::kTag},
    {"ForQuestionAnswering", HeadKind::kTask, Task::kQuestion},
}};
constexpr std::size_t kOpenAiClasses = 4;  // the first ones
constexpr std::array<ClassName, 4> kGptNeoxClasses{{
    {"ForCausalLM", HeadKind::kLanguageModel},
    {"ForSequenceClassification", HeadKind::kTask, Task::kClassify},
    {"ForTokenClassification", HeadKind::kTask, Task::kTag},
    {"ForQuestionAnswering", HeadKind::kTask, Task::kQuestion},
}};
constexpr std::array<ClassName, 7> kBertClasses{{
    {"Model", HeadKind::kNone},
    {"ForPreTraining", HeadKind::kPretraining},
    {"ForMaskedLM", HeadKind::kPretraining},
    {"ForSequenceClassification", HeadKind::kTask, Task::kClassify},
    {"ForTokenClassification", HeadKind::kTask, Task::kTag},
    {"ForQuestionAnswering", HeadKind::kTask, Task::kQuestion},
    {"ForMultipleChoice", HeadKind::kTask, Task::kChoice},
}};

struct Kind {
  const char* model_type;
  const char* class_prefix;
  const char* name_prefix;
  std::span<const ClassName> classes;
};
constexpr Kind kGpt2{"gpt2", "GPT2", "transformer.", kGptClasses};
constexpr Kind kOpenAiGpt{"openai-gpt", "OpenAIGPT", "transformer.", std::span(kGptClasses).first(kOpenAiClasses)};
constexpr Kind kGptNeox{"gpt_neox", "GPTNeoX", "gpt_neox.", kGptNeoxClasses};
constexpr Kind kBert{"bert", "Bert", "bert.", kBertClasses};

const Kind& kind_named(const JsonFields& fields) {
  const std::string type = fields.string("model_type");
  for (const Kind* kind : {&kGpt2, &kOpenAiGpt, &kGptNeox, &kBert}) {
    if (type == kind->model_type) return *kind;
  }
  fields.refuse("model_type", "gpt2, openai-gpt, gpt_neox or bert");
}

const Kind& kind_of(const NetworkConfig& network) {
  const auto* gpt = std::get_if<GptConfig>(&network.backbone);
  if (gpt == nullptr) return kBert;
  if (is_gpt_neox(*gpt)) return kGptNeox;
  return is_openai_gpt(*gpt) ? kOpenAiGpt : kGpt2;
}

// The class in `architectures`, or the kind's first one if there is none.
const ClassName& class_of(const JsonFields& fields, const Kind& kind) {
  if (!fields.has_value("architectures")) return kind.classes[0];
  const std::vector<std::string> names = fields.strings("architectures");
  if (names.empty()) return kind.classes[0];
  std::string all;
  for (const ClassName& known : kind.classes) {
    const std::string name = kind.class_prefix + std::string(known.suffix);
    if (names[0] == name) return known;
    all += (all.empty() ? "" : ", ") + name;
  }
  fields.refuse("architectures", "one of " + all);
}

bool same_class(const ClassName& known, const NetworkConfig& network) {
  if (known.head != network.head) return false;
  if (known.head == HeadKind::kPretraining) {  // with the next sentence, or masked words only
    const bool both = std::get<BertConfig>(network.backbone).pooler;
    return std::string(known.suffix) == (both ? "ForPreTraining" : "ForMaskedLM");
  }
  if (known.head != HeadKind::kTask) return true;
  const Task task = network.task.task;
  const bool sequence = task == Task::kRegress || task == Task::kMultilabel;
  return known.task == (sequence ? Task::kClassify : task);
}

// id2label, or num_labels times LABEL_i; transformers' default is two.
std::vector<std::string> labels_of(const JsonFields& fields) {
  std::vector<std::string> labels;
  if (!fields.has_value("id2label")) {
    const std::int64_t count = fields.positive_integer_or("num_labels", fields.positive_integer_or("_num_labels", 2));
    for (std::int64_t i = 0; i < count; ++i) labels.push_back("LABEL_" + std::to_string(i));
    return labels;
  }
  const Json& names = fields.object("id2label").json();
  std::vector<bool> seen(names.size());
  labels.resize(names.size());
  for (const auto& [key, name] : names.items()) {
    std::size_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    const bool number = error == std::errc() && end == key.data() + key.size();
    if (!number || id >= labels.size() || seen[id] || !name.is_string()) {
      fields.refuse("id2label", "a name for each of 0 to " + std::to_string(names.size()) + " - 1");
    }
    labels[id] = name.get<std::string>();
    seen[id] = true;
  }
  if (labels.empty()) fields.refuse("id2label", "a name for one class at least");
  return labels;
}

Task task_of(const JsonFields& fields, Task of_class, std::size_t labels) {
  if (of_class != Task::kClassify) return of_class;
  const std::string type = fields.string_or("problem_type", labels == 1 ? "regression" : "single_label_classification");
  if (type == "regression") return Task::kRegress;
  if (type == "single_label_classification") return Task::kClassify;
  if (type == "multi_label_classification") return Task::kMultilabel;
  fields.refuse("problem_type", "regression, single_label_classification or multi_label_classification");
}

const char* problem_type(Task task) {
  if (task == Task::kRegress) return "regression";
  return task == Task::kMultilabel ? "multi_label_classification" : "single_label_classification";
}

void labels_to_json(Json& json, const HuggingFaceConfig& config) {
  const Task task = config.network.task.task;
  if (task == Task::kChoice && !config.network.is_gpt()) return;
  const auto count = static_cast<std::size_t>(config.network.task.head_width());
  if (!config.labels.empty() && config.labels.size() != count) {
    throw std::invalid_argument("export: there must be a name for each of " + std::to_string(count) + " outputs, got " +
                                std::to_string(config.labels.size()));
  }
  Json names = Json::object(), ids = Json::object();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = config.labels.empty() ? "LABEL_" + std::to_string(i) : config.labels[i];
    names[std::to_string(i)] = name;
    ids[name] = i;
  }
  json["id2label"] = names;
  json["label2id"] = ids;
  if (task == Task::kClassify || task == Task::kRegress || task == Task::kMultilabel) {
    json["problem_type"] = problem_type(task);
  }
}

}  // namespace

Activation activation_from(const JsonFields& fields, const char* key, const char* fallback) {
  const std::string name = fields.string_or(key, fallback);
  std::string all;
  for (const auto& [theirs, activation] : kActivations) {
    if (name == theirs) return activation;
    all += (all.empty() ? "" : ", ") + std::string(theirs);
  }
  fields.refuse(key, "one of " + all);
}

const char* activation_name(Activation activation) {
  for (const auto& [theirs, ours] : kActivations) {
    if (ours == activation) return theirs;
  }
  return nullptr;
}

void refuse_export(const std::string& what, const std::string& instead) {
  throw UsageError("export: transformers has no " + what + "; " +
                   (instead.empty() ? "it cannot be exported as a Hugging Face directory" : instead));
}

const char* name_prefix(const NetworkConfig& network) { return kind_of(network).name_prefix; }

}  // namespace hugging_face

using namespace hugging_face;

HuggingFaceConfig config_from_json(const Json& config, const std::string& name) {
  const JsonFields fields(config, name);
  const Kind& kind = kind_named(fields);
  const ClassName& known = class_of(fields, kind);

  HuggingFaceConfig result;
  result.network.head = known.head;
  Task task = Task::kClassify;
  Dim outputs = 1;
  if (known.task) {
    result.labels = labels_of(fields);
    task = task_of(fields, *known.task, result.labels.size());
    outputs = static_cast<Dim>(result.labels.size());
    if (task == Task::kQuestion && outputs != 2) {
      fields.refuse("id2label", "of two outputs, the first and the last token of an answer");
    }
    if (task == Task::kQuestion || task == Task::kChoice) {  // their outputs are not labels
      result.labels.clear();
      outputs = 1;
    }
  }
  if (&kind != &kBert) {
    const bool neox = &kind == &kGptNeox;
    GptConfig gpt = neox ? gpt_neox_from_json(fields) : gpt_from_json(fields);
    if (known.task && task != Task::kChoice) gpt.tied_head = true;  // the class has no other head
    if (known.task) {
      result.network.task = (neox ? gpt_neox_task_from_json : gpt_task_from_json)(fields, task, outputs, gpt);
    }
    result.network.backbone = gpt;
    return result;
  }
  BertConfig bert = bert_from_json(fields);
  if (known.task) {
    result.network.task = bert_task_from_json(fields, task, outputs, bert);
    bert.pooler = result.network.task.judges_sequences();
  } else if (known.head == HeadKind::kPretraining) {
    bert.pooler = std::string(known.suffix) == "ForPreTraining";
    if (!fields.boolean_or("tie_word_embeddings", true)) {
      fields.refuse("tie_word_embeddings", "true: words are predicted with the token table");
    }
  }
  result.network.backbone = bert;
  return result;
}

Json config_to_json(const HuggingFaceConfig& config, const SpecialIds& ids) {
  const NetworkConfig& network = config.network;
  const Kind& kind = kind_of(network);
  const auto id = [](std::int64_t value) { return value >= 0 ? Json(value) : Json(nullptr); };
  Json json;
  json["model_type"] = kind.model_type;
  json["architectures"] = Json::array();
  if (const auto* gpt = std::get_if<GptConfig>(&network.backbone)) {
    (&kind == &kGptNeox ? gpt_neox_to_json : gpt_to_json)(json, network, *gpt);
  } else {
    bert_to_json(json, network, std::get<BertConfig>(network.backbone));
  }
  const auto known = std::ranges::find_if(kind.classes, [&](const ClassName& c) { return same_class(c, network); });
  if (known == kind.classes.end()) refuse_export(std::string(kind.model_type) + " with this head");
  json["architectures"].push_back(kind.class_prefix + std::string(known->suffix));
  if (network.is_gpt()) {
    json["bos_token_id"] = id(ids.end_of_text);
    json["eos_token_id"] = id(ids.end_of_text);
  }
  json["pad_token_id"] = id(ids.padding);
  if (network.head == HeadKind::kTask) labels_to_json(json, config);
  json["torch_dtype"] = "float32";
  json["transformers_version"] = "4.40.0";
  return json;
}

std::vector<ParameterName> hugging_face_names(const NetworkConfig& config) {
  if (const auto* gpt = std::get_if<GptConfig>(&config.backbone)) {
    return is_gpt_neox(*gpt) ? gpt_neox_names(config, *gpt) : gpt_names(config, *gpt);
  }
  return bert_names(config, std::get<BertConfig>(config.backbone));
}

}  // namespace rapt
