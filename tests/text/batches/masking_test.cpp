#include "text/batches/masking.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/json.h"
#include "tensor/error.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer_fixture.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;

namespace {

/// Letters, and pieces of words in WordPiece's spelling.
std::unique_ptr<Tokenizer> with_pieces() {
  Json json = Json::parse(learn_for_bert(TokenizerType::kChar, "abcdefgh#")->to_json());
  std::int32_t id = learn_for_bert(TokenizerType::kChar, "abcdefgh#")->vocabulary_size();
  for (const std::string piece : {"##a", "##b", "##", "##c"}) {
    Json token = json["added_tokens"][0];
    token["id"] = id++;
    token["content"] = piece;
    token["special"] = false;
    json["added_tokens"].push_back(token);
  }
  return tokenizer_from_json(json.dump(), "test");
}

Ids token_ids(const Tokenizer& tokenizer, const std::vector<std::string>& tokens) {
  Ids ids;
  for (const std::string& token : tokens) ids.push_back(tokenizer.token_id(token).value());
  return ids;
}

/// [CLS], `text` ordinary tokens, [SEP].
Ids sequence(const Tokenizer& tokenizer, std::size_t text) {
  Ids ids = token_ids(tokenizer, {"[CLS]"});
  for (std::size_t i = 0; i < text; ++i)
    ids.push_back(*tokenizer.token_id(std::string(1, static_cast<char>('a' + i % 8))));
  ids.push_back(*tokenizer.token_id("[SEP]"));
  return ids;
}

RandomKey stream(std::uint64_t index) { return random_key(7, Purpose::kMasking, index); }

/// The predicted rows.
std::vector<Dim> rows_of(const Masker& masker, Ids ids, std::uint64_t index, const std::vector<Dim>& begins = {}) {
  std::vector<Dim> rows;
  Ids targets;
  masker.mask(ids, begins, stream(index), rows, targets);
  return rows;
}

}  // namespace

TEST_CASE("as many tokens are predicted as BERT's script predicts") {
  const auto tokenizer = learn_for_bert(TokenizerType::kChar, "abcdefgh");
  const auto count = [&](std::size_t tokens, MaskingOptions options, Dim context = 128) {
    return rows_of(Masker(*tokenizer, options, context), sequence(*tokenizer, tokens - 2), 0).size();
  };
  CHECK(count(3, {}) == 1);     // round(0.45) = 0, but at least one
  CHECK(count(10, {}) == 2);    // 1.5
  CHECK(count(30, {}) == 4);    // 4.5: half to even
  CHECK(count(50, {}) == 8);    // 7.5
  CHECK(count(128, {}) == 19);  // 19.2
  CHECK(count(512, {}, 512) == 77);
  CHECK(count(512, {}) == 20);  // ceil(0.15 * 128)
  CHECK(count(128, {.most = 5}) == 5);
  CHECK(count(128, {.probability = 0.4}) == 51);
  CHECK(count(4, {.probability = 1}) == 2);  // special tokens count, but are not predicted
  CHECK(Masker(*tokenizer, {}, 128).most() == 20);
  CHECK(Masker(*tokenizer, {}, 512).most() == 77);
}

TEST_CASE("targets are the original tokens of the masked rows, and other rows are unchanged") {
  const auto tokenizer = learn_for_bert(TokenizerType::kChar, "abcdefgh");
  const Masker masker(*tokenizer, {}, 128);
  Ids original = sequence(*tokenizer, 60);
  original[20] = masker.separator_token();
  original[30] = masker.mask_token();  // a corpus may contain anything
  original[40] = *tokenizer->token_id("[PAD]");
  for (std::uint64_t i = 0; i < 500; ++i) {
    Ids tokens = original, targets = {-1};
    std::vector<Dim> rows = {-1};
    masker.mask(tokens, {}, stream(i), rows, targets);  // appends to existing entries
    REQUIRE(rows.size() == targets.size());
    REQUIRE(rows.size() == 10);
    REQUIRE(std::is_sorted(rows.begin(), rows.end()));
    const std::set<Dim> masked(rows.begin() + 1, rows.end());
    REQUIRE(masked.size() == 9);
    for (const Dim frame : {0, 20, 30, 40, 61}) REQUIRE(masked.count(frame) == 0);
    for (std::size_t k = 1; k < rows.size(); ++k) REQUIRE(targets[k] == original[static_cast<std::size_t>(rows[k])]);
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      if (masked.count(static_cast<Dim>(t)) == 0) REQUIRE(tokens[t] == original[t]);
    }
  }
}

