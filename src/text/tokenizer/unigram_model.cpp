#include "text/tokenizer/unigram_model.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "io/base64.h"
#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/vocabulary.h"
#include "text/utf8.h"

namespace rapt {

namespace {

constexpr double kUnknownPenalty = 10;

std::string byte_token(unsigned char byte) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  return {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
}

// The number that Hugging Face's tokenizers read if a file has `score` with the fewest digits that identify it: the
// digits as an integer, divided by a power of ten, each step rounded, although the nearest number would need more care
// (serde_json, f64_from_parts). Some scores therefore differ in their last bit, which decides between paths with equal
// sums.
double as_hugging_face_reads(double score) {
  std::array<char, 32> text{};
  const char* const end =
      std::to_chars(text.data(), text.data() + text.size(), std::abs(score), std::chars_format::scientific).ptr;
  const char* const mark = std::find(static_cast<const char*>(text.data()), end, 'e');
  std::uint64_t digits = 0;
  int exponent = 0;
  for (const char* p = text.data(); p < mark; ++p) {
    if (*p == '.') continue;
    digits = digits * 10 + static_cast<std::uint64_t>(*p - '0');
    if (p > text.data()) --exponent;
  }
  int written = 0;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, written);
  exponent += written;
  if (std::abs(exponent) > 308) return score;  // a double cannot hold this power of ten; no real score is near
  const std::string power_text = "1e" + std::to_string(std::abs(exponent));
  double power = 1;
  std::from_chars(power_text.data(), power_text.data() + power_text.size(), power);
  const double size = static_cast<double>(digits);
  return std::copysign(exponent >= 0 ? size * power : size / power, score);
}

class UnigramModel final : public TokenModel {
 public:
  UnigramModel(std::vector<UnigramToken> tokens, UnigramOptions options, const std::string& name)
      : vocabulary_(entries_of(tokens), name), options_(std::move(options)) {
    for (const UnigramToken& token : tokens) {
      if (!std::isfinite(token.score)) {
        throw DataError(tokenizer_subject(name) + ": the score of token " + in_quotes(token.text) +
                        " must be finite, got " + std::to_string(token.score));
      }
      scores_.push_back(token.score);
      weights_.push_back(options_.roles ? static_cast<float>(token.score) : as_hugging_face_reads(token.score));
    }
    if (options_.unk_id) check_id("unk_id", *options_.unk_id, name);
    unknown_ = options_.unk_id.value_or(kNoToken);
    for (unsigned b = 0; b < 256; ++b) {
      byte_ids_[b] = vocabulary_.id(byte_token(static_cast<unsigned char>(b))).value_or(kNoToken);
    }
    std::vector<bool> in_text(scores_.size(), true), normal(scores_.size(), true);
    if (options_.roles) read_roles(*options_.roles, in_text, normal, name);
    double lowest = std::numeric_limits<double>::infinity();
    std::vector<ByteTrie::Entry> entries;
    for (std::size_t id = 0; id < scores_.size(); ++id) {
      if (normal[id]) {
        lowest = std::min(lowest, weights_[id]);
        highest_ = std::max(highest_, static_cast<float>(weights_[id]));
      }
      if (in_text[id])
        entries.push_back({vocabulary_.text(static_cast<std::int32_t>(id)), static_cast<std::int32_t>(id)});
    }
    unknown_score_ = (std::isfinite(lowest) ? lowest : 0) - kUnknownPenalty;
    if (options_.roles) unknown_score_ = static_cast<float>(unknown_score_);
    in_text_ = ByteTrie(std::move(entries));
  }

  void append_ids(std::string_view word, ModelWorkspace& workspace, std::vector<std::int32_t>& ids) const override {
    Best& best = workspace.unigram;
    best.assign(1, {});
    std::size_t block = 0;  // where `best` starts
    std::size_t reach = 0;  // paths exist up to here
    Unknown unknown;
    for (std::size_t at = 0; at < word.size();) {
      if (at == reach && at - block >= kBlock) {  // all paths pass here
        append_best(word.substr(block, at - block), block, best, unknown, ids);
        best.assign(1, {best.back().score, 0, 0});
        block = at;
      }
      const double score = best[at - block].score;
      const std::size_t character = read_utf8(word.data() + at, word.data() + word.size()).length;
      bool has_character = false;
      const auto offer = [&](std::size_t length, std::int32_t id, double sum) {
        reach = std::max(reach, at + length);
        if (best.size() <= at + length - block) best.resize(at + length - block + 1);
        UnigramNode& node = best[at + length - block];
        if (node.length != 0 && !(sum > node.score)) return;
        node = {options_.roles ? static_cast<float>(sum) : sum, id, static_cast<std::uint32_t>(length)};
      };
      in_text_.for_each_match(word.substr(at), [&](std::size_t length, std::int32_t id) {
        offer(length, id, score_of(id, length) + score);
        has_character = has_character || length == character;
      });
      if (!has_character) {
        if (unknown_ == kNoToken) throw UnknownCharacter{at};
        const double sum = unknown_score_ + score;
        offer(character, unknown_, options_.roles ? static_cast<float>(sum) : sum);
      }
      at += character;
    }
    append_best(word.substr(block), block, best, unknown, ids);
    append_unknown(word, unknown, ids);
  }

