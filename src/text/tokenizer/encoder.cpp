#include "text/tokenizer/encoder.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/alignment.h"
#include "text/tokenizer/word_cache.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace rapt {

namespace {

AddedTokenFinder finder_of(const std::vector<AddedToken>& tokens, bool normalized, const Normalizer* normalizer) {
  std::vector<AddedTokenFinder::Pattern> patterns;
  for (const AddedToken& token : tokens) {
    if (token.normalized != normalized) continue;
    patterns.push_back(
        {normalized && normalizer != nullptr ? normalizer->normalize(token.content) : token.content, token});
  }
  return AddedTokenFinder(std::move(patterns));
}

constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";

std::size_t offset_in(std::string_view part, std::string_view whole) {
  return static_cast<std::size_t>(part.data() - whole.data());
}

[[noreturn]] void refuse_character(std::string_view at, std::size_t offset, std::size_t vocabulary_size) {
  const Utf8Character c = read_utf8(at.data(), at.data() + at.size());
  const std::string what =
      c.valid ? in_quotes(at.substr(0, c.length)) + " (" + code_point_name(c.code) + ")" : "a byte that is not UTF-8";
  throw DataError("tokenizer: a character must be one of the vocabulary's " + std::to_string(vocabulary_size) +
                  ", got " + what + " at byte " + std::to_string(offset) +
                  "; train the tokenizer on text that has it, or as --type byte");
}

bool continues_character(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// Without white space at its ends, unless there is nothing else, and with whole characters.
TokenSpan tidy(std::string_view text, TokenSpan span) {
  for (int i = 0; i < 3 && span.begin > 0 && continues_character(text, span.begin); ++i) --span.begin;
  for (int i = 0; i < 3 && continues_character(text, span.end); ++i) ++span.end;
  const TokenSpan whole = span;
  while (span.begin < span.end) {
    const Utf8Character c = read_utf8(text.data() + span.begin, text.data() + span.end);
    if ((character_class(c.code) & kSpace) == 0) break;
    span.begin += c.length;
  }
  while (span.begin < span.end) {
    const Utf8Character c = read_last_utf8(text.substr(span.begin, span.end - span.begin));
    if ((character_class(c.code) & kSpace) == 0) break;
    span.end -= c.length;
  }
  return span.begin < span.end ? span : whole;
}

}  // namespace

// Scratch memory of one encoding thread.
struct Encoder::Workspace {
  WordCache cache;
  ModelWorkspace model;
  WordList words;
};

void Encoder::append_word(std::string_view word, std::size_t offset, Workspace& workspace,
                          std::vector<std::int32_t>& ids) const {
  try {
    if (!caches_ || word.size() > WordCache::kMaxWord || workspace.model.dropout != nullptr) {
      parts_.model->append_ids(word, workspace.model, ids);
      return;
    }
    const std::size_t place = workspace.cache.place_of(word);
    if (workspace.cache.append(place, word, ids)) return;
    const std::size_t before = ids.size();
    parts_.model->append_ids(word, workspace.model, ids);
    workspace.cache.remember(place, word, std::span(ids).subspan(before));
  } catch (const UnknownCharacter& unknown) {
    refuse_character(word.substr(unknown.offset), offset + unknown.offset,
                     static_cast<std::size_t>(parts_.model->size()));
  }
}

// Receives the output of walk(): texts without added tokens, then their words, and added tokens.
class Encoder::IdSink {
 public:
  IdSink(const Encoder& encoder, Workspace& workspace, std::vector<std::int32_t>& ids, std::size_t offset)
      : workspace(workspace), encoder_(encoder), ids_(ids), offset_(offset) {}

  std::string_view begin(std::string_view text, std::size_t from) {
    offset_in_message_ = offset_ + from;
    return text;
  }
  std::string_view begin_normal(const Normalizer& normalizer, std::string_view text, std::size_t) {
    offset_in_message_ = 0;
    normal_ = normalizer.normalize(text);
    return normal_;
  }
  void added_token(std::int32_t id, std::size_t, std::size_t) { ids_.push_back(id); }
  void added_token_in_normal(std::int32_t id, std::size_t, std::size_t) { ids_.push_back(id); }
  void word(std::string_view word, const WordList::Source& source) {
    encoder_.append_word(word, offset_in_message_ + source.begin, workspace, ids_);
  }

  Workspace& workspace;