TEST_CASE("eight in ten are masked, one is unchanged, one is a random word; every row is drawn equally often") {
  const auto tokenizer = learn_for_bert(TokenizerType::kChar, "abcdefgh");
  const Masker masker(*tokenizer, {}, 128);
  const Ids original = sequence(*tokenizer, 40);
  const std::set<std::int32_t> special = [&] {
    const Ids ids = token_ids(*tokenizer, kBertTokens);
    return std::set<std::int32_t>(ids.begin(), ids.end());
  }();
  std::map<Dim, int> row_count;
  std::map<std::int32_t, int> random_count;
  int all = 0, masked = 0, left = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    Ids tokens = original, targets;
    std::vector<Dim> rows;
    masker.mask(tokens, {}, stream(i), rows, targets);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const std::int32_t seen = tokens[static_cast<std::size_t>(rows[k])];
      ++all;
      ++row_count[rows[k]];
      masked += seen == masker.mask_token() ? 1 : 0;
      left += seen == targets[k] ? 1 : 0;
      if (seen != masker.mask_token() && seen != targets[k]) {
        REQUIRE(special.count(seen) == 0);
        ++random_count[seen];
      }
    }
  }
  REQUIRE(all == 20'000 * 6);
  CHECK(std::abs(masked - 0.8 * all) < 5 * std::sqrt(0.16 * all));
  const double kept = 0.1 + 0.1 / 8;  // a random word may be the original one
  CHECK(std::abs(left - kept * all) < 5 * std::sqrt(0.1 * all));
  CHECK(row_count.size() == 40);
  for (const auto& [row, count] : row_count) CHECK(std::abs(count - all / 40) < 5 * std::sqrt(all / 40.0));
  CHECK(random_count.size() == 8);
  for (const auto& [token, count] : random_count) CHECK(std::abs(count - all / 80 * 7 / 8) < 6 * std::sqrt(all / 80.0));
}

TEST_CASE("masks depend only on the stream") {
  const auto tokenizer = learn_for_bert(TokenizerType::kChar, "abcdefgh");
  const Masker masker(*tokenizer, {}, 128), again(*tokenizer, {}, 128);
  const Ids original = sequence(*tokenizer, 100);
  CHECK(rows_of(masker, original, 1) == rows_of(again, original, 1));
  CHECK(rows_of(masker, original, 1) != rows_of(masker, original, 2));
}

TEST_CASE("whole words are masked whole or not at all") {
  const auto tokenizer = with_pieces();
  const Masker masker(*tokenizer, {.probability = 0.4, .whole_words = true}, 128);
  //                                     0        1      2      3    4      5        6      7    8     9    10
  const Ids ids = token_ids(*tokenizer, {"[CLS]", "a", "##b", "##c", "b", "[SEP]", "##a", "##b", "##", "c", "[SEP]"});
  // Words: 1-3, 4, 6-7 (special tokens end a word), 8 (two characters, not a continuation), 9. Of 11 tokens, 4 are
  // predicted.
  const std::vector<std::set<Dim>> words = {{1, 2, 3}, {4}, {6, 7}, {8}, {9}};
  std::set<std::vector<Dim>> seen;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::vector<Dim> rows = rows_of(masker, ids, i);
    REQUIRE(rows.size() <= 4);
    seen.insert(rows);
    for (const std::set<Dim>& word : words) {
      const auto hit = std::count_if(rows.begin(), rows.end(), [&](Dim row) { return word.count(row) == 1; });
      REQUIRE((hit == 0 || hit == static_cast<std::ptrdiff_t>(word.size())));
    }
  }
  CHECK(seen.count({1, 2, 3, 4}) == 1);
  CHECK(seen.count({6, 7, 8, 9}) == 1);
  CHECK(seen.count({1, 2, 3}) == 0);     // there was room for one more
  CHECK(seen.count({4, 6, 7, 9}) == 1);  // the long one was skipped
  CHECK(seen.count({4, 8, 9}) == 1);     // and here neither of the remaining two fits
  CHECK(seen.size() == 3 + 3 + 1);
}