  bool worth_caching() const override { return true; }
  bool cuts_anywhere() const override { return false; }
  std::int32_t size() const override { return vocabulary_.size(); }
  bool has(std::int32_t id) const override { return vocabulary_.contains(id); }
  std::string_view token_text(std::int32_t id) const override { return vocabulary_.text(id); }
  std::optional<std::int32_t> token_id(std::string_view text) const override { return vocabulary_.id(text); }
  std::optional<std::size_t> covered_bytes(std::int32_t id, bool) const override {
    return id == unknown_ ? std::nullopt : std::optional(vocabulary_.text(id).size());
  }
  std::string kind() const override { return "Unigram"; }
  const OriginalFiles& original_files() const override {
    return options_.roles ? options_.roles->files : TokenModel::original_files();
  }

  std::string to_json() const override {
    Json head = {{"type", "Unigram"},
                 {"unk_id", options_.unk_id ? Json(*options_.unk_id) : Json(nullptr)},
                 {"byte_fallback", options_.byte_fallback}};
    if (options_.roles) {
      head["sentencepiece"] = {{"control", options_.roles->control},
                               {"user_defined", options_.roles->user_defined},
                               {"unused", options_.roles->unused},
                               {"bytes", options_.roles->bytes}};
      if (options_.roles->looks_up_unknown) head["sentencepiece"]["looks_up_unknown"] = true;
      for (const auto& [file, bytes] : options_.roles->files) head["sentencepiece"]["files"][file] = to_base64(bytes);
    }
    std::string out = dump_compact(head);
    out.back() = ',';  // the closing brace
    out += "\n\"vocab\": [";
    for (std::int32_t id = 0; id < size(); ++id) {
      out += id == 0 ? "\n" : ",\n";
      out += dump_compact(Json::array({std::string(token_text(id)), scores_[static_cast<std::size_t>(id)]}));
    }
    return out + "]}";
  }

 private:
  using Best = std::vector<UnigramNode>;
  // A run of unknown characters that may continue.
  struct Unknown {
    std::size_t begin = 0, end = 0;
  };
  static constexpr std::size_t kBlock = std::size_t{4} << 10;

  static std::vector<Vocabulary::Entry> entries_of(const std::vector<UnigramToken>& tokens) {
    std::vector<Vocabulary::Entry> entries;
    entries.reserve(tokens.size());
    for (const UnigramToken& token : tokens) {
      entries.emplace_back(token.text, static_cast<std::int32_t>(entries.size()));
    }
    return entries;
  }

  void check_id(const std::string& what, std::int32_t id, const std::string& name) const {
    if (id >= 0 && id < vocabulary_.size()) return;
    throw DataError(tokenizer_subject(name) + ": " + what + " must be the id of one of the " +
                    std::to_string(vocabulary_.size()) + " tokens, got " + std::to_string(id));
  }

  void read_roles(const SentencePieceRoles& roles, std::vector<bool>& in_text, std::vector<bool>& normal,
                  const std::string& name) {
    is_user_defined_.resize(scores_.size());
    const auto mark = [&](const char* what, const std::vector<std::int32_t>& ids, bool found) {
      for (const std::int32_t id : ids) {
        check_id(std::string("sentencepiece.") + what, id, name);
        const auto i = static_cast<std::size_t>(id);
        normal[i] = false;
        in_text[i] = found;
        is_user_defined_[i] = found;
      }
    };
    mark("control", roles.control, false);
    mark("user_defined", roles.user_defined, true);
    mark("unused", roles.unused, false);
    mark("bytes", roles.bytes, false);
    if (unknown_ != kNoToken) mark("unk_id", {unknown_}, false);
  }

  // A user-defined piece has a score so high that the path goes through it. The formula and the rounding to single
  // precision are SentencePiece's.
  double score_of(std::int32_t id, std::size_t length) const {
    const auto i = static_cast<std::size_t>(id);
    if (!options_.roles || !is_user_defined_[i]) return weights_[i];
    return static_cast<double>(static_cast<float>(length) * highest_) - 0.1;
  }