 private:
  const Encoder& encoder_;
  std::vector<std::int32_t>& ids_;
  std::size_t offset_, offset_in_message_ = 0;
  std::string normal_;
};

// The same, and records the source of each token.
class Encoder::SpanSink {
 public:
  SpanSink(const Encoder& encoder, Workspace& workspace, std::string_view text, std::vector<std::int32_t>& ids,
           std::vector<TokenSpan>& spans)
      : workspace(workspace), spans_(spans), encoder_(encoder), text_(text), ids_(ids) {}

  std::string_view begin(std::string_view text, std::size_t from) {
    from_ = from;
    alignment_.emplace(text);
    return alignment_->normal();
  }
  std::string_view begin_normal(const Normalizer& normalizer, std::string_view text, std::size_t from) {
    from_ = from;
    alignment_.emplace(normalizer, text);
    return alignment_->normal();
  }
  void added_token(std::int32_t id, std::size_t begin, std::size_t end) {
    ids_.push_back(id);
    spans_.push_back(tidy(text_, {begin, end}));
  }
  void added_token_in_normal(std::int32_t id, std::size_t begin, std::size_t end) {
    ids_.push_back(id);
    spans_.push_back(origin(begin, end));
  }

  void word(std::string_view word, const WordList::Source& source) {
    const std::size_t first = ids_.size();
    encoder_.append_word(word, source.begin, workspace, ids_);
    ends_.clear();
    for (std::size_t i = first; i < ids_.size(); ++i) {
      const auto covered = encoder_.parts_.model->covered_bytes(ids_[i], i == first);
      if (!covered) break;
      ends_.push_back((ends_.empty() ? 0 : ends_.back()) + *covered);
    }
    const bool known =
        source.aligned && first + ends_.size() == ids_.size() && !ends_.empty() && ends_.back() == word.size();
    std::size_t begin = 0;
    for (std::size_t i = first; i < ids_.size(); ++i) {
      const std::size_t end = known ? ends_[i - first] : word.size();
      const WordList::Source part = known ? WordList::source_of(source, word.size(), begin, end) : source;
      spans_.push_back(origin(part.begin, part.end));
      begin = end;
    }
  }

  Workspace& workspace;

 protected:
  // The source of bytes of the normalised text, which may be none.
  TokenSpan origin(std::size_t begin, std::size_t end) const {
    if (begin == end) {
      const std::size_t at = begin < alignment_->normal().size() ? alignment_->origin(begin, begin + 1).begin
                             : begin > 0                         ? alignment_->origin(begin - 1, begin).end
                                                                 : 0;
      return {from_ + at, from_ + at};
    }
    const TokenSpan span = alignment_->origin(begin, end);
    return tidy(text_, {from_ + span.begin, from_ + span.end});
  }

  std::vector<TokenSpan>& spans_;

 private:
  const Encoder& encoder_;
  std::string_view text_;
  std::vector<std::int32_t>& ids_;
  std::size_t from_ = 0;  // start of the text of alignment_
  std::optional<Alignment> alignment_;
  std::vector<std::size_t> ends_;
};

// Records the sources of words, whatever the model makes of them.
class Encoder::WordSink : public SpanSink {
 public:
  using SpanSink::SpanSink;
  void word(std::string_view, const WordList::Source& source) { spans_.push_back(origin(source.begin, source.end)); }
};

Encoder::Encoder(const TokenizerParts& parts)
    : parts_(parts),
      raw_finder_(finder_of(parts.added_tokens, false, parts.normalizer.get())),
      normal_finder_(finder_of(parts.added_tokens, true, parts.normalizer.get())),
      caches_(parts.model->worth_caching()),
      may_cut_((parts.pre_tokenizer->cuts_at_spaces() || parts.model->cuts_anywhere()) &&
               (!parts.normalizer || parts.normalizer->may_cut()) &&
               std::none_of(parts.added_tokens.begin(), parts.added_tokens.end(),
                            [](const AddedToken& t) { return t.rstrip || has_white_space(t.content); })) {}

Encoder::~Encoder() = default;

std::unique_ptr<Encoder::Workspace> Encoder::take_workspace() const {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<Workspace>();
  auto workspace = std::move(free_.back());
  free_.pop_back();
  return workspace;
}

void Encoder::give_back(std::unique_ptr<Workspace> workspace) const {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(workspace));
}

void Encoder::append_ids(std::string_view text, SpecialTokens special, std::vector<std::int32_t>& ids,
                         std::size_t offset, MergeDropout* dropout) const {
  auto workspace = take_workspace();
  workspace->model.dropout = dropout;
  IdSink sink(*this, *workspace, ids, offset);
  walk(text, special, sink);
  workspace->model.dropout = nullptr;
  give_back(std::move(workspace));
}

