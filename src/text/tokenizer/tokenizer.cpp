#include "text/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "io/escape.h"
#include "io/joined.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "text/tokenizer/bpe_model.h"
#include "text/tokenizer/encoder.h"
#include "text/tokenizer/tokenizer_json.h"
#include "text/tokenizer/vocabulary.h"
#include "text/tokenizer/wordpiece_model.h"

namespace rapt {

namespace {

using Names = std::span<const std::string_view>;

// Names of special tokens in well-known vocabularies, by purpose. "End" is the end of a document.
constexpr std::string_view kEndNames[] = {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>",
                                          "[EOS]",         "<|eos|>",         "<EOS>"};
constexpr std::string_view kMaskNames[] = {"[MASK]", "<mask>"};
constexpr std::string_view kPadNames[] = {"[PAD]", "<pad>", "<|padding|>"};
constexpr std::string_view kUnknownNames[] = {"[UNK]", "<unk>"};
constexpr std::string_view kClassNames[] = {"[CLS]", "<cls>", "<s>"};
constexpr std::string_view kSeparatorNames[] = {"[SEP]", "<sep>", "</s>"};
constexpr std::string_view kBeginNames[] = {"<s>", "<bos>", "[BOS]"};
constexpr std::string_view kBertClassNames[] = {"[CLS]"};
constexpr std::string_view kBertSeparatorNames[] = {"[SEP]"};

}  // namespace

class Tokenizer::Impl {
 public:
  Impl(TokenizerParts given, const std::string& name)
      : parts(std::move(given)), encoder(parts), size(parts.model->size()) {
    auto& added = parts.added_tokens;
    std::stable_sort(added.begin(), added.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
    added.erase(std::unique(added.begin(), added.end()), added.end());
    for (const AddedToken& token : added) check(token, name);
    if (!added.empty()) size = std::max(size, added.back().id + 1);
    added_of.resize(static_cast<std::size_t>(size), -1);
    for (std::size_t i = 0; i < added.size(); ++i) {
      if (added_of[static_cast<std::size_t>(added[i].id)] >= 0) {
        fail(name, "id " + std::to_string(added[i].id) + " must belong to one added token, got " +
                       in_quotes(added[i - 1].content) + " and " + in_quotes(added[i].content));
      }
      added_of[static_cast<std::size_t>(added[i].id)] = static_cast<std::int32_t>(i);
    }
    for (std::int32_t id = 0; id < size; ++id) {
      if (added_of[static_cast<std::size_t>(id)] < 0 && !parts.model->has(id)) {
        fail(name, "ids must run from 0 to " + std::to_string(size - 1) + " without a gap, got none with id " +
                       std::to_string(id));
      }
    }
    if (size == 0) fail(name, "a vocabulary must have at least one token, got none");
    for (const std::string_view end : kEndNames) {
      if (!end_of_text) end_of_text = added_id(end);
    }
  }

  std::optional<std::int32_t> added_id(std::string_view content) const {
    const auto& added = parts.added_tokens;
    const auto found =
        std::find_if(added.begin(), added.end(), [content](const AddedToken& t) { return t.content == content; });
    return found == added.end() ? std::nullopt : std::optional(found->id);
  }

  std::optional<std::int32_t> token_id(std::string_view text) const {
    const auto id = added_id(text);
    return id ? id : parts.model->token_id(text);
  }

  std::optional<std::int32_t> first_of(Names names) const {
    for (const std::string_view name : names) {
      if (const auto id = token_id(name)) return id;
    }
    return std::nullopt;
  }

  const AddedToken* added(std::int32_t id) const {
    const std::int32_t i = added_of[static_cast<std::size_t>(id)];
    return i < 0 ? nullptr : &parts.added_tokens[static_cast<std::size_t>(i)];
  }

  void require_id(std::int32_t id) const {
    if (id < 0 || id >= size) {
      throw DataError("tokenizer: an id must be from 0 to " + std::to_string(size - 1) + ", got " + std::to_string(id));
    }
  }

  TokenizerParts parts;
  Encoder encoder;
  std::int32_t size;
  std::optional<std::int32_t> end_of_text;
  std::vector<std::int32_t> added_of;  // for each id, the index of its added token or -1

 private:
  [[noreturn]] static void fail(const std::string& name, const std::string& what) {
    throw DataError(tokenizer_subject(name) + ": " + what);
  }

  void check(const AddedToken& token, const std::string& name) const {
    if (token.id < 0 || static_cast<std::size_t>(token.id) >= kMaxVocabulary) {
      fail(name, "the id of added token " + in_quotes(token.content) + " must be from 0 to " +
                     std::to_string(kMaxVocabulary - 1) + ", got " + std::to_string(token.id));
    }
    if (token.content.size() > kMaxTokenBytes) {
      fail(name, "an added token must have at most " + std::to_string(kMaxTokenBytes) + " bytes, got " +
                     std::to_string(token.content.size()));
    }
    const auto in_model = parts.model->token_id(token.content);
    const bool taken = parts.model->has(token.id) && parts.model->token_text(token.id) != token.content;
    if (taken || (in_model && *in_model != token.id)) {
      fail(name, "added token " + in_quotes(token.content) +
                     " must have the same id as in the model's vocabulary, got " + std::to_string(token.id) +
                     (in_model ? " and " + std::to_string(*in_model)
                               : ", which is " + in_quotes(parts.model->token_text(token.id))));
    }
  }
};

Tokenizer::Tokenizer(TokenizerParts parts, const std::string& name)
    : impl_(std::make_unique<Impl>(std::move(parts), name)) {}
Tokenizer::~Tokenizer() = default;

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, SpecialTokens special) const {
  std::vector<std::int32_t> ids;
  append_ids(text, special, ids);
  return ids;
}

void Tokenizer::append_ids(std::string_view text, SpecialTokens special, std::vector<std::int32_t>& ids,
                           std::size_t offset) const {
  impl_->encoder.append_ids(text, special, ids, offset);
}

std::vector<std::int32_t> Tokenizer::encode_with_dropout(std::string_view text, SpecialTokens special,
                                                         MergeDropout& dropout) const {
  std::vector<std::int32_t> ids;
  impl_->encoder.append_ids(text, special, ids, 0, &dropout);
  return ids;
}

std::vector<std::int32_t> Tokenizer::encode_word(std::string_view word) const {
  if (!impl_->parts.pre_tokenizer->byte_level()) return encode(word, SpecialTokens::kAsText);
  return encode(" " + std::string(word), SpecialTokens::kAsText);
}

std::vector<TokenSpan> Tokenizer::words(std::string_view text) const { return impl_->encoder.words(text); }

void Tokenizer::encode_with_spans(std::string_view text, std::vector<std::int32_t>& ids, std::vector<TokenSpan>& spans,
                                  SpecialTokens special) const {
  ids.clear();
  spans.clear();
  impl_->encoder.append_ids_with_spans(text, special, ids, spans);
}

std::vector<std::int32_t> Tokenizer::encode_in_parallel(std::string_view text, SpecialTokens special) const {
  constexpr std::size_t kPart = std::size_t{256} << 10;  // large enough that the overhead per part is negligible
  std::vector<std::size_t> cuts = safe_cuts(text, kPart);
  cuts.insert(cuts.begin(), 0);
  cuts.push_back(text.size());
  std::vector<std::vector<std::int32_t>> parts(cuts.size() - 1);
  parallel_for(
      static_cast<Dim>(parts.size()),
      [&](Dim i) {
        const auto part = static_cast<std::size_t>(i);
        append_ids(text.substr(cuts[part], cuts[part + 1] - cuts[part]), special, parts[part], cuts[part]);
      },
      Schedule::kDynamic);
  if (parts.size() == 1) return std::move(parts.front());
  std::size_t total = 0;
  for (const auto& part : parts) total += part.size();
  std::vector<std::int32_t> ids;
  ids.reserve(total);
  for (const auto& part : parts) ids.insert(ids.end(), part.begin(), part.end());
  return ids;
}

std::vector<std::size_t> Tokenizer::safe_cuts(std::string_view text, std::size_t bytes) const {
  return impl_->encoder.safe_cuts(text, bytes);
}

TokenSequence Tokenizer::frame(std::span<const std::int32_t> text) const {
  return impl_->parts.post_processor.frame(text);
}

TokenSequence Tokenizer::frame(std::span<const std::int32_t> first, std::span<const std::int32_t> second) const {
  return impl_->parts.post_processor.frame(first, second);
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
  std::vector<std::int32_t> kept;
  if (skip_special) {
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(kept), [this](std::int32_t id) { return !is_special(id); });
    ids = kept;
  }
  std::string text;
  for (std::size_t i = 0; i < ids.size(); ++i) text += piece(ids[i], i == 0, i + 1 == ids.size());
  return text;
}

