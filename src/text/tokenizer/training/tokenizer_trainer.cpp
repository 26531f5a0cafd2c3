#include "text/tokenizer/training/tokenizer_trainer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <utility>

#include "io/names.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "text/tokenizer/bpe_model.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/char_model.h"
#include "text/tokenizer/tokenizer_json.h"
#include "text/tokenizer/training/bpe_trainer.h"
#include "text/tokenizer/training/tokenizer_head.h"
#include "text/tokenizer/training/unigram_trainer.h"
#include "text/tokenizer/training/word_counts.h"
#include "text/tokenizer/training/word_symbols.h"
#include "text/tokenizer/unigram_model.h"
#include "text/tokenizer/word_level_model.h"
#include "text/tokenizer/wordpiece_model.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace rapt {

namespace {

constexpr const char* kUnknown = "<unk>";
constexpr double kNeverFound = -1000;  // score of a special token, far below any piece's
constexpr std::array<const char*, 5> kBertTokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
constexpr const char* kName = "the new tokenizer";  // the name in messages
constexpr std::size_t kPart = std::size_t{1} << 20;
constexpr std::size_t kPartsAtATime = 16;  // a multiple of most numbers of threads; limits the memory of their tables

// Calls visit with the parts of a word that a piece may not cross: letters, digits, other characters. The mark before
// the word is part of the first.
template <typename Visit>
void for_each_part(std::string_view word, Visit visit) {
  std::string part = kSpaceMark;
  int last = -1;
  for_each_character(word, [&](char32_t code, std::string_view c) {
    const std::uint8_t kind = character_class(code);
    const int own = (kind & kMark) != 0 ? last : (kind & kLetter) != 0 ? 0 : (kind & kNumber) != 0 ? 1 : 2;
    if (last >= 0 && own != last) {
      visit(part);
      part.clear();
    }
    part += c;
    last = own;
  });
  visit(part);
}

std::unique_ptr<Tokenizer> assemble(const Json& head, std::unique_ptr<TokenModel> model) {
  return std::make_unique<Tokenizer>(read_tokenizer_parts(head, std::move(model), kName), kName);
}

}  // namespace

static constexpr std::pair<TokenizerType, const char*> kTypeNames[] = {
    {TokenizerType::kByteBpe, "byte-bpe"},    {TokenizerType::kWordBpe, "bpe"},
    {TokenizerType::kWordPiece, "wordpiece"}, {TokenizerType::kChar, "char"},
    {TokenizerType::kByte, "byte"},           {TokenizerType::kMetaspaceBpe, "metaspace-bpe"},
    {TokenizerType::kUnigram, "unigram"},     {TokenizerType::kWord, "word"}};

TokenizerType tokenizer_type_named(std::string_view name) { return value_named(name, kTypeNames, "tokenizer: type"); }

const char* name_of(TokenizerType type) { return name_in(kTypeNames, type); }

std::vector<std::string> default_special_tokens(TokenizerType type) {
  if (type == TokenizerType::kByteBpe) return {"<|endoftext|>"};
  if (type == TokenizerType::kWordBpe) return {kUnknown, "<|endoftext|>"};
  if (type == TokenizerType::kWordPiece) return {kBertTokens.begin(), kBertTokens.end()};
  if (has_mark_before_words(type) || type == TokenizerType::kWord) return pair_special_tokens();
  return {};
}

std::vector<std::string> pair_special_tokens() { return {"<s>", "<pad>", kTextEnd, kUnknown}; }

class TokenizerTrainer::Impl {
 public:
  explicit Impl(TokenizerTrainerOptions given)
      : options(with_needed_tokens(std::move(given))),
        normalizer(normalizer_from_json(tokenizer_head(options, 0).value("normalizer", Json()), kName)),
        pre_tokenizer(pre_tokenizer_from_json(counted_words(options), kName)),
        specials(patterns(options.special)) {
    const std::set<std::string> different(options.special.begin(), options.special.end());
    if (different.size() != options.special.size() || different.contains("")) {
      throw UsageError("tokenizer: special tokens must be distinct and not empty");
    }
    require_room(options.type == TokenizerType::kByteBpe ? 256 : 0, "bytes", options.vocabulary);
    may_cut = std::none_of(options.special.begin(), options.special.end(),
                           [](const std::string& token) { return has_white_space(token); });
  }

  bool learns_words() const { return options.type != TokenizerType::kChar && options.type != TokenizerType::kByte; }