void Encoder::append_ids_with_spans(std::string_view text, SpecialTokens special, std::vector<std::int32_t>& ids,
                                    std::vector<TokenSpan>& spans) const {
  auto workspace = take_workspace();
  SpanSink sink(*this, *workspace, text, ids, spans);
  walk(text, special, sink);
  give_back(std::move(workspace));
}

std::vector<TokenSpan> Encoder::words(std::string_view text) const {
  auto workspace = take_workspace();
  std::vector<std::int32_t> ids;
  std::vector<TokenSpan> spans, words;
  WordSink sink(*this, *workspace, text, ids, spans);
  walk(text, SpecialTokens::kAsText, sink);
  give_back(std::move(workspace));
  for (const TokenSpan& span : spans) {  // if a text is a single word, white space ends words
    for (std::size_t at = span.begin; at < span.end;) {
      const std::size_t begin = std::min(text.find_first_not_of(kWhiteSpace, at), span.end);
      at = std::min(text.find_first_of(kWhiteSpace, begin), span.end);
      if (begin < at) words.push_back({begin, at});
    }
  }
  return words;
}

// Words do not cross such a split, and no added token contains white space (may_cut_).
std::vector<std::size_t> Encoder::safe_cuts(std::string_view text, std::size_t bytes) const {
  if (!may_cut_) return {};
  return cuts_before_spaces(text, bytes, parts_.pre_tokenizer->spaces_to_cut_at());
}

template <typename Sink>
void Encoder::walk(std::string_view text, SpecialTokens special, Sink& sink) const {
  for (const auto& raw : raw_finder_.split(text, special)) {
    const std::size_t from = offset_in(raw.text, text);
    if (raw.id >= 0) {
      sink.added_token(raw.id, from, from + raw.text.size());
      continue;
    }
    if (!parts_.normalizer) {
      walk_normal(sink.begin(raw.text, from), special, from == 0, sink);
      continue;
    }
    // Piece by piece, so that the normalised copy is small and stays in the cache.
    constexpr std::size_t kPiece = std::size_t{32} << 10;
    std::vector<std::size_t> cuts = safe_cuts(raw.text, kPiece);
    cuts.push_back(raw.text.size());
    std::size_t begin = 0;
    for (const std::size_t end : cuts) {
      const std::string_view normal =
          sink.begin_normal(*parts_.normalizer, raw.text.substr(begin, end - begin), from + begin);
      walk_normal(normal, special, from + begin == 0, sink);
      begin = end;
    }
  }
}

// Normalised text, which may contain added tokens that are searched for in their normalised form.
template <typename Sink>
void Encoder::walk_normal(std::string_view text, SpecialTokens special, bool begins_text, Sink& sink) const {
  for (const auto& segment : normal_finder_.split(text, special)) {
    const std::size_t from = offset_in(segment.text, text);
    if (segment.id >= 0) {
      sink.added_token_in_normal(segment.id, from, from + segment.text.size());
    } else {
      walk_segment(segment.text, from, begins_text && from == 0, sink);
    }
  }
}

// Normalised text without added tokens, which starts `from` bytes after the sink's text.
template <typename Sink>
void Encoder::walk_segment(std::string_view text, std::size_t from, bool begins_text, Sink& sink) const {
  const PreTokenizer& pre_tokenizer = *parts_.pre_tokenizer;
  if (pre_tokenizer.rewrites()) {
    WordList& list = sink.workspace.words;
    list.clear();
    pre_tokenizer.append_words(text, begins_text, list);
    for (const WordList::Word& word : list.words) {
      WordList::Source source = word.source;
      source.begin += from;
      source.end += from;
      sink.word(list.text(word), source);
    }
    return;
  }
  std::string prefixed;
  const bool prefixes = pre_tokenizer.adds_prefix_space() && !text.starts_with(' ');
  if (prefixes) {
    prefixed.reserve(text.size() + 1);
    prefixed += ' ';
    prefixed += text;
    text = prefixed;
  }
  const std::string_view whole = text;
  for (std::string_view word; !(word = pre_tokenizer.next_word(text)).empty();) {
    const std::size_t at = offset_in(word, whole), end = at + word.size();
    sink.word(word, prefixes ? WordList::Source{from + at - std::min<std::size_t>(at, 1), from + end - 1}
                             : WordList::Source{from + at, from + end});
  }
}

}  // namespace rapt