std::string Tokenizer::piece(std::int32_t id, bool is_first, bool is_last) const {
  impl_->require_id(id);
  const Decoder& decoder = *impl_->parts.decoder;
  if (const AddedToken* token = impl_->added(id)) return decoder.added_piece(token->content, is_first, is_last);
  return decoder.piece(impl_->parts.model->token_text(id), is_first, is_last);
}

std::int32_t Tokenizer::vocabulary_size() const { return impl_->size; }

std::string Tokenizer::token_text(std::int32_t id) const {
  impl_->require_id(id);
  const AddedToken* token = impl_->added(id);
  return token != nullptr ? token->content : std::string(impl_->parts.model->token_text(id));
}

std::optional<std::int32_t> Tokenizer::token_id(std::string_view text) const { return impl_->token_id(text); }

bool Tokenizer::is_special(std::int32_t id) const {
  impl_->require_id(id);
  const AddedToken* token = impl_->added(id);
  return token != nullptr && token->special;
}

const std::vector<AddedToken>& Tokenizer::added_tokens() const { return impl_->parts.added_tokens; }
std::optional<std::int32_t> Tokenizer::end_of_text() const { return impl_->end_of_text; }
std::optional<std::int32_t> Tokenizer::mask_token() const { return impl_->first_of(kMaskNames); }
std::optional<std::int32_t> Tokenizer::pad_token() const { return impl_->first_of(kPadNames); }
std::optional<std::int32_t> Tokenizer::unknown_token() const { return impl_->first_of(kUnknownNames); }
std::optional<std::int32_t> Tokenizer::class_token() const { return impl_->first_of(kClassNames); }
std::optional<std::int32_t> Tokenizer::separator_token() const { return impl_->first_of(kSeparatorNames); }
std::size_t Tokenizer::merge_count() const { return impl_->parts.model->merge_count(); }
std::string Tokenizer::kind() const { return impl_->parts.model->kind(); }