  // Fixed parts, counted in any order and added in theirs. Rare words are dropped between groups of parts, so the
  // result depends only on the text.
  void count_words(std::string_view text) {
    std::vector<std::size_t> cuts = may_cut ? cuts_before_spaces(text, kPart, " \t\r\n") : std::vector<std::size_t>();
    if (cuts.empty()) {  // one of many short documents: no separate table
      count_part(text, words);
      drop_rare_words();
      return;
    }
    cuts.insert(cuts.begin(), 0);
    cuts.push_back(text.size());
    for (std::size_t first = 0; first + 1 < cuts.size(); first += kPartsAtATime) {
      const std::size_t count = std::min(kPartsAtATime, cuts.size() - 1 - first);
      std::vector<WordCounts> counts(count);
      parallel_for(
          static_cast<Dim>(count),
          [&](Dim i) {
            const auto part = static_cast<std::size_t>(i);
            const std::size_t begin = cuts[first + part], end = cuts[first + part + 1];
            count_part(text.substr(begin, end - begin), counts[part]);
          },
          Schedule::kDynamic);
      for (const WordCounts& part : counts) words.add(part);
      drop_rare_words();
    }
  }

  void find_characters(std::string_view text) {
    if (const auto at = find_invalid_utf8(text)) require_utf8(text, "the text", static_cast<std::size_t>(bytes_seen));
    for (const auto& segment : specials.split(text, SpecialTokens::kRecognise)) {
      if (segment.id >= 0) continue;
      for_each_character(segment.text, [this](char32_t, std::string_view c) { mark_character(c); });
    }
  }

  std::unique_ptr<Tokenizer> train_bytes() const {
    std::vector<Vocabulary::Entry> vocabulary;
    for (int b = 0; b < 256; ++b) vocabulary.emplace_back(printable_byte(static_cast<unsigned char>(b)), b);
    return assemble(tokenizer_head(options, 256), make_bpe_model(std::move(vocabulary), {}, {}, true, kName));
  }

  // With <unk>, the special tokens have the first ids. The model knows only that one of them.
  std::unique_ptr<Tokenizer> train_characters() const {
    const auto unknown = std::find(options.special.begin(), options.special.end(), kUnknown);
    const bool has_unknown = unknown != options.special.end();
    const auto first = has_unknown ? static_cast<std::int32_t>(options.special.size()) : 0;
    std::vector<Vocabulary::Entry> vocabulary;
    for (const std::string& character : characters()) {
      vocabulary.emplace_back(character, first + static_cast<std::int32_t>(vocabulary.size()));
    }
    if (vocabulary.empty()) throw DataError("tokenizer: the training text must have at least one character, got none");
    const auto first_special = has_unknown ? 0 : static_cast<std::int32_t>(vocabulary.size());
    if (has_unknown) {
      vocabulary.emplace_back(kUnknown, static_cast<std::int32_t>(unknown - options.special.begin()));
    }
    return assemble(tokenizer_head(options, first_special),
                    make_char_model(std::move(vocabulary),
                                    has_unknown ? std::optional<std::string>(kUnknown) : std::nullopt, kName));
  }

  std::unique_ptr<Tokenizer> train_bpe(std::int64_t size) {
    const bool bytes = options.type == TokenizerType::kByteBpe;
    const char* const word_end = options.type == TokenizerType::kWordBpe ? kWordEnd : "";
    const LearnedBpe learned =
        learn(bytes ? byte_symbols(words) : word_end_symbols(words, options.max_characters, word_end), size,
              bytes ? "bytes" : "forms of the text's characters");
    std::vector<Vocabulary::Entry> vocabulary = special_entries();
    std::vector<std::string> texts = learned.tokens;
    for (std::string& text : texts) {
      if (bytes) text = printable_bytes(text);
      vocabulary.emplace_back(text, static_cast<std::int32_t>(vocabulary.size()));
    }
    MergeTexts merges;
    for (const BpeMerge& merge : learned.merges) {
      merges.emplace_back(texts[static_cast<std::size_t>(merge.left)], texts[static_cast<std::size_t>(merge.right)]);
    }
    BpeOptions model;
    if (options.type == TokenizerType::kWordBpe) model = {.unk_token = kUnknown, .end_of_word_suffix = kWordEnd};
    if (options.type == TokenizerType::kMetaspaceBpe) model = {.unk_token = kUnknown, .fuse_unk = true};
    return assemble(tokenizer_head(options, 0), make_bpe_model(std::move(vocabulary), merges, model, bytes, kName));
  }