  // Appends the tokens of the best path through a block, which starts `offset` bytes after the word's start.
  void append_best(std::string_view block, std::size_t offset, Best& best, Unknown& unknown,
                   std::vector<std::int32_t>& ids) const {
    // The path backwards, reversed in place: each node on it learns the length of the token that starts there.
    std::uint32_t next = 0;
    std::int32_t next_id = 0;
    for (std::size_t end = block.size(); end > 0;) {
      const UnigramNode node = best[end];
      best[end].length = next;
      best[end].id = next_id;
      next = node.length;
      next_id = node.id;
      end -= node.length;
    }
    best[0].length = next;
    best[0].id = next_id;
    const std::string_view word(block.data() - offset, offset + block.size());
    for (std::size_t begin = 0; begin < block.size();) {
      const UnigramNode node = best[begin];
      const std::size_t end = begin + node.length;
      if (node.id == unknown_) {
        if (unknown.begin == unknown.end) unknown.begin = offset + begin;
        unknown.end = offset + end;
      } else {
        append_unknown(word, unknown, ids);
        ids.push_back(node.id);
      }
      begin = end;
    }
  }

  void append_unknown(std::string_view word, Unknown& unknown, std::vector<std::int32_t>& ids) const {
    const std::string_view text = word.substr(unknown.begin, unknown.end - unknown.begin);
    unknown = {};
    if (text.empty()) return;
    const bool looks_up = !options_.roles || options_.roles->looks_up_unknown;
    if (const auto id = looks_up ? vocabulary_.id(text) : std::nullopt) {  // like another lookup in Hugging
                                                                           // Face's
      ids.push_back(*id);
      return;
    }
    const auto id_of = [this](char c) { return byte_ids_[static_cast<unsigned char>(c)]; };
    if (options_.byte_fallback && std::all_of(text.begin(), text.end(), [&](char c) { return id_of(c) != kNoToken; })) {
      for (const char c : text) ids.push_back(id_of(c));
    } else {
      ids.push_back(unknown_);
    }
  }

  Vocabulary vocabulary_;
  UnigramOptions options_;
  std::vector<double> scores_;   // as in the file
  std::vector<double> weights_;  // as used in sums
  std::vector<bool> is_user_defined_;
  std::array<std::int32_t, 256> byte_ids_{};
  ByteTrie in_text_;
  std::int32_t unknown_ = kNoToken;
  double unknown_score_ = 0;
  float highest_ = std::numeric_limits<float>::min();  // of normal scores; SentencePiece has the same initial value
};

std::vector<std::int32_t> read_ids(const JsonFields& fields, const char* key) {
  std::vector<std::int32_t> ids;
  if (!fields.has_value(key)) return ids;
  for (const Json& id : fields.array(key)) {
    if (!id.is_number_integer() || id < 0 || id >= std::int64_t{kMaxVocabulary}) fields.refuse(key, "a list of ids");
    ids.push_back(id.get<std::int32_t>());
  }
  return ids;
}

OriginalFiles read_files(const JsonFields& roles) {
  OriginalFiles files;
  if (!roles.has_value("files")) return files;
  const JsonFields fields = roles.object("files");
  for (const auto& item : fields.json().items()) {
    const std::optional<std::string> bytes = from_base64(fields.string(item.key()));
    if (!bytes || item.key().find_first_of("/\\") != std::string::npos) {
      fields.refuse(item.key(), "a file's bytes in Base64, under a name without a folder");
    }
    files.emplace_back(item.key(), *bytes);
  }
  return files;
}

}  // namespace

std::unique_ptr<TokenModel> make_unigram_model(std::vector<UnigramToken> tokens, const UnigramOptions& options,
                                               const std::string& name) {
  return std::make_unique<UnigramModel>(std::move(tokens), options, name);
}

std::unique_ptr<TokenModel> unigram_model_from_json(const Json& json, const std::string& name) {
  const JsonFields fields(json, name, "model");
  std::vector<UnigramToken> tokens;
  for (const Json& item : fields.array("vocab")) {
    if (!item.is_array() || item.size() != 2 || !item[0].is_string() || !item[1].is_number()) {
      throw DataError(tokenizer_subject(name) + ": token " + std::to_string(tokens.size()) +
                      " must be a pair of a text and a score, got " + describe(item));
    }
    tokens.push_back({item[0].get<std::string>(), item[1].get<double>()});
  }
  UnigramOptions options;
  if (fields.has_value("unk_id")) {
    options.unk_id = static_cast<std::int32_t>(fields.integer_between("unk_id", 0, std::int64_t{kMaxVocabulary} - 1));
  }
  options.byte_fallback = fields.boolean_or("byte_fallback", false);
  if (fields.has_value("sentencepiece")) {
    const JsonFields roles = fields.object("sentencepiece");
    options.roles = SentencePieceRoles{.control = read_ids(roles, "control"),
                                       .user_defined = read_ids(roles, "user_defined"),
                                       .unused = read_ids(roles, "unused"),
                                       .bytes = read_ids(roles, "bytes"),
                                       .looks_up_unknown = roles.boolean_or("looks_up_unknown", false),
                                       .files = read_files(roles)};
  }
  return make_unigram_model(std::move(tokens), options, name);
}

}  // namespace rapt
