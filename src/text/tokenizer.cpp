#include "text/tokenizer.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <sstream>

#include "io/escape.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "text/bpe_model.h"
#include "text/tokenizer_json.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "text/word_cache.h"

namespace rapt {

namespace {

// What one thread needs while it encodes.
struct Workspace {
  WordCache cache;
  ModelWorkspace model;
};

// Workspaces that are not in use. Taking one costs a lock an encode, not an allocation; there are never more of them
// than there were encodes at the same time.
class WorkspacePool {
 public:
  std::unique_ptr<Workspace> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Workspace>();
    auto workspace = std::move(free_.back());
    free_.pop_back();
    return workspace;
  }
  void give_back(std::unique_ptr<Workspace> workspace) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(workspace));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

AddedTokenFinder finder_of(const std::vector<AddedToken>& tokens, bool normalized, const Normalizer* normalizer) {
  std::vector<AddedTokenFinder::Pattern> patterns;
  for (const AddedToken& token : tokens) {
    if (token.normalized != normalized) continue;
    patterns.push_back(
        {normalized && normalizer != nullptr ? normalizer->normalize(token.content) : token.content, token});
  }
  return AddedTokenFinder(std::move(patterns));
}

// Names by which well-known vocabularies call the token that ends a document.
constexpr std::array<std::string_view, 7> kEndNames = {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>",
                                                       "[EOS]",         "<|eos|>",         "<EOS>"};

}  // namespace

