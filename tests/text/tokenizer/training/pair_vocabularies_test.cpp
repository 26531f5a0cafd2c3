// Vocabularies of encoder-decoders: words, unigram, BPE with the mark before words.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "io/joined.h"
#include "io/json.h"
#include "io/shared_data.h"
#include "tensor/error.h"
#include "text/corpus/text_reader.h"
#include "text/text_fixture.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "text/tokenizer/training/unigram_seeds.h"
#include "text/tokenizer/training/unigram_trainer.h"
#include "text/tokenizer_fixture.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;
using Texts = std::vector<std::string>;

static std::unique_ptr<Tokenizer> learn_for_pairs(TokenizerTrainerOptions options, const std::string& text) {
  if (options.special.empty()) options.special = pair_special_tokens();
  return learn(options, text);
}

static Texts pieces_of(const Tokenizer& tokenizer, const std::string& text) {
  Texts pieces;
  for (const std::int32_t id : tokenizer.encode(text)) pieces.push_back(tokenizer.token_text(id));
  return pieces;
}

static const std::string kText =
    "the old man walks the dog. the old dog, the young man! a dog walks; the man runs.\n"
    "walking dogs and running men (old and young) walk at 10:30 or at 11:30, the man said: \"go!\"\n";

TEST_CASE("every kind of vocabulary for pairs starts with its four special tokens") {
  for (const TokenizerType type : {TokenizerType::kByteBpe, TokenizerType::kMetaspaceBpe, TokenizerType::kUnigram,
                                   TokenizerType::kWord, TokenizerType::kChar}) {
    CAPTURE(name_of(type));
    const auto tokenizer = learn_for_pairs({.type = type, .vocabulary = 280}, kText);
    CHECK(tokenizer->token_id("<s>") == 0);
    CHECK(tokenizer->token_id("<pad>") == 1);
    CHECK(tokenizer->token_id("</s>") == 2);
    CHECK(tokenizer->token_id("<unk>") == 3);
    CHECK(tokenizer->is_special(2));
    CHECK(tokenizer->decode(Ids{0, 2}, true).empty());
  }
}

TEST_CASE("a word vocabulary has the words of the text, the frequent ones first") {
  const auto tokenizer = learn_for_pairs({.type = TokenizerType::kWord, .vocabulary = 1000}, "b a b. A c b a é.\n");
  CHECK(tokenizer->kind() == "words");
  CHECK(tokenizer->vocabulary_size() == 7);  // and b (3), . and a (2): A, c and é occur once
  CHECK(pieces_of(*tokenizer, "a b c .") == Texts{"a", "b", "<unk>", "."});
  CHECK(tokenizer->token_id("b") == 4);
  CHECK(tokenizer->token_id(".") == 5);
  const auto all = learn_for_pairs({.type = TokenizerType::kWord, .min_frequency = 1, .lowercase = true}, "b A é É\n");
  CHECK(pieces_of(*all, "B a É") == Texts{"b", "a", "é"});  // accents are kept
  CHECK(learn_for_pairs({.type = TokenizerType::kWord, .vocabulary = 5}, "b a b b a")->vocabulary_size() == 5);
  CHECK(learn_for_pairs({.type = TokenizerType::kWord, .min_frequency = 1}, "<s> <unk> a")->vocabulary_size() == 5);
}

TEST_CASE("decoded words are separated by spaces, except before marks that close something") {
  const auto tokenizer = learn_for_pairs({.type = TokenizerType::kWord, .vocabulary = 1000, .min_frequency = 1}, kText);
  CHECK(tokenizer->decode(tokenizer->encode("The old man walks; a dog, (running) at 10:30.")) ==
        "<unk> old man walks; a dog, ( running) at 10: 30.");
}

TEST_CASE("pieces with the mark before words never join letters, digits and other characters") {
  for (const TokenizerType type : {TokenizerType::kMetaspaceBpe, TokenizerType::kUnigram}) {
    CAPTURE(name_of(type));
    const auto tokenizer = learn_for_pairs({.type = type, .vocabulary = 120}, kText + kText + kText);
    for (std::int32_t id = 4; id < tokenizer->vocabulary_size(); ++id) {
      std::string text = tokenizer->token_text(id);
      CAPTURE(text);
      if (text.starts_with("\xE2\x96\x81")) text.erase(0, 3);
      int kinds = 0;
      kinds += text.find_first_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos ? 1 : 0;
      kinds += text.find_first_of("0123456789") != std::string::npos ? 1 : 0;
      kinds += text.find_first_of(".,:;!?()\"") != std::string::npos ? 1 : 0;
      CHECK(kinds <= 1);
    }
    CHECK(pieces_of(*tokenizer, "the man.") == Texts{"\xE2\x96\x81the", "\xE2\x96\x81man", "."});
    CHECK(tokenizer->decode(tokenizer->encode("  the\t old (dog),\n10:30. ")) == "the old (dog), 10:30.");
    CHECK(tokenizer->encode("\xE6\x9D\xB1\xE4\xBA\xAC") == tokenizer->encode("\xE6\x9D\xB1"));  // one <unk> for both
    const auto lower = learn_for_pairs({.type = type, .vocabulary = 120, .lowercase = true}, kText);
    CHECK(lower->encode("The Man") == lower->encode("the man"));
  }
}

