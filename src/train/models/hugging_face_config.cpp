#include "train/models/hugging_face_config.h"

#include <algorithm>
#include <charconv>

#include "tensor/error.h"
#include "train/models/family.h"

namespace rapt {
namespace {

std::vector<const HuggingFaceKind*> all_kinds() {
  std::vector<const HuggingFaceKind*> kinds;
  for (const ModelFamily& family : model_families()) {
    for (const HuggingFaceKind& kind : family.hugging_face) kinds.push_back(&kind);
  }
  return kinds;
}

// "a, b or c".
std::string listed(const std::vector<std::string>& names) {
  std::string text = names.front();
  for (std::size_t i = 1; i < names.size(); ++i) text += (i + 1 < names.size() ? ", " : " or ") + names[i];
  return text;
}

// The class in `architectures`, or the kind's first one if there is none.
const HuggingFaceClass& class_of(const JsonFields& fields, const HuggingFaceKind& kind) {
  if (!fields.has_value("architectures")) return kind.classes[0];
  const std::vector<std::string> names = fields.strings("architectures");
  if (names.empty()) return kind.classes[0];
  std::string all;
  for (const HuggingFaceClass& known : kind.classes) {
    const std::string name = kind.class_prefix + std::string(known.suffix);
    if (names[0] == name) return known;
    all += (all.empty() ? "" : ", ") + name;
  }
  fields.refuse("architectures", "one of " + all);
}

bool same_class(const HuggingFaceClass& known, const NetworkConfig& network) {
  if (known.objective != network.objective || !known.task) return known.objective == network.objective;
  const Task task = network.task.task;
  const bool sequence = task == Task::kRegress || task == Task::kMultilabel;
  return *known.task == (sequence ? Task::kClassify : task);
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

const HuggingFaceKind& kind_of(const JsonFields& config) {
  const std::string type = config.string("model_type");
  std::vector<std::string> known;
  for (const HuggingFaceKind* kind : all_kinds()) {
    if (type == kind->model_type) return *kind;
    known.emplace_back(kind->model_type);
  }
  config.refuse("model_type", listed(known));
}

const HuggingFaceKind& kind_of(const BackboneConfig& backbone) {
  const auto kinds = all_kinds();
  const auto kind = std::ranges::find_if(kinds, [&](const HuggingFaceKind* k) { return k->holds(backbone); });
  if (kind == kinds.end()) hugging_face::refuse_export("such network");
  return **kind;
}

HuggingFaceConfig config_from_json(const Json& config, const std::string& name) {
  const JsonFields fields(config, name);
  const HuggingFaceKind& kind = kind_of(fields);
  const HuggingFaceClass& known = class_of(fields, kind);

  std::vector<std::string> labels;
  Task task = Task::kClassify;
  Dim outputs = 1;
  if (known.task) {
    labels = labels_of(fields);
    task = task_of(fields, *known.task, labels.size());
    outputs = static_cast<Dim>(labels.size());
    if (task == Task::kQuestion && outputs != 2) {
      fields.refuse("id2label", "of two outputs, the first and the last token of an answer");
    }
    if (task == Task::kQuestion || task == Task::kChoice) {  // their outputs are not labels
      labels.clear();
      outputs = 1;
    }
  }
  HuggingFaceConfig result{.network = {.backbone = kind.read(fields, known), .objective = known.objective},
                           .labels = std::move(labels)};
  NetworkConfig& network = result.network;
  if (known.task) network.task = kind.read_head(fields, task, outputs, network.backbone);
  network.backbone.fit(network.objective, network.task);
  return result;
}

Json config_to_json(const HuggingFaceConfig& config, const SpecialIds& ids) {
  const NetworkConfig& network = config.network;
  const HuggingFaceKind& kind = kind_of(network.backbone);
  const auto id = [](std::int64_t value) { return value >= 0 ? Json(value) : Json(nullptr); };
  Json json;
  json["model_type"] = kind.model_type;
  json["architectures"] = Json::array();
  kind.write(json, network);
  const auto known = std::ranges::find_if(kind.classes, [&](const auto& c) { return same_class(c, network); });
  if (known == kind.classes.end()) hugging_face::refuse_export(std::string(kind.model_type) + " with this head");
  json["architectures"].push_back(kind.class_prefix + std::string(known->suffix));
  if (kind.marks_texts) {
    json["bos_token_id"] = id(ids.end_of_text);
    json["eos_token_id"] = id(ids.end_of_text);
  }
  if (!json.contains("pad_token_id")) json["pad_token_id"] = id(ids.padding);
  if (known->task && known->labels) labels_to_json(json, config);
  json["torch_dtype"] = "float32";
  json["transformers_version"] = "4.40.0";
  return json;
}

std::vector<ParameterName> hugging_face_names(const NetworkConfig& config) {
  return kind_of(config.backbone).names(config);
}

}  // namespace rapt
