#include "text/tokenizer/normalizer.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/normalizer_rules.h"
#include "text/tokenizer/vocabulary.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace rapt {

namespace {

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

std::string without(std::uint8_t kind, std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [kind, &out](char32_t code, std::string_view bytes) {
    if ((character_class(code) & kind) == 0) out += bytes;
  });
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&out](char32_t code, std::string_view) {
    if (code < 0x80) {
      out.push_back(static_cast<char>(code >= 'A' && code <= 'Z' ? code + 32 : code));
    } else {
      append_lower_case(out, code);
    }
  });
  return out;
}

class BertNormalizer final : public Normalizer {
 public:
  // `strip_accents` as in the file: null means "if lower-casing".
  BertNormalizer(const BertNormalizerOptions& options, Json strip_accents)
      : options_(options), strip_accents_(std::move(strip_accents)) {}

  std::string normalize(std::string_view text) const override {
    if (is_ascii(text)) return clean_ascii(text);
    std::string out = clean(text);
    if (options_.strip_accents) {
      out = without(kNonspacingMark, unicode_normalize(out, UnicodeForm::kNfd));
    }
    return options_.lowercase ? lower_case(out) : out;
  }

  Json to_json() const override {
    return {{"type", "BertNormalizer"},
            {"clean_text", options_.clean_text},
            {"handle_chinese_chars", options_.handle_chinese_chars},
            {"strip_accents", strip_accents_},
            {"lowercase", options_.lowercase}};
  }

 private:
  // All steps at once.
  std::string clean_ascii(std::string_view text) const {
    std::string out(text.size(), '\0');
    std::size_t n = 0;
    for (const char c : text) {
      const std::uint8_t kind = character_class(static_cast<unsigned char>(c));
      char kept = c;
      if (options_.clean_text && (kind & (kSpace | kControl)) != 0) {
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') continue;
        kept = ' ';
      }
      if (options_.lowercase && kept >= 'A' && kept <= 'Z') kept = static_cast<char>(kept + 32);
      out[n++] = kept;
    }
    out.resize(n);
    return out;
  }

  std::string clean(std::string_view text) const {
    std::string out;
    out.reserve(text.size());
    for_each_character(text, [this, &out](char32_t code, std::string_view bytes) {
      if (options_.clean_text) {
        const std::uint8_t kind = character_class(code);
        if (code == '\t' || code == '\n' || code == '\r' || ((kind & kSpace) != 0 && (kind & kControl) == 0)) {
          out.push_back(' ');
          return;
        }
        if (code == 0 || code == kReplacementCharacter || (kind & kControl) != 0) return;
      }
      if (options_.handle_chinese_chars && is_bert_cjk(code)) {
        out += ' ';
        out += bytes;
        out += ' ';
        return;
      }
      out += bytes;
    });
    return out;
  }

  BertNormalizerOptions options_;
  Json strip_accents_;
};

class Lowercase final : public Normalizer {
 public:
  std::string normalize(std::string_view text) const override { return lower_case(text); }
  Json to_json() const override { return {{"type", "Lowercase"}}; }
};

// Every mark. BERT's keeps the marks that take up space.
class StripAccents final : public Normalizer {
 public:
  std::string normalize(std::string_view text) const override { return without(kMark, text); }
  Json to_json() const override { return {{"type", "StripAccents"}}; }
};

class Form final : public Normalizer {
 public:
  Form(std::string type, UnicodeForm form) : type_(std::move(type)), form_(form) {}
  std::string normalize(std::string_view text) const override {
    return is_ascii(text) ? std::string(text) : unicode_normalize(text, form_);
  }
  Json to_json() const override { return {{"type", type_}}; }

 private:
  std::string type_;
  UnicodeForm form_;
};

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  std::string normalize(std::string_view text) const override {
    std::string out(text);
    for (const auto& step : steps_) out = step->normalize(out);
    return out;
  }
  bool may_cut() const override {
    return std::all_of(steps_.begin(), steps_.end(), [](const auto& step) { return step->may_cut(); });
  }
  Json to_json() const override {
    Json steps = Json::array();
    for (const auto& step : steps_) steps.push_back(step->to_json());
    return {{"type", "Sequence"}, {"normalizers", std::move(steps)}};
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

std::optional<UnicodeForm> form_named(const std::string& type) {
  if (type == "NFC") return UnicodeForm::kNfc;
  if (type == "NFD") return UnicodeForm::kNfd;
  if (type == "NFKC") return UnicodeForm::kNfkc;
  if (type == "NFKD") return UnicodeForm::kNfkd;
  return std::nullopt;
}

std::unique_ptr<Normalizer> bert_from_json(const JsonFields& fields) {
  BertNormalizerOptions options;
  options.clean_text = fields.boolean_or("clean_text", true);
  options.handle_chinese_chars = fields.boolean_or("handle_chinese_chars", true);
  options.lowercase = fields.boolean_or("lowercase", true);
  options.strip_accents = fields.boolean_or("strip_accents", options.lowercase);
  Json strip = fields.has_value("strip_accents") ? Json(options.strip_accents) : Json(nullptr);
  return std::make_unique<BertNormalizer>(options, std::move(strip));
}

}  // namespace

std::unique_ptr<Normalizer> make_bert_normalizer(const BertNormalizerOptions& options) {
  Json strip = options.strip_accents == options.lowercase ? Json(nullptr) : Json(options.strip_accents);
  return std::make_unique<BertNormalizer>(options, std::move(strip));
}

std::unique_ptr<Normalizer> normalizer_from_json(const Json& json, const std::string& name) {
  if (json.is_null()) return nullptr;
  const JsonFields fields(json, name, "normalizer");
  const std::string type = fields.string("type");
  if (type == "BertNormalizer") return bert_from_json(fields);
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "StripAccents") return std::make_unique<StripAccents>();
  if (const auto form = form_named(type)) return std::make_unique<Form>(type, *form);
  if (type == "Sequence") {
    std::vector<std::unique_ptr<Normalizer>> steps;
    for (const Json& step : fields.array("normalizers")) {
      if (auto normalizer = normalizer_from_json(step, name)) steps.push_back(std::move(normalizer));
    }
    return std::make_unique<NormalizerSequence>(std::move(steps));
  }
  if (auto rule = normalizer_rule_from_json(type, fields)) return rule;
  throw DataError(tokenizer_subject(name) +
                  ": normalizer must be BertNormalizer, Lowercase, StripAccents, NFC, NFD, NFKC, NFKD, Replace, Strip, "
                  "Prepend, Nmt, Precompiled or a Sequence of them, got " +
                  in_quotes(type));
}

}  // namespace rapt