TEST_CASE("a line starts a word, and if all words are too long the shortest is masked") {
  const auto tokenizer = with_pieces();
  const Masker masker(*tokenizer, {.whole_words = true}, 128);
  const Ids ids = token_ids(*tokenizer, {"[CLS]", "a", "##b", "##c", "##a", "##b", "[SEP]"});
  for (std::uint64_t i = 0; i < 50; ++i) {
    CHECK(rows_of(masker, ids, i) == std::vector<Dim>{1, 2, 3, 4, 5});  // one is needed
    CHECK(rows_of(masker, ids, i, {4}) == std::vector<Dim>{4, 5});
  }
  CHECK(rows_of(masker, token_ids(*tokenizer, {"[CLS]", "[SEP]", "[SEP]"}), 0).empty());
}

TEST_CASE("words are recognised by their start or end, as the vocabulary marks them") {
  const auto check = [](const Tokenizer& tokenizer, const std::string& text,
                        const std::vector<std::vector<Dim>>& words) {
    Ids ids = token_ids(tokenizer, {"[CLS]"});
    tokenizer.append_ids(text, SpecialTokens::kAsText, ids);
    ids.push_back(*tokenizer.token_id("[SEP]"));
    CAPTURE(text);
    REQUIRE(static_cast<Dim>(ids.size()) == words.back().back() + 2);
    const Masker masker(tokenizer, {.probability = 0.4, .whole_words = true}, 128);  // three of eight
    std::set<std::vector<Dim>> seen;
    for (std::uint64_t i = 0; i < 200; ++i) seen.insert(rows_of(masker, ids, i));
    CHECK(seen == std::set<std::vector<Dim>>{{words[0][0], words[0][1], words[2][0]}, words[1]});
  };
  const auto bytes = learn_for_bert(TokenizerType::kByteBpe, "x x x x x", 256 + 6);  // a single merge
  REQUIRE(bytes->token_id("\xC4\xA0x").has_value());
  check(*bytes, "ab xcd x", {{1, 2}, {3, 4, 5}, {6}});
  const auto ends = learn_for_bert(TokenizerType::kWordBpe, "ab ab cb cb", 12);  // no merges
  REQUIRE(ends->token_id("b</w>").has_value());
  check(*ends, "ab cab b", {{1, 2}, {3, 4, 5}, {6}});
}

TEST_CASE("tokenizers and options that do not support masking are named") {
  const auto message = [](const Tokenizer& tokenizer, MaskingOptions options) {
    try {
      const Masker masker(tokenizer, options, 128);
    } catch (const Error& error) {
      return std::to_string(error.code()) + " " + error.what();
    }
    return std::string("no error");
  };
  const auto letters = learn_for_bert(TokenizerType::kChar, "abc");
  CHECK(message(*letters, {}) == "no error");
  CHECK(message(*learn({.type = TokenizerType::kChar, .special = {"<s>", "</s>", "<mask>"}}, "abc"), {}) == "no error");
  CHECK(message(*learn({.type = TokenizerType::kChar, .special = {"[CLS]", "[SEP]"}}, "abc"), {}) ==
        "65 masking: the tokenizer must have a token [MASK] or <mask>, got neither; masked language models need a BERT "
        "or RoBERTa tokenizer");
  CHECK(message(*letters, {.probability = 0}) == "64 masking: the probability must be above 0 and at most 1, got 0");
  CHECK(message(*letters, {.most = -1}) ==
        "64 masking: the maximum number of predictions must be at least 1, or 0 for that share of the context, got -1");
  CHECK(message(*letters, {.whole_words = true}) ==
        "64 masking: whole words need a vocabulary that marks them (##, \xC4\xA0, \xE2\x96\x81 or </w>), got one of "
        "characters; leave --whole-word out");
}
