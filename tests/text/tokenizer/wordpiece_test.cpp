#include "text/tokenizer/wordpiece_model.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "io/shared_data.h"
#include "io/temporary_folder.h"
#include "tensor/error.h"
#include "text/text_fixture.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer/post_processor.h"
#include "text/tokenizer_fixture.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;

// 0 to 4 are the special tokens, then one token per word.
static const std::vector<std::string> kTokens = {"[PAD]",  "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff",
                                                 "##able", "##a",   "a",     "##b",   "ab",     "!",  "é",
                                                 "##é",    "中",    ",",     "the",   "##e",    "#",  "##x"};

static std::string vocabulary_text(const std::vector<std::string>& tokens = kTokens) {
  std::string text;
  for (const std::string& token : tokens) text += token + '\n';
  return text;
}

static std::unique_ptr<Tokenizer> small_wordpiece(const std::vector<std::string>& tokens = kTokens) {
  const TemporaryFolder folder;
  write_plainly(folder / "vocab.txt", vocabulary_text(tokens));
  return load_tokenizer(folder / "vocab.txt");
}

static Json small_json() { return Json::parse(small_wordpiece()->to_json()); }

static std::string error_of_text(const std::string& text) {
  const TemporaryFolder folder;
  write_plainly(folder / "v.txt", text);
  std::string message = message_of<DataError>([&] { load_tokenizer(folder / "v.txt"); });
  if (const auto at = message.find(folder.path()); at != std::string::npos) message.erase(at, folder.path().size() + 1);
  return message;
}

static std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST_CASE("words are split into the longest tokens that match, or become one unknown token") {
  const auto tokenizer = small_wordpiece();
  CHECK(tokenizer->kind() == "WordPiece");
  CHECK(tokenizer->encode("unaffable") == Ids{5, 6, 7});
  CHECK(tokenizer->encode("unaa, ab!") == Ids{5, 8, 8, 16, 11, 12});
  CHECK(tokenizer->encode("abab") == Ids{11, 8, 10});
  CHECK(tokenizer->encode("unaffablez") == Ids{1});  // a word that cannot be split completely gives nothing else
  CHECK(tokenizer->encode("able") == Ids{1});        // only inside words
  CHECK(tokenizer->encode("中a中") == Ids{15, 9, 15});
  CHECK(tokenizer->encode("##x") == Ids{19, 19, 1});
  CHECK(tokenizer->encode("") == Ids{});
}

TEST_CASE("a word of more characters than the limit is unknown: characters, not bytes") {
  Json json = small_json();
  json["normalizer"] = nullptr;
  const auto tokenizer = tokenizer_from_json(json.dump(), "t.json");
  Ids expected(100, 14);
  expected[0] = 13;
  CHECK(tokenizer->encode(repeated("é", 100)) == expected);
  CHECK(tokenizer->encode(repeated("é", 101)) == Ids{1});
  json["model"]["max_input_chars_per_word"] = 2;
  const auto strict = tokenizer_from_json(json.dump(), "t.json");
  CHECK(strict->encode("ab abb é") == Ids{11, 1, 13});
}

TEST_CASE("surrounding tokens, special tokens and their roles are BERT's") {
  const auto tokenizer = small_wordpiece();
  const TokenSequence pair = tokenizer->frame(tokenizer->encode("ab"), tokenizer->encode("a!"));
  CHECK(pair.ids == Ids{2, 11, 3, 9, 12, 3});
  CHECK(pair.segments == Ids{0, 0, 0, 1, 1, 1});
  CHECK(tokenizer->frame(tokenizer->encode("a [MASK]!")).ids == Ids{2, 9, 4, 12, 3});
  CHECK(tokenizer->encode("[MASK]", SpecialTokens::kAsText) == Ids{1, 1, 1});
  CHECK(tokenizer->pad_token() == 0);
  CHECK(tokenizer->unknown_token() == 1);
  CHECK(tokenizer->class_token() == 2);
  CHECK(tokenizer->separator_token() == 3);
  CHECK(tokenizer->mask_token() == 4);
  CHECK_FALSE(tokenizer->end_of_text().has_value());
  CHECK(tokenizer->is_special(4));
  CHECK_FALSE(tokenizer->is_special(5));
}

