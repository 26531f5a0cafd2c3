#include "text/labelled/predictions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <stdexcept>
#include <utility>

#include "io/joined.h"
#include "io/json.h"

namespace rapt {

PredictionFormat prediction_format_of(std::string_view path) {
  if (path.ends_with(".csv")) return PredictionFormat::kCsv;
  const bool json = path.ends_with(".jsonl") || path.ends_with(".ndjson") || path.ends_with(".json");
  return json ? PredictionFormat::kJsonLines : PredictionFormat::kTsv;
}

std::string escape_tsv(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\\':
        out += "\\\\";
        break;
      default:
        out += c;
    }
  }
  return out;
}

static std::string shortest(float value) {
  std::array<char, 48> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string();
}

// A float as the double with the same shortest digits, which JSON then prints.
static Json json_number(float value) {
  if (!std::isfinite(value)) return nullptr;
  const std::string digits = shortest(value);
  double number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

// -------------------------------------------------------------------------------------------------------------- tables

static std::string escape_csv(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string table_row(PredictionFormat format, std::span<const std::string> cells) {
  const bool csv = format == PredictionFormat::kCsv;
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) row += csv ? ',' : '\t';
    row += csv ? escape_csv(cells[i]) : escape_tsv(cells[i]);
  }
  return row + '\n';
}

// Names that the writer itself uses.
static std::string input_name(const std::string& name) {
  static const std::set<std::string_view> own = {"line", "prediction", "probability", "gold",
                                                 "top",  "text",       "pair",        "probabilities"};
  const bool taken = own.contains(name) || name.starts_with("label_") || name.starts_with("probability_");
  return taken ? "input_" + name : name;
}

PredictionWriter::PredictionWriter(PredictionLayout layout, TextSink sink)
    : layout_(std::move(layout)), sink_(std::move(sink)) {
  for (std::string& name : layout_.others) name = input_name(name);
  if (layout_.format != PredictionFormat::kJsonLines) sink_(table_row(layout_.format, header()));
}

std::vector<std::string> PredictionWriter::header() const {
  std::vector<std::string> names = {layout_.ids ? "id" : "line", "prediction"};
  if (layout_.probability) names.emplace_back("probability");
  if (layout_.gold) names.emplace_back("gold");
  for (std::size_t i = layout_.probability ? 2 : 1; i <= layout_.top; ++i) {
    names.push_back("label_" + std::to_string(i));
    names.push_back("probability_" + std::to_string(i));
  }
  for (const std::string& name : layout_.classes) names.push_back("p(" + name + ')');
  names.insert(names.end(), layout_.texts.begin(), layout_.texts.end());
  names.insert(names.end(), layout_.others.begin(), layout_.others.end());
  return names;
}

void PredictionWriter::write(const Prediction& prediction) {
  if (prediction.probabilities.size() != layout_.classes.size() || prediction.texts.size() != layout_.texts.size() ||
      prediction.others.size() != layout_.others.size() || (!layout_.sets && prediction.labels.size() != 1)) {
    throw std::invalid_argument("predictions: a row must have " + std::to_string(layout_.classes.size()) +
                                " probabilities and " + std::to_string(layout_.texts.size()) + " texts, got " +
                                std::to_string(prediction.probabilities.size()) + " and " +
                                std::to_string(prediction.texts.size()));
  }
  const bool json = layout_.format == PredictionFormat::kJsonLines;
  sink_(json ? json_line(prediction) : table_row(layout_.format, cells_of(prediction)));
}