bool Tokenizer::keeps_bytes() const {
  const auto& parts = impl_->parts;
  return parts.pre_tokenizer->byte_level() && !parts.pre_tokenizer->adds_prefix_space() && !parts.normalizer &&
         parts.model->knows_every_byte() &&
         std::none_of(parts.added_tokens.begin(), parts.added_tokens.end(),
                      [](const AddedToken& t) { return t.lstrip || t.rstrip; });
}

const std::vector<std::pair<std::string, std::string>>& Tokenizer::original_files() const {
  return impl_->parts.model->original_files();
}

std::string Tokenizer::to_json() const { return write_tokenizer_json(impl_->parts); }

std::pair<std::string, std::string> Tokenizer::to_vocabulary_and_merges() const {
  return {vocabulary_json(*impl_->parts.model), merges_text(*impl_->parts.model)};
}

std::string Tokenizer::to_vocabulary_text() const {
  if (!is_wordpiece(*impl_->parts.model)) {
    throw std::invalid_argument("tokenizer: only a WordPiece has vocab.txt, got " + kind());
  }
  std::string out;
  for (std::int32_t id = 0; id < vocabulary_size(); ++id) {
    const std::string text = token_text(id);
    if (text.find_first_of("\r\n") != std::string::npos) {
      throw DataError("tokenizer: a token in vocab.txt must not contain a line end, got " + in_quotes(text));
    }
    out += text + '\n';
  }
  return out;
}

std::string Tokenizer::to_config_json(std::int64_t context) const {
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"model_max_length", context},
                 {"clean_up_tokenization_spaces", false}};
  const auto& parts = impl_->parts;
  const Json normalizer = parts.normalizer ? parts.normalizer->to_json() : Json();
  if (is_wordpiece(*parts.model) && normalizer.value("type", "") == "BertNormalizer") {
    config["tokenizer_class"] = "BertTokenizer";
    config["do_lower_case"] = normalizer.at("lowercase");
    config["strip_accents"] = normalizer.at("strip_accents");
    config["tokenize_chinese_chars"] = normalizer.at("handle_chinese_chars");
  }
  if (const auto end = end_of_text()) {
    const std::string text = token_text(*end);
    if (text != "</s>") config["bos_token"] = text;  // that one never starts a text
    config["eos_token"] = text;
  }
  const std::pair<const char*, Names> roles[] = {{"unk_token", kUnknownNames},       {"bos_token", kBeginNames},
                                                 {"pad_token", kPadNames},           {"cls_token", kBertClassNames},
                                                 {"sep_token", kBertSeparatorNames}, {"mask_token", kMaskNames}};
  for (const auto& [role, names] : roles) {
    for (const std::string_view name : names) {
      if (const auto id = token_id(name); id && is_special(*id)) config[role] = name;
    }
  }
  return dump_pretty(config);
}

std::string describe(const Tokenizer& tokenizer) {
  std::int32_t longest = 0;
  for (std::int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    if (tokenizer.is_special(id)) continue;
    if (tokenizer.token_text(id).size() > tokenizer.token_text(longest).size()) longest = id;
  }
  const auto with_id = [](std::string_view text, std::int32_t id) {
    return fmt::format("{} ({})", in_quotes(text), id);
  };
  const auto& added = tokenizer.added_tokens();
  const std::string names =
      joined(added, ", ", [&](const AddedToken& token) { return with_id(token.content, token.id); });
  const auto end = tokenizer.end_of_text();
  return fmt::format(
      "kind: {}\nvocabulary: {} tokens\nmerges: {}\nlongest token: {}\nadded tokens: {}\nend of text: {}\n"
      "keeps any bytes: {}\n",
      tokenizer.kind(), tokenizer.vocabulary_size(), tokenizer.merge_count(),
      with_id(tokenizer.token_text(longest), longest), added.empty() ? "none" : names,
      end ? with_id(tokenizer.token_text(*end), *end) : "none", tokenizer.keeps_bytes() ? "yes" : "no");
}

}  // namespace rapt