TEST_CASE("tokens are joined to words, and spaces are removed if the decoder cleans up") {
  const auto tokenizer = small_wordpiece();
  CHECK(tokenizer->decode(tokenizer->encode("the unaffable, ab!")) == "the unaffable, ab!");
  CHECK(tokenizer->decode(Ids{2, 9, 4, 12, 3}) == "[CLS] a [MASK]! [SEP]");
  CHECK(tokenizer->decode(Ids{2, 9, 4, 12, 3}, true) == "a!");
  CHECK(tokenizer->decode(Ids{7, 8}) == "##ablea");  // as in Hugging Face's: a text's first token is unchanged
  Json json = small_json();
  json["decoder"]["cleanup"] = false;
  CHECK(tokenizer_from_json(json.dump(), "t.json")->decode(Ids{9, 16, 9, 12}) == "a , a !");
}

TEST_CASE("tokenizer.json is written and read again, also without the model's type") {
  const auto tokenizer = small_wordpiece();
  const std::string json = tokenizer->to_json();
  const auto again = tokenizer_from_json(json, "again");
  CHECK(again->to_json() == json);
  CHECK(again->encode("unaffable") == Ids{5, 6, 7});
  CHECK(json.find(R"("continuing_subword_prefix":"##","max_input_chars_per_word":100)") != std::string::npos);
  Json untyped = small_json();
  untyped["model"].erase("type");
  CHECK(tokenizer_from_json(untyped.dump(), "t.json")->to_json() == json);
  Json prefixed = small_json();
  prefixed["model"]["continuing_subword_prefix"] = "";
  CHECK(tokenizer_from_json(prefixed.dump(), "t.json")->encode("abab") == Ids{11, 11});
}

TEST_CASE("vocab.txt is written and read again; a byte that no token may contain is named") {
  const auto tokenizer = small_wordpiece();
  CHECK(tokenizer->to_vocabulary_text() == vocabulary_text());
  std::vector<std::string> tokens = kTokens;
  tokens.emplace_back("two\nlines");
  Json json = small_json();
  json["model"]["vocab"]["two\nlines"] = kTokens.size();
  CHECK(message_of<DataError>([&] { tokenizer_from_json(json.dump(), "t.json")->to_vocabulary_text(); }) ==
        "tokenizer: a token in vocab.txt must not contain a line end, got \"two\\nlines\"");
}

TEST_CASE("whether vocab.txt lowers the case follows from its configuration, else from its capitals") {
  std::vector<std::string> cased = kTokens;
  cased[17] = "The";
  CHECK(small_wordpiece()->encode("AB É") == Ids{11, 1});
  CHECK(small_wordpiece(cased)->encode("AB ab The é") == Ids{1, 11, 17, 13});

  const TemporaryFolder folder;
  write_plainly(folder / "vocab.txt.gz", gzipped(vocabulary_text(cased)));
  write_plainly(folder / "tokenizer_config.json", R"({"do_lower_case": true, "strip_accents": false,
    "tokenize_chinese_chars": false, "tokenizer_class": "BertTokenizer"})");
  const auto configured = load_tokenizer(folder.path());
  CHECK(configured->encode("AB É 中a") == Ids{11, 13, 15, 8});
  const Json config = Json::parse(configured->to_config_json(128));
  CHECK(config == Json::parse(R"({"tokenizer_class": "BertTokenizer", "model_max_length": 128,
    "clean_up_tokenization_spaces": false, "do_lower_case": true, "strip_accents": false,
    "tokenize_chinese_chars": false, "unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]",
    "sep_token": "[SEP]", "mask_token": "[MASK]"})"));
  CHECK(load_tokenizer(folder / "vocab.txt.gz")->to_json() == configured->to_json());
  write_plainly(folder / "tokenizer_config.json", R"({"do_lower_case": "yes"})");
  CHECK(message_of<DataError>([&] { load_tokenizer(folder.path()); }).find("\"do_lower_case\" must be") !=
        std::string::npos);
}

TEST_CASE("a text that is not a vocabulary is rejected with the reason") {
  CHECK(error_of_text("one\ntwo\n") ==
        "tokenizer: v.txt must have [UNK] as one of its lines, got none; a vocab.txt holds one token per line");
  CHECK(error_of_text("[UNK]\na\n[CLS]\na") ==
        "tokenizer: v.txt: line 4 must be a new token, got \"a\", which is on line 2 too");
  CHECK(error_of_text("[UNK]\n\xC3(\n") ==
        "v.txt: must be text in UTF-8, got 0xC3 0x28 at byte 6; convert Latin-1 text with: iconv -f LATIN1 -t UTF-8");
  CHECK(error_of_text("[UNK]\n" + std::string(5000, 'x')).find("at most 4096 bytes, got 5000") != std::string::npos);
  // Neither surrounding tokens without [CLS] and [SEP], nor a line end at the end, is needed; carriage returns are
  // removed.
  CHECK(small_wordpiece({"[UNK]\r", "b\r"})->encode("b c") == Ids{1, 0});
  const auto frameless = small_wordpiece({"[UNK]", "b"});
  CHECK(frameless->frame(Ids{1}).ids == Ids{1});
}

TEST_CASE("a damaged tokenizer.json is rejected with the reason") {
  const auto with = [](const std::string& pointer, const Json& value) {
    Json json = small_json();
    json[Json::json_pointer(pointer)] = value;
    return tokenizer_error(json);
  };
  CHECK(with("/model/unk_token", "<unk>") == "tokenizer: t.json: unk_token must be in the vocabulary, got \"<unk>\"");
  CHECK(with("/model/max_input_chars_per_word", 0) ==
        "t.json: \"model.max_input_chars_per_word\" must be a positive integer, got 0");
  CHECK(with("/model/continuing_subword_prefix", 3).find("\"model.continuing_subword_prefix\" must be a string") !=
        std::string::npos);
  CHECK(with("/decoder/prefix", 3).find("\"decoder.prefix\" must be a string") != std::string::npos);
  CHECK(with("/model/vocab", nullptr) == "t.json: \"model.vocab\" must be an object, got null");
  CHECK(message_of<std::invalid_argument>([] { small_wordpiece()->to_vocabulary_and_merges(); }) ==
        "tokenizer: only a BPE has vocab.json and merges.txt, got WordPiece");
}

TEST_CASE("any single damage to a WordPiece file is an error or still a tokenizer") {
  const std::string good = small_wordpiece({"[UNK]", "[CLS]", "[SEP]", "a", "##b"})->to_json();
  const std::string bytes("\0\xFF\"}]0 ", 7);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char byte : bytes) {
      std::string bad = good;
      bad[at] = byte;
      try {
        const auto tokenizer = tokenizer_from_json(bad, "bad.json");
        tokenizer->decode(tokenizer->frame(tokenizer->encode("ab \xFF abb")).ids);
      } catch (const DataError&) {
      }
    }
  }
}

