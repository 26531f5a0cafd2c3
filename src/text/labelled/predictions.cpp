#include "text/labelled/predictions.h"

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "io/json.h"

namespace rapt {

PredictionFormat prediction_format_of(std::string_view path) {
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

// A float as the double with the same shortest digits, which is what JSON then shows.
static Json json_number(float value) {
  if (!std::isfinite(value)) return nullptr;
  const std::string digits = shortest(value);
  double number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

static std::string joined(const std::vector<std::string>& labels) {
  std::string out;
  for (std::size_t i = 0; i < labels.size(); ++i) out += (i == 0 ? "" : ",") + labels[i];
  return out;
}

// -------------------------------------------------------------------------------------------------------------- tables

PredictionWriter::PredictionWriter(PredictionLayout layout, TextSink sink)
    : layout_(std::move(layout)), sink_(std::move(sink)) {
  if (layout_.format != PredictionFormat::kTsv) return;
  std::string header = std::string(layout_.ids ? "id" : "line") + "\tprediction";
  if (layout_.gold) header += "\tgold";
  for (const std::string& name : layout_.classes) header += "\tp(" + escape_tsv(name) + ')';
  for (const std::string& name : layout_.texts) header += '\t' + escape_tsv(name);
  sink_(header + '\n');
}

void PredictionWriter::write(const Prediction& prediction) {
  if (prediction.probabilities.size() != layout_.classes.size() || prediction.texts.size() != layout_.texts.size() ||
      (!layout_.sets && prediction.labels.size() != 1)) {
    throw std::invalid_argument("predictions: a row must have " + std::to_string(layout_.classes.size()) +
                                " probabilities and " + std::to_string(layout_.texts.size()) + " texts, got " +
                                std::to_string(prediction.probabilities.size()) + " and " +
                                std::to_string(prediction.texts.size()));
  }
  sink_(layout_.format == PredictionFormat::kTsv ? tsv_line(prediction) : json_line(prediction));
}

std::string PredictionWriter::tsv_line(const Prediction& prediction) const {
  std::string line = layout_.ids ? escape_tsv(prediction.id) : std::to_string(prediction.line);
  line += '\t' + escape_tsv(joined(prediction.labels));
  if (layout_.gold) line += '\t' + escape_tsv(joined(prediction.gold));
  for (const float probability : prediction.probabilities) line += '\t' + shortest(probability);
  for (const std::string& text : prediction.texts) line += '\t' + escape_tsv(text);
  return line + '\n';
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
  if (layout_.gold) object["gold"] = value(prediction.gold);
  if (!layout_.classes.empty()) {
    Json probabilities = Json::object();
    for (std::size_t i = 0; i < layout_.classes.size(); ++i) {
      probabilities[layout_.classes[i]] = json_number(prediction.probabilities[i]);
    }
    object["probabilities"] = std::move(probabilities);
  }
  for (std::size_t i = 0; i < layout_.texts.size(); ++i) object[layout_.texts[i]] = prediction.texts[i];
  return dump_compact(object) + '\n';
}

// ---------------------------------------------------------------------------------------------------- tags and answers

std::string tagged_sentence(PredictionFormat format, std::int64_t line, std::span<const std::string> words,
                            std::span<const std::string> gold, std::span<const std::string> tags) {
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
    return dump_compact(object) + '\n';
  }
  std::string out;
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