class Tokenizer::Impl {
 public:
  Impl(TokenizerParts given, const std::string& name)
      : parts(std::move(given)),
        raw_finder(finder_of(parts.added_tokens, false, parts.normalizer.get())),
        normalized_finder(finder_of(parts.added_tokens, true, parts.normalizer.get())),
        size(parts.model->size()),
        caches(parts.model->worth_caching()) {
    auto& added = parts.added_tokens;
    std::stable_sort(added.begin(), added.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
    added.erase(std::unique(added.begin(), added.end()), added.end());
    for (const AddedToken& token : added) check(token, name);
    if (!added.empty()) size = std::max(size, added.back().id + 1);
    added_of.resize(static_cast<std::size_t>(size), -1);
    for (std::size_t i = 0; i < added.size(); ++i) {
      if (added_of[static_cast<std::size_t>(added[i].id)] >= 0) {
        fail(name, "id " + std::to_string(added[i].id) + " must stand for one added token, got " +
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
      const auto found =
          std::find_if(added.begin(), added.end(), [end](const AddedToken& t) { return t.content == end; });
      if (end_of_text || found == added.end()) continue;
      end_of_text = found->id;
    }
    may_cut = (parts.pre_tokenizer->cuts_at_spaces() || parts.model->cuts_anywhere()) &&
              std::none_of(added.begin(), added.end(),
                           [](const AddedToken& t) { return t.rstrip || has_white_space(t.content); });
  }

  void append_ids(std::string_view text, SpecialTokens special, std::vector<std::int32_t>& ids,
                  std::size_t offset) const {
    std::unique_ptr<Workspace> workspace = pool.take();
    for (const auto& raw : raw_finder.split(text, special)) {
      if (raw.id >= 0) {
        ids.push_back(raw.id);
        continue;
      }
      if (!parts.normalizer) {
        const auto from = static_cast<std::size_t>(raw.text.data() - text.data());
        append_normalized(raw.text, special, offset + from, *workspace, ids);
        continue;
      }
      // Piece by piece, so that a normalised copy stays in the cache and small.
      constexpr std::size_t kPiece = std::size_t{32} << 10;
      std::vector<std::size_t> cuts = safe_cuts(raw.text, kPiece);
      cuts.push_back(raw.text.size());
      std::size_t begin = 0;
      for (const std::size_t end : cuts) {
        const std::string normal = parts.normalizer->normalize(raw.text.substr(begin, end - begin));
        append_normalized(normal, special, 0, *workspace, ids);
        begin = end;
      }
    }
    pool.give_back(std::move(workspace));
  }

  // Words do not reach across such a cut and no added token holds white space (may_cut).
  std::vector<std::size_t> safe_cuts(std::string_view text, std::size_t bytes) const {
    if (!may_cut) return {};
    return cuts_before_spaces(text, bytes, parts.pre_tokenizer->adds_prefix_space() ? " " : " \t\r\n");
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
  AddedTokenFinder raw_finder, normalized_finder;
  std::int32_t size;
  bool caches;
  bool may_cut = false;
  std::optional<std::int32_t> end_of_text;
  std::vector<std::int32_t> added_of;  // for each id, the index of its added token or -1
  mutable WorkspacePool pool;

 private:
  [[noreturn]] static void fail(const std::string& name, const std::string& what) {
    throw DataError("tokenizer: " + escape_for_terminal(name) + ": " + what);
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

  // Normalised text, which may hold added tokens that are looked for in their normalised form.
  void append_normalized(std::string_view text, SpecialTokens special, std::size_t offset, Workspace& workspace,
                         std::vector<std::int32_t>& ids) const {
    for (const auto& segment : normalized_finder.split(text, special)) {
      if (segment.id >= 0) {
        ids.push_back(segment.id);
      } else {
        const auto from = static_cast<std::size_t>(segment.text.data() - text.data());
        append_segment(segment.text, offset + from, workspace, ids);
      }
    }
  }

  // Text without added tokens, normalised.
  void append_segment(std::string_view text, std::size_t offset, Workspace& workspace,
                      std::vector<std::int32_t>& ids) const {
    std::string prefixed;
    if (parts.pre_tokenizer->adds_prefix_space() && !text.starts_with(' ')) {
      prefixed.reserve(text.size() + 1);
      prefixed += ' ';
      prefixed += text;
      text = prefixed;
    }
    const char* const begin = text.data();
    const PreTokenizer& pre_tokenizer = *parts.pre_tokenizer;
    for (std::string_view word; !(word = pre_tokenizer.next_word(text)).empty();) {
      if (caches && word.size() <= WordCache::kMaxWord) {
        append_word_through_cache(word, workspace, ids);
        continue;
      }
      try {
        parts.model->append_ids(word, workspace.model, ids);
      } catch (const UnknownCharacter& unknown) {
        refuse_character(word.substr(unknown.offset),
                         offset + static_cast<std::size_t>(word.data() - begin) + unknown.offset);
      }
    }
  }

  void append_word_through_cache(std::string_view word, Workspace& workspace, std::vector<std::int32_t>& ids) const {
    const std::size_t place = workspace.cache.place_of(word);
    if (workspace.cache.append(place, word, ids)) return;
    const std::size_t before = ids.size();
    parts.model->append_ids(word, workspace.model, ids);
    workspace.cache.remember(place, word, std::span(ids).subspan(before));
  }

  [[noreturn]] void refuse_character(std::string_view at, std::size_t offset) const {
    const Utf8Character c = read_utf8(at.data(), at.data() + at.size());
    const std::string what =
        c.valid ? in_quotes(at.substr(0, c.length)) + " (" + code_point_name(c.code) + ")" : "a byte that is not UTF-8";
    throw DataError("tokenizer: a character must be one of the vocabulary's " + std::to_string(size) + ", got " + what +
                    " at byte " + std::to_string(offset) +
                    "; train the tokenizer on text that has it, or as --type byte");
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
  impl_->append_ids(text, special, ids, offset);
}

std::vector<std::int32_t> Tokenizer::encode_in_parallel(std::string_view text, SpecialTokens special) const {
  constexpr std::size_t kPart = std::size_t{256} << 10;  // large enough that a part's start costs nothing
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
  return impl_->safe_cuts(text, bytes);
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

std::optional<std::int32_t> Tokenizer::token_id(std::string_view text) const {
  for (const AddedToken& token : added_tokens()) {
    if (token.content == text) return token.id;
  }
  return impl_->parts.model->token_id(text);
}

bool Tokenizer::is_special(std::int32_t id) const {
  impl_->require_id(id);
  const AddedToken* token = impl_->added(id);
  return token != nullptr && token->special;
}

const std::vector<AddedToken>& Tokenizer::added_tokens() const { return impl_->parts.added_tokens; }
std::optional<std::int32_t> Tokenizer::end_of_text() const { return impl_->end_of_text; }
std::size_t Tokenizer::merge_count() const { return impl_->parts.model->merge_count(); }
std::string Tokenizer::kind() const { return impl_->parts.model->kind(); }

bool Tokenizer::keeps_bytes() const {
  const auto& parts = impl_->parts;
  return parts.pre_tokenizer->byte_level() && !parts.pre_tokenizer->adds_prefix_space() && !parts.normalizer &&
         parts.model->knows_every_byte() &&
         std::none_of(parts.added_tokens.begin(), parts.added_tokens.end(),
                      [](const AddedToken& t) { return t.lstrip || t.rstrip; });
}

std::string Tokenizer::to_json() const { return write_tokenizer_json(impl_->parts); }

std::pair<std::string, std::string> Tokenizer::to_vocabulary_and_merges() const {
  return {vocabulary_json(*impl_->parts.model), merges_text(*impl_->parts.model)};
}

std::string Tokenizer::to_config_json(std::int64_t context) const {
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"model_max_length", context},
                 {"clean_up_tokenization_spaces", false}};
  if (const auto end = end_of_text()) {
    config["bos_token"] = token_text(*end);
    config["eos_token"] = token_text(*end);
  }
  const std::pair<const char*, std::vector<const char*>> roles[] = {
      {"unk_token", {"<unk>", "[UNK]"}}, {"bos_token", {"<s>", "<bos>", "[BOS]"}},
      {"pad_token", {"<pad>", "[PAD]"}}, {"cls_token", {"[CLS]"}},
      {"sep_token", {"[SEP]"}},          {"mask_token", {"<mask>", "[MASK]"}}};
  for (const auto& [role, names] : roles) {
    for (const char* name : names) {
      if (const auto id = token_id(name); id && is_special(*id)) config[role] = name;
    }
  }
  return dump_pretty(config);
}

std::string describe(const Tokenizer& tokenizer) {
  const auto& added = tokenizer.added_tokens();
  std::ostringstream out;
  out << "kind: " << tokenizer.kind() << "\nvocabulary: " << tokenizer.vocabulary_size() << " tokens";
  out << "\nmerges: " << tokenizer.merge_count();
  std::int32_t longest = 0;
  for (std::int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    if (tokenizer.is_special(id)) continue;
    if (tokenizer.token_text(id).size() > tokenizer.token_text(longest).size()) longest = id;
  }
  out << "\nlongest token: " << in_quotes(tokenizer.token_text(longest)) << " (" << longest << ")";
  out << "\nadded tokens:";
  if (added.empty()) out << " none";
  for (const AddedToken& token : added)
    out << (token.id == added[0].id ? " " : ", ") << in_quotes(token.content) << " (" << token.id << ")";
  out << "\nend of text: ";
  if (const auto end = tokenizer.end_of_text()) {
    out << in_quotes(tokenizer.token_text(*end)) << " (" << *end << ")";
  } else {
    out << "none";
  }
  out << "\nkeeps any bytes: " << (tokenizer.keeps_bytes() ? "yes" : "no") << '\n';
  return out.str();
}

}  // namespace rapt