  std::unique_ptr<Tokenizer> train_wordpiece(std::int64_t size) {
    const WordPieceOptions model;
    const LearnedBpe learned = learn(continued_symbols(words, options.max_characters, model.continuing_subword_prefix),
                                     size, "forms of the text's characters", model.continuing_subword_prefix);
    std::vector<Vocabulary::Entry> vocabulary = special_entries();
    for (const std::string& text : learned.tokens) {
      vocabulary.emplace_back(text, static_cast<std::int32_t>(vocabulary.size()));
    }
    return assemble(tokenizer_head(options, 0), make_wordpiece_model(std::move(vocabulary), model, kName));
  }

  std::unique_ptr<Tokenizer> train_unigram(std::int64_t size) {
    require_words(words.size());
    require_room(1, "piece", size);
    UnigramLearningOptions learning{.pieces = static_cast<std::size_t>(size) - options.special.size(),
                                    .max_characters = options.max_characters};
    learning.never.insert(options.special.begin(), options.special.end());
    std::vector<UnigramToken> tokens;
    for (const std::string& special : options.special) tokens.push_back({special, kNeverFound});
    for (UnigramToken& piece : learn_unigram(words, learning)) tokens.push_back(std::move(piece));
    words = WordCounts();
    const auto unknown = std::find(options.special.begin(), options.special.end(), kUnknown);
    return assemble(
        tokenizer_head(options, 0),
        make_unigram_model(std::move(tokens), {.unk_id = static_cast<std::int32_t>(unknown - options.special.begin())},
                           kName));
  }

  // The most frequent words; of equally frequent ones, those that sort first.
  std::unique_ptr<Tokenizer> train_words(std::int64_t size) {
    require_words(words.size());
    require_room(0, "words", size);
    std::vector<WordCounts::Word> sorted = words.sorted();
    std::erase_if(sorted, [this](const WordCounts::Word& word) {
      return word.count < options.min_frequency ||
             std::find(options.special.begin(), options.special.end(), word.text) != options.special.end();
    });
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const WordCounts::Word& a, const WordCounts::Word& b) { return a.count > b.count; });
    sorted.resize(std::min(sorted.size(), static_cast<std::size_t>(size) - options.special.size()));
    std::vector<Vocabulary::Entry> vocabulary = special_entries();
    for (const WordCounts::Word& word : sorted) {
      vocabulary.emplace_back(word.text, static_cast<std::int32_t>(vocabulary.size()));
    }
    words = WordCounts();
    return assemble(tokenizer_head(options, 0), make_word_level_model(std::move(vocabulary), kUnknown, kName));
  }

  TokenizerTrainerOptions options;
  std::int64_t bytes_seen = 0, dropped_below = 0;
  WordCounts words;

 private:
  static TokenizerTrainerOptions with_needed_tokens(TokenizerTrainerOptions options) {
    auto& special = options.special;
    const bool has_unknown = options.type == TokenizerType::kWordBpe || options.type == TokenizerType::kWord ||
                             has_mark_before_words(options.type);
    if (has_unknown && std::find(special.begin(), special.end(), kUnknown) == special.end()) {
      special.insert(special.begin(), kUnknown);
    }
    if (options.type == TokenizerType::kWordPiece) {  // BERT's come first, so that they have the ids 0 to 4
      for (const char* token : kBertTokens) std::erase(special, token);
      special.insert(special.begin(), kBertTokens.begin(), kBertTokens.end());
    }
    return options;
  }

  static void require_words(std::size_t words) {
    if (words == 0) throw DataError("tokenizer: the training text must have at least one word, got none");
  }

  LearnedBpe learn(BpeCorpus corpus, std::int64_t size, const std::string& first_tokens,
                   const std::string& prefix = "") {
    words = WordCounts();  // training needs the memory
    require_words(corpus.words.size());
    require_room(static_cast<std::int64_t>(corpus.tokens.size()), first_tokens, size);
    BpeLearningOptions learning{.tokens = static_cast<std::size_t>(size) - options.special.size(),
                                .min_frequency = options.min_frequency,
                                .max_token_bytes = options.max_token_bytes,
                                .continuing_prefix = prefix,
                                .never = {}};
    for (const std::string& special : options.special) {
      const bool bytes = options.type == TokenizerType::kByteBpe;
      learning.never.insert(bytes ? bytes_of_printable(special).value_or(special) : special);
    }
    return learn_bpe(std::move(corpus), learning);
  }

  std::vector<Vocabulary::Entry> special_entries() const {
    std::vector<Vocabulary::Entry> entries;
    for (const std::string& special : options.special) {
      entries.emplace_back(special, static_cast<std::int32_t>(entries.size()));
    }
    return entries;
  }

  static AddedTokenFinder patterns(const std::vector<std::string>& special) {
    std::vector<AddedTokenFinder::Pattern> out;
    for (const std::string& text : special) out.push_back({text, AddedToken{.id = 0, .content = text}});
    return AddedTokenFinder(std::move(out));
  }

  void require_room(std::int64_t first_tokens, const std::string& what, std::int64_t size) const {
    const std::int64_t least = first_tokens + static_cast<std::int64_t>(options.special.size());
    if (!learns_words() || (size >= least && size <= std::int64_t{kMaxVocabulary})) return;
    throw UsageError("tokenizer: vocabulary must be from " + std::to_string(least) + " (" +
                     std::to_string(options.special.size()) + " special tokens and " + std::to_string(first_tokens) +
                     " " + what + ") to " + std::to_string(kMaxVocabulary) + ", got " + std::to_string(size));
  }

  void count_part(std::string_view text, WordCounts& counts) const {
    for (const auto& segment : specials.split(text, SpecialTokens::kRecognise)) {
      if (segment.id >= 0) continue;
      const std::string normal = normalizer ? normalizer->normalize(segment.text) : std::string();
      std::string_view rest = normalizer ? std::string_view(normal) : segment.text;
      for (std::string_view word; !(word = pre_tokenizer->next_word(rest)).empty();) {
        if (has_more_characters(word, longest_word)) continue;
        if (has_mark_before_words(options.type)) {
          for_each_part(word, [&](const std::string& part) { counts.add(part); });
        } else {
          counts.add(word);
        }
      }
    }
  }

  void drop_rare_words() {
    if (words.bytes() <= options.memory) return;
    for (std::int64_t least = 2; words.bytes() > options.memory / 2 && words.size() > 0; ++least) {
      words.drop_rarer_than(least);
      dropped_below = std::max(dropped_below, least);
    }
  }

  void mark_character(std::string_view c) {
    if (c.size() == 1) {
      ascii_seen[static_cast<unsigned char>(c[0])] = true;
    } else if (c != last_wide) {
      last_wide = c;
      wide_seen.emplace(c);
    }
  }

  // Sorted by code point, which is also the byte order of UTF-8.
  std::vector<std::string> characters() const {
    std::vector<std::string> out;
    for (std::size_t b = 0; b < 128; ++b) {
      if (ascii_seen[b]) out.emplace_back(1, static_cast<char>(b));
    }
    out.insert(out.end(), wide_seen.begin(), wide_seen.end());
    return out;
  }

  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  AddedTokenFinder specials;
  // A WordPiece treats longer words as unknown, whatever it has learnt.
  std::size_t longest_word = options.type == TokenizerType::kWordPiece ? WordPieceOptions().max_input_chars_per_word
                                                                       : std::numeric_limits<std::size_t>::max();
  bool may_cut = true;
  std::array<bool, 128> ascii_seen{};
  std::set<std::string, std::less<>> wide_seen;
  std::string last_wide;  // most texts stay in one script for a while
};

