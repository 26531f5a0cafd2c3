#include "text/tokenizer/training/tokenizer_trainer.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "io/file.h"
#include "io/json.h"
#include "io/shared_data.h"
#include "io/temporary_folder.h"
#include "support/thread_counts.h"
#include "tensor/error.h"
#include "text/tokenizer/training/word_counts.h"
#include "text/tokenizer_fixture.h"

using namespace rapt;

TEST_CASE("Stanford CS336's reference merges and vocabulary are learnt from its corpus") {
  const std::string folder = shared_data("data/fixtures/tokenizers/bpe-train");
  if (folder.empty()) return;
  const auto tokenizer = learn({.vocabulary = 500, .special = {"<|endoftext|>"}}, read_file(folder + "/corpus.en"));
  const auto [vocabulary, merges] = tokenizer->to_vocabulary_and_merges();
  CHECK(merges == "#version: 0.2\n" + read_file(folder + "/train-bpe-reference-merges.txt"));
  CHECK(parse_json(vocabulary, "ours") == read_json_file(folder + "/train-bpe-reference-vocab.json"));
}

TEST_CASE("the same file is learnt on one thread and on several, from one piece or many") {
  std::string text;
  unsigned state = 1;
  while (text.size() < 3'000'000) {  // words of a small language, so that counts differ and tie
    state = state * 1664525u + 1013904223u;
    const unsigned word = (state >> 8) % ((state >> 28) * 100 + 50);
    for (unsigned rest = word + 7; rest != 0; rest /= 7) text.push_back(static_cast<char>('a' + rest % 7 + rest % 3));
    text += (state >> 20) % 11 == 0 ? ".\n" : (state >> 20) % 200 == 1 ? "<|endoftext|>" : " ";
  }
  for (const auto type :
       {TokenizerType::kByteBpe, TokenizerType::kWordBpe, TokenizerType::kWordPiece, TokenizerType::kChar,
        TokenizerType::kMetaspaceBpe, TokenizerType::kUnigram, TokenizerType::kWord}) {
    CAPTURE(name_of(type));
    const TokenizerTrainerOptions options{.type = type, .vocabulary = 1500, .special = default_special_tokens(type)};
    const std::string expected = testing::on_threads(1, [&] { return learn(options, text)->to_json(); });
    for (const int threads : {2, 3}) {
      CHECK(testing::on_threads(threads, [&] { return learn(options, text)->to_json(); }) == expected);
    }
    TokenizerTrainer pieces(options);
    for (std::size_t begin = 0; begin < text.size();) {
      std::size_t end = text.find('\n', std::min(text.size(), begin + 100'000));
      if (end == std::string::npos) end = text.size();
      pieces.add_text(std::string_view(text).substr(begin, end - begin));
      begin = end;
    }
    CHECK(pieces.train()->to_json() == expected);
    CHECK(pieces.bytes_seen() == static_cast<std::int64_t>(text.size()));
  }
}

TEST_CASE("special tokens come first for BPE and last for characters, and are excluded from training") {
  const auto bpe = learn({.vocabulary = 300, .special = {"<|endoftext|>", "<pad>"}}, "<pad><pad><pad><pad> aa aa");
  CHECK(bpe->token_text(0) == "<|endoftext|>");
  CHECK(bpe->token_text(1) == "<pad>");
  CHECK(bpe->token_text(2) == "!");
  CHECK(bpe->vocabulary_size() == 260);  // of two merges, a + a and Ġ + aa
  const auto characters = learn({.type = TokenizerType::kChar, .special = {"<pad>"}}, "<pad>ba");
  CHECK(characters->vocabulary_size() == 3);
  CHECK(characters->token_text(2) == "<pad>");
}

TEST_CASE("a merge that would spell a special token is not learnt") {
  const auto tokenizer = learn({.vocabulary = 300, .special = {"ab"}}, "xab xab xab xab");
  CHECK(tokenizer->token_id("ab").value() == 0);
  CHECK_FALSE(tokenizer->token_id("xab").has_value());
}

TEST_CASE("every known character can stand inside a word and at its end; rare ones are <unk>") {
  const auto tokenizer =
      learn({.type = TokenizerType::kWordBpe, .vocabulary = 30, .max_characters = 2}, "aab aab xaa bz");
  for (const char* text : {"a", "b", "x", "a</w>", "b</w>", "x</w>"}) {
    CAPTURE(text);
    CHECK((tokenizer->token_id(text).has_value()) == (std::string(text)[0] != 'x'));
  }
  CHECK(tokenizer->encode("zb") ==
        std::vector<std::int32_t>{tokenizer->token_id("z").value_or(0), tokenizer->token_id("b</w>").value()});
  CHECK(tokenizer->token_text(0) == "<unk>");
}

TEST_CASE("case is kept unless lower case is requested") {
  CHECK(learn({.type = TokenizerType::kWordBpe, .vocabulary = 99}, "Abc Abc")->token_id("Abc</w>").has_value());
  const auto lower = learn({.type = TokenizerType::kWordBpe, .vocabulary = 99, .lowercase = true}, "Äbc Abc");
  CHECK(lower->token_id("abc</w>").has_value());
  CHECK(learn({.type = TokenizerType::kWordPiece, .vocabulary = 99}, "Abc Abc")->token_id("Abc").has_value());
  const auto pieces = learn({.type = TokenizerType::kWordPiece, .vocabulary = 99, .lowercase = true}, "Äbc Abc");
  CHECK(pieces->encode("ÄBC ABc") == std::vector<std::int32_t>(2, pieces->token_id("abc").value()));
  CHECK(lower->encode("ÄBC") == lower->encode("abc"));
}

// Counts of words: hug 10, pug 5, pun 12, bun 4, hugs 5. Pairs: u + g 20 (hug, pug, hugs), u + n 16, h + u 15, p + u
// 17. So ##u + ##g is first, then (u + g in ug: h + ug 15, p + ug 5, ug + s 5) ##u + ##n with 16, h + ##ug with 15, and
// so on.
TEST_CASE("WordPiece training agrees with a result worked out by hand") {
  std::string text;
  for (const auto& [word, count] : {std::pair{"hug", 10}, {"pug", 5}, {"pun", 12}, {"bun", 4}, {"hugs", 5}}) {
    for (int i = 0; i < count; ++i) text += std::string(word) + (i % 3 == 0 ? ". " : "\n");
  }
  const auto tokenizer = learn({.type = TokenizerType::kWordPiece, .vocabulary = 24}, text);
  std::string tokens;
  for (std::int32_t id = 0; id < tokenizer->vocabulary_size(); ++id) tokens += tokenizer->token_text(id) + ' ';
  CHECK(tokens == "[PAD] [UNK] [CLS] [SEP] [MASK] . b g h n p s u ##b ##g ##h ##n ##p ##s ##u ##ug ##un hug pun ");
  CHECK(tokenizer->kind() == "WordPiece");
  const Json json = Json::parse(tokenizer->to_json());
  CHECK(json.at("normalizer") ==
        Json::parse(R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                        "strip_accents": null, "lowercase": false})"));
  CHECK(json.at("pre_tokenizer").at("type") == "BertPreTokenizer");
  CHECK(json.at("decoder") == Json::parse(R"({"type": "WordPiece", "prefix": "##", "cleanup": true})"));
  CHECK(json.at("post_processor").at("single").size() == 3);
  CHECK(json.at("post_processor").at("pair").size() == 5);
}

TEST_CASE("WordPiece training skips words that it could not encode: with rare characters, or too long") {
  const std::string longest(100, 'a'), too_long(101, 'b');
  std::string text = longest + ' ' + longest;
  for (int i = 0; i < 9; ++i) text += ' ' + too_long + " xy zz aa";
  for (int i = 0; i < 4; ++i) text += " zaw";
  const auto tokenizer = learn(
      {.type = TokenizerType::kWordPiece, .vocabulary = 120, .special = {"[PAD]", "<e>"}, .max_characters = 3}, text);
  // The most frequent characters of the counted words: a, x, z before y by name; b is only in the long word.
  CHECK_FALSE(tokenizer->token_id("b").has_value());
  CHECK_FALSE(tokenizer->token_id("##y").has_value());
  CHECK(tokenizer->token_id("zz").has_value());
  CHECK_FALSE(tokenizer->token_id("za").has_value());  // the text before a rare character does not count
  CHECK(tokenizer->token_id("[UNK]") == 1);
  CHECK(tokenizer->token_id("<e>") == 5);
  CHECK(tokenizer->encode("xy") == std::vector<std::int32_t>{1});
  CHECK(tokenizer->encode("zz<e>") == std::vector<std::int32_t>{tokenizer->token_id("zz").value(), 5});
}

TEST_CASE("words are dropped, rarest first, when memory runs out, and the trainer reports it") {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += (i % 2 == 0 ? " often#" : " seldom often#") + std::to_string(i);
  TokenizerTrainer trainer({.vocabulary = 270, .memory = 200'000});
  trainer.add_text(text);
  CHECK(trainer.dropped_below() == 2);
  CHECK(trainer.different_words() == 3);
  CHECK(trainer.words_seen() == 70000);
  CHECK(trainer.train()->token_id("Ġoften").has_value());
}

TEST_CASE("impossible training requests are rejected") {
  CHECK(message_of<UsageError>([] { TokenizerTrainer({.vocabulary = 256, .special = {"<|endoftext|>"}}); }) ==
        "tokenizer: vocabulary must be from 257 (1 special tokens and 256 bytes) to 1048576, got 256");
  CHECK(
      message_of<UsageError>([] { learn({.type = TokenizerType::kWordBpe, .vocabulary = 4}, "abc"); }) ==
      "tokenizer: vocabulary must be from 7 (1 special tokens and 6 forms of the text's characters) to 1048576, got 4");
  CHECK(message_of<DataError>([] { learn({}, ""); }) ==
        "tokenizer: the training text must have at least one word, got none");
  CHECK(message_of<DataError>([] { learn({.type = TokenizerType::kChar}, ""); }) ==
        "tokenizer: the training text must have at least one character, got none");
  CHECK(
      message_of<DataError>([] { learn({.type = TokenizerType::kChar}, "ab\xC3("); }) ==
      "the text: must be text in UTF-8, got 0xC3 0x28 at byte 2; convert Latin-1 text with: iconv -f LATIN1 -t UTF-8");
  CHECK(message_of<UsageError>([] {
          TokenizerTrainer({.special = {"<s>", "<s>"}});
        }) == "tokenizer: special tokens must be distinct and not empty");
  CHECK(message_of<UsageError>([] { tokenizer_type_named("words"); }) ==
        "tokenizer: type must be one of byte-bpe, bpe, wordpiece, char, byte, metaspace-bpe, unigram, word, got "
        "\"words\"; did you mean word?");
  CHECK(tokenizer_type_named("byte-bpe") == TokenizerType::kByteBpe);
}

TEST_CASE("word counts add up, and rare words can be dropped") {
  WordCounts counts, more;
  for (int i = 0; i < 5000; ++i) counts.add("word" + std::to_string(i % 1250));
  more.add("word7", std::int64_t{1} << 40);
  more.add("");
  counts.add(more);
  CHECK(counts.size() == 1251);
  CHECK(counts.total() == 5001 + (std::int64_t{1} << 40));
  counts.drop_rarer_than(5);
  REQUIRE(counts.size() == 1);
  CHECK(counts.sorted()[0].text == "word7");
  CHECK(counts.sorted()[0].count == 4 + (std::int64_t{1} << 40));
}