std::vector<std::string> PredictionWriter::cells_of(const Prediction& prediction) const {
  std::vector<std::string> cells = {layout_.ids ? prediction.id : std::to_string(prediction.line),
                                    joined(prediction.labels, ",")};
  if (layout_.probability) cells.push_back(shortest(prediction.probability));
  if (layout_.gold) cells.push_back(joined(prediction.gold, ","));
  for (std::size_t i = layout_.probability ? 1 : 0; i < layout_.top; ++i) {
    const bool there = i < prediction.top.size();
    cells.push_back(there ? prediction.top[i].first : "");
    cells.push_back(there ? shortest(prediction.top[i].second) : "");
  }
  for (const float probability : prediction.probabilities) cells.push_back(shortest(probability));
  cells.insert(cells.end(), prediction.texts.begin(), prediction.texts.end());
  for (const Json& other : prediction.others) {
    cells.push_back(other.is_null() ? "" : other.is_string() ? other.get<std::string>() : dump_compact(other));
  }
  return cells;
}

std::string PredictionWriter::json_line(const Prediction& prediction) const {
  const auto value = [&](const std::vector<std::string>& labels) {
    if (layout_.sets) return Json(labels);
    return labels.empty() ? Json(nullptr) : Json(labels.front());
  };
  Json object = Json::object();
  if (layout_.ids) {
    object["id"] = prediction.id;
  } else {
    object["line"] = prediction.line;
  }
  object["prediction"] = value(prediction.labels);
  if (layout_.probability) object["probability"] = json_number(prediction.probability);
  if (layout_.gold) object["gold"] = value(prediction.gold);
  for (const auto& [label, probability] : prediction.top) {
    object["top"].push_back(Json{{"label", label}, {"probability", json_number(probability)}});
  }
  if (!layout_.classes.empty()) {
    Json probabilities = Json::object();
    for (std::size_t i = 0; i < layout_.classes.size(); ++i) {
      probabilities[layout_.classes[i]] = json_number(prediction.probabilities[i]);
    }
    object["probabilities"] = std::move(probabilities);
  }
  for (std::size_t i = 0; i < layout_.texts.size(); ++i) object[layout_.texts[i]] = prediction.texts[i];
  for (std::size_t i = 0; i < layout_.others.size(); ++i) object[layout_.others[i]] = prediction.others[i];
  return dump_compact(object) + '\n';
}

// ---------------------------------------------------------------------------------------------------- tags and answers

std::string tagged_sentence(PredictionFormat format, std::int64_t line, std::span<const std::string> words,
                            std::span<const std::string> gold, std::span<const std::string> tags,
                            std::span<const std::string> other_names, std::span<const Json> others) {
  if (tags.size() != words.size() || (!gold.empty() && gold.size() != words.size())) {
    throw std::invalid_argument("predictions: there must be a tag for each of " + std::to_string(words.size()) +
                                " words, got " + std::to_string(tags.size()));
  }
  if (format == PredictionFormat::kJsonLines) {
    Json object = Json::object();
    object["line"] = line;
    object["tokens"] = std::vector<std::string>(words.begin(), words.end());
    if (!gold.empty()) object["gold"] = std::vector<std::string>(gold.begin(), gold.end());
    object["tags"] = std::vector<std::string>(tags.begin(), tags.end());
    for (std::size_t i = 0; i < std::min(other_names.size(), others.size()); ++i) {
      const bool taken = object.contains(other_names[i]);
      object[taken ? "input_" + other_names[i] : other_names[i]] = others[i];
    }
    return dump_compact(object) + '\n';
  }
  std::string out;
  if (format == PredictionFormat::kCsv) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      out += table_row(format,
                       std::vector<std::string>{std::to_string(line), words[i], gold.empty() ? "" : gold[i], tags[i]});
    }
    return out;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    out += escape_tsv(words[i]) + '\t';
    if (!gold.empty()) out += escape_tsv(gold[i]) + '\t';
    out += escape_tsv(tags[i]) + '\n';
  }
  return out + '\n';
}

void SquadPredictionWriter::write(const std::string& id, const std::string& answer) {
  sink_((begun_ ? ",\n  " : "{\n  ") + dump_compact(Json(id)) + ": " + dump_compact(Json(answer)));
  begun_ = true;
}

void SquadPredictionWriter::finish() { sink_(begun_ ? "\n}\n" : "{}\n"); }

}  // namespace rapt