TEST_CASE("substrings are counted as often as their words") {
  WordCounts words;
  words.add("abab", 3);
  words.add("ab", 2);
  words.add("\xC3\xA9\xC3\xA8", 2);
  const std::vector<CountedText> found = frequent_substrings(words.sorted(), 3, 100);
  std::vector<std::pair<std::string, std::int64_t>> pairs;
  for (const CountedText& text : found) pairs.emplace_back(text.text, text.count);
  const std::vector<std::pair<std::string, std::int64_t>> expected = {
      {"ab", 8}, {"aba", 3}, {"bab", 3}, {"\xC3\xA9\xC3\xA8", 2}};  // "ba" always begins "bab"
  CHECK(pairs == expected);
  CHECK(frequent_substrings(words.sorted(), 3, 1).size() == 1);
}

TEST_CASE("unigram pieces are probabilities of the pieces that explain the text") {
  WordCounts words;
  for (const char* word : {"low", "lower", "lowest", "new", "newer", "newest", "wide", "wider", "widest"}) {
    words.add(word, 10);
  }
  const std::vector<UnigramToken> pieces = learn_unigram(words, {.pieces = 16});
  CHECK(pieces.size() == 16);
  double sum = 0;
  Texts texts;
  for (const UnigramToken& piece : pieces) {
    texts.push_back(piece.text);
    sum += std::exp(piece.score);
  }
  CAPTURE(joined(texts, " "));
  CHECK(sum > 0.8);
  CHECK(sum < 1.001);
  for (const std::string piece : {"low", "new", "wide", "l", "t"}) {
    CAPTURE(piece);
    CHECK(std::count(texts.begin(), texts.end(), piece) == 1);
  }
  CHECK(learn_unigram(words, {.pieces = 3}).size() == 3);  // the most frequent characters alone
}

TEST_CASE("tokens of a text with dropout are a function of its random numbers") {
  const auto tokenizer = learn_for_pairs({.type = TokenizerType::kMetaspaceBpe, .vocabulary = 120}, kText);
  const auto encode = [&](double probability, std::uint64_t seed) {
    MergeDropout dropout{probability, Rng(random_key(seed, Purpose::kTokens))};
    return tokenizer->encode_with_dropout("the old man walks the dog", SpecialTokens::kAsText, dropout);
  };
  CHECK(encode(0, 1) == tokenizer->encode("the old man walks the dog"));
  CHECK(encode(0.5, 1) == encode(0.5, 1));
  CHECK(encode(0.5, 1) != encode(0.5, 2));
  CHECK(tokenizer->decode(encode(0.5, 3)) == "the old man walks the dog");
  CHECK(tokenizer->encode("the old man walks the dog") == encode(0, 2));  // and leaves nothing behind
}

TEST_CASE("a real vocabulary of 8,000 pieces covers German with few tokens") {
  const std::string path = shared_data("data/mt/multi30k/val.de.gz");
  if (path.empty()) return;
  TokenizerTrainer bpe({.type = TokenizerType::kMetaspaceBpe, .vocabulary = 2000, .special = pair_special_tokens()});
  TokenizerTrainer unigram({.type = TokenizerType::kUnigram, .vocabulary = 2000, .special = pair_special_tokens()});
  std::string text;
  for (TextReader reader(Input::from_file(path)); reader.read(text);) continue;
  bpe.add_text(text);
  unigram.add_text(text);
  const auto a = bpe.train(), b = unigram.train();
  CHECK(a->vocabulary_size() == 2000);
  CHECK(b->vocabulary_size() == 2000);
  const auto tokens = [&](const Tokenizer& t) { return static_cast<double>(t.encode(text).size()); };
  CHECK(std::abs(tokens(*a) / tokens(*b) - 1) < 0.1);  // both have the same quality
  CHECK(tokens(*a) < static_cast<double>(text.size()) / 3.5);
}
