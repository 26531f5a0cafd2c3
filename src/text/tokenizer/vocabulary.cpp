#include "text/tokenizer/vocabulary.h"

#include <algorithm>

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {

std::string tokenizer_subject(const std::string& name) { return "tokenizer: " + escape_for_terminal(name); }

Vocabulary::Vocabulary(std::vector<Entry> entries, const std::string& name) {
  const std::string file = tokenizer_subject(name);
  if (entries.size() > kMaxVocabulary) {
    throw DataError(file + " must have at most " + std::to_string(kMaxVocabulary) + " tokens, got " +
                    std::to_string(entries.size()));
  }
  std::int32_t largest = -1;
  for (const auto& [text, id] : entries) {
    if (id < 0 || static_cast<std::size_t>(id) >= kMaxVocabulary) {
      throw DataError(file + ": the id of token " + in_quotes(text) + " must be from 0 to " +
                      std::to_string(kMaxVocabulary - 1) + ", got " + std::to_string(id));
    }
    if (text.size() > kMaxTokenBytes) {
      throw DataError(file + ": a token must have at most " + std::to_string(kMaxTokenBytes) + " bytes, got " +
                      std::to_string(text.size()) + " in " + in_quotes(text));
    }
    largest = std::max(largest, id);
  }
  texts_.resize(static_cast<std::size_t>(largest + 1));
  present_.resize(texts_.size());
  ids_.reserve(entries.size());
  for (auto& [text, id] : entries) {
    const auto i = static_cast<std::size_t>(id);
    if (present_[i]) {
      throw DataError(file + ": id " + std::to_string(id) + " must belong to one token, got " + in_quotes(texts_[i]) +
                      " and " + in_quotes(text));
    }
    texts_[i] = std::move(text);
    present_[i] = true;
    if (!ids_.emplace(texts_[i], id).second) {
      throw DataError(file + ": token " + in_quotes(texts_[i]) + " must have one id, got " +
                      std::to_string(ids_.at(texts_[i])) + " and " + std::to_string(id));
    }
  }
}

bool Vocabulary::contains(std::int32_t id) const {
  return id >= 0 && static_cast<std::size_t>(id) < texts_.size() && present_[static_cast<std::size_t>(id)];
}

std::string_view Vocabulary::text(std::int32_t id) const {
  if (!contains(id)) return {};
  return texts_[static_cast<std::size_t>(id)];
}

std::optional<std::int32_t> Vocabulary::id(std::string_view text) const {
  const auto found = ids_.find(text);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Vocabulary::Entry> parse_vocabulary(const Json& json, const std::string& name, const std::string& path) {
  const JsonFields checked(json, name, path);  // an object
  std::vector<Vocabulary::Entry> entries;
  entries.reserve(json.size());
  for (const auto& [text, id] : json.items()) {
    if (!id.is_number_integer() || id < 0 || id >= std::int64_t{kMaxVocabulary}) {
      throw DataError(tokenizer_subject(name) + ": the id of token " + in_quotes(text) +
                      " must be an integer from 0 to " + std::to_string(kMaxVocabulary - 1) + ", got " + describe(id));
    }
    entries.emplace_back(text, id.get<std::int32_t>());
  }
  return entries;
}

std::string vocabulary_object(const Vocabulary& vocabulary) {
  std::string out = "{";
  for (std::int32_t id = 0; id < vocabulary.size(); ++id) {
    if (!vocabulary.contains(id)) continue;
    out += out.size() == 1 ? "\n" : ",\n";
    out += dump_compact(Json(std::string(vocabulary.text(id)))) + ": " + std::to_string(id);
  }
  return out + "}";
}

}  // namespace rapt