TokenizerTrainer::TokenizerTrainer(TokenizerTrainerOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
TokenizerTrainer::~TokenizerTrainer() = default;

void TokenizerTrainer::add_text(std::string_view text) {
  if (impl_->learns_words()) {
    impl_->count_words(text);
  } else if (impl_->options.type == TokenizerType::kChar) {
    impl_->find_characters(text);
  }
  impl_->bytes_seen += static_cast<std::int64_t>(text.size());
}

std::unique_ptr<Tokenizer> TokenizerTrainer::train() { return train(impl_->options.vocabulary); }

std::unique_ptr<Tokenizer> TokenizerTrainer::train(std::int64_t vocabulary) {
  switch (impl_->options.type) {
    case TokenizerType::kByte:
      return impl_->train_bytes();
    case TokenizerType::kChar:
      return impl_->train_characters();
    case TokenizerType::kWordPiece:
      return impl_->train_wordpiece(vocabulary);
    case TokenizerType::kUnigram:
      return impl_->train_unigram(vocabulary);
    case TokenizerType::kWord:
      return impl_->train_words(vocabulary);
    default:
      return impl_->train_bpe(vocabulary);
  }
}

std::int64_t TokenizerTrainer::bytes_seen() const { return impl_->bytes_seen; }
std::int64_t TokenizerTrainer::words_seen() const { return impl_->words.total(); }
std::int64_t TokenizerTrainer::different_words() const { return static_cast<std::int64_t>(impl_->words.size()); }
std::int64_t TokenizerTrainer::dropped_below() const { return impl_->dropped_below; }

}  // namespace rapt