TEST_CASE("a megabyte of anything is encoded in linear time") {
  const auto tokenizer = small_wordpiece();
  const std::size_t n = std::size_t{1} << 20;
  CHECK(tokenizer->encode(std::string(n, 'a')) == Ids{1});
  CHECK(tokenizer->encode(repeated("a ", n / 2)).size() == n / 2);
  CHECK(tokenizer->encode(repeated("ab" + std::string(97, 'a') + "? ", n / 100)).size() == n / 100 * 99);
  CHECK(tokenizer->encode(repeated("中", n / 3)) == Ids(n / 3, 15));
  CHECK(tokenizer->encode(repeated("\xCC\x81", n / 2)).empty());
  CHECK(tokenizer->encode(std::string(n, '!')) == Ids(n, 12));
  CHECK(tokenizer->encode(std::string(n, '\xFF')).empty());

  // The longest tokens that a file may have, on a text of nothing else: each byte is read at most twice.
  std::vector<std::string> tokens = {"[UNK]", "a", "##a", std::string(4096, 'a'), "##" + std::string(4094, 'a')};
  Json json = Json::parse(small_wordpiece(tokens)->to_json());
  json["model"]["max_input_chars_per_word"] = n + 1;
  const Ids ids = tokenizer_from_json(json.dump(), "t.json")->encode(std::string(n, 'a'));
  CHECK(ids.size() == 1 + (n - 4096) / 4094 + (n - 4096) % 4094);
}
