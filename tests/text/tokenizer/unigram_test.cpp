#include "text/tokenizer/unigram_model.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "io/json.h"
#include "io/temporary_folder.h"
#include "support/thread_counts.h"
#include "tensor/error.h"
#include "text/text_fixture.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer_fixture.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;

static Json small_unigram() {
  return Json::parse(R"({"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null,
    "post_processor": null, "decoder": null, "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": false, "vocab":
    [["<unk>", 0.0], ["a", -3.0], ["b", -4.0], ["ab", -6.5], ["abc", -9.0], ["bc", -4.5], ["é", -5.0], ["aa", -6.0]]}})");
}
static Json unigram_with(const std::string& pointer, const Json& value) {
  Json json = small_unigram();
  json[Json::json_pointer(pointer)] = value;
  return json;
}

TEST_CASE("the path with the greatest sum is taken; of equal ones the one found first") {
  const auto tokenizer = tokenizer_of(small_unigram());
  CHECK(tokenizer->kind() == "Unigram");
  CHECK(tokenizer->encode("ab") == Ids{3});      // -6.5 against -7
  CHECK(tokenizer->encode("abc") == Ids{1, 5});  // -7.5 against -9
  CHECK(tokenizer->encode("aa") == Ids{7});      // -6 either way: the one whose last token starts first
  CHECK(tokenizer->encode("aaa") == Ids{1, 7});  // for the same reason
  CHECK(tokenizer->encode("éb") == Ids{6, 2});
  CHECK(tokenizer->encode("") == Ids{});
}

TEST_CASE("runs of unknown characters are one token, or byte tokens if they exist") {
  CHECK(tokenizer_of(small_unigram())->encode("axyzb") == Ids{1, 0, 2});
  CHECK(tokenizer_of(small_unigram())->encode("東東a\xFF") == Ids{0, 1, 0});
  Json json = unigram_with("/model/byte_fallback", true);
  CHECK(tokenizer_of(json)->encode("ax") == Ids{1, 0});
  json["model"]["vocab"].push_back(Json::array({"<0x78>", -20.0}));
  CHECK(tokenizer_of(json)->encode("axxb") == Ids{1, 8, 8, 2});
  CHECK(tokenizer_of(json)->encode("axyb") == Ids{1, 0, 2});  // not all of its bytes exist
  json["model"]["unk_id"] = nullptr;
  CHECK(message_of<DataError>([&] { tokenizer_of(json)->encode("ab?"); }).find("got \"?\" (U+003F) at byte 2") !=
        std::string::npos);
}

// Read as the nearest numbers, T5's scores split this word into ▁ - --- ---. Ids recorded with Hugging Face's
// tokenizers.
TEST_CASE("scores are the numbers that Hugging Face's tokenizers read, which are not always the nearest") {
  Json json = small_unigram();
  json["model"]["vocab"] = Json::parse(
      R"([["<unk>", 0.0], ["▁", -2.0122928619384766], ["-", -5.129043102264404], ["---", -12.130167007446289]])");
  CHECK(tokenizer_of(json)->encode("▁-------") == Ids{1, 3, 3, 2});
  CHECK(Json::parse(tokenizer_of(json)->to_json()).at("model").at("vocab") == json["model"]["vocab"]);
}

TEST_CASE("the tokens of a long text do not depend on its division into blocks") {
  // Against the definition: one table over the whole text, tokens in order of length.
  struct Token {
    std::string text;
    double score;
    std::int32_t id;
  };
  const std::vector<Token> tokens = {{"a", -3, 1},    {"b", -4, 2},  {"ab", -6.5, 3},
                                     {"bc", -4.5, 5}, {"aa", -6, 7}, {"abc", -9, 4}};
  struct Way {
    double sum = 0;
    std::size_t from = 0;
    std::int32_t id = -1;
  };
  const auto by_definition = [&](const std::string& text) {
    std::vector<Way> ways(text.size() + 1);
    for (std::size_t at = 0; at < text.size(); ++at) {
      const auto offer = [&](std::size_t length, double score, std::int32_t id) {
        Way& way = ways[at + length];
        if (way.id < 0 || ways[at].sum + score > way.sum) way = {ways[at].sum + score, at, id};
      };
      bool has_character = false;
      for (const Token& token : tokens) {
        if (text.compare(at, token.text.size(), token.text) != 0) continue;
        has_character = has_character || token.text.size() == 1;
        offer(token.text.size(), token.score, token.id);
      }
      if (!has_character) offer(1, -9 - 10, 0);
    }
    Ids ids;
    for (std::size_t at = text.size(); at > 0; at = ways[at].from) {
      if (ways[at].id != 0 || ids.empty() || ids.back() != 0) ids.push_back(ways[at].id);
    }
    return Ids(ids.rbegin(), ids.rend());
  };
  std::mt19937 random(6);
  const auto tokenizer = tokenizer_of(small_unigram());
  for (const char* alphabet : {"ab", "abc", "aabbc?", "??a"}) {
    std::string text;
    while (text.size() < 30'000) text.push_back(alphabet[random() % std::string(alphabet).size()]);
    CHECK(tokenizer->encode(text) == by_definition(text));
    CHECK(tokenizer->encode(text.substr(0, 50)) == by_definition(text.substr(0, 50)));
  }
}

TEST_CASE("SentencePiece's pieces are found by their roles, which the file keeps") {
  Json json = small_unigram();
  json["model"]["vocab"] = Json::parse(
      R"([["<unk>", 0.0], ["</s>", 0.0], ["a", -1.0], ["abc", 0.0], ["b", -2.0], ["c", -2.0], ["bc", -2.5], ["<", -3.0],
          ["/", -3.0], ["s", -3.0], [">", -3.0]])");
  CHECK(tokenizer_of(json)->encode("</s>") == Ids{1});
  json["model"]["sentencepiece"] = Json::parse(R"({"control": [1], "user_defined": [3], "unused": [6], "bytes": []})");
  const auto tokenizer = tokenizer_of(json);
  CHECK(tokenizer->encode("</s>") == Ids{7, 8, 9, 10});
  CHECK(tokenizer->encode("abc") == Ids{3});
  CHECK(tokenizer->encode("bc") == Ids{4, 5});
  CHECK(tokenizer_from_json(tokenizer->to_json(), "again")->to_json() == tokenizer->to_json());
  CHECK(tokenizer->to_json().find(R"("sentencepiece":{"control":[1],"user_defined":[3],"unused":[6],"bytes":[]})") !=
        std::string::npos);
}

TEST_CASE("Unigram files are read without their type, too, and written as they were") {
  Json json = small_unigram();
  json["model"].erase("type");
  CHECK(tokenizer_of(json)->to_json() == tokenizer_of(small_unigram())->to_json());
  const std::string written = tokenizer_of(small_unigram())->to_json();
  CHECK(tokenizer_from_json(written, "again")->to_json() == written);
  CHECK(Json::parse(written).at("model") == small_unigram().at("model"));
}

TEST_CASE("a damaged Unigram file is rejected with the reason") {
  CHECK(tokenizer_error(unigram_with("/model/vocab/1", "a")) ==
        "tokenizer: t.json: token 1 must be a pair of a text and a score, got \"a\"");
  CHECK(tokenizer_error(unigram_with("/model/vocab/1/1", "x")).find("must be a pair") != std::string::npos);
  CHECK(tokenizer_error(unigram_with("/model/vocab/1/0", "b")) ==
        "tokenizer: t.json: token \"b\" must have one id, got 1 and 2");
  CHECK(tokenizer_error(unigram_with("/model/unk_id", 8)) ==
        "tokenizer: t.json: unk_id must be the id of one of the 8 tokens, got 8");
  CHECK(tokenizer_error(unigram_with("/model/unk_id", -1)).find("\"model.unk_id\" must be") != std::string::npos);
  CHECK(tokenizer_error(unigram_with("/model/vocab", Json::object())).find("\"model.vocab\" must be an array") !=
        std::string::npos);
  CHECK(tokenizer_error(unigram_with("/model/sentencepiece", {{"control", {9}}})) ==
        "tokenizer: t.json: sentencepiece.control must be the id of one of the 8 tokens, got 9");
  CHECK(tokenizer_error(unigram_with("/model/sentencepiece", {{"control", {"a"}}})).find("must be a list of ids") !=
        std::string::npos);
  CHECK(message_of<DataError>([] {
          make_unigram_model({{"a", std::numeric_limits<double>::quiet_NaN()}}, {}, "t.json");
        }) == "tokenizer: t.json: the score of token \"a\" must be finite, got nan");
}

TEST_CASE("any single damage to a Unigram file is an error or still a tokenizer") {
  Json json = unigram_with("/normalizer",
                           Json::parse(R"({"type": "Sequence", "normalizers": [{"type": "Nmt"}, {"type": "Replace",
    "pattern": {"Regex": " {2,}"}, "content": " "}, {"type": "Strip", "strip_left": true, "strip_right": true}]})"));
  json["pre_tokenizer"] = Json::parse(R"({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"},
    {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "split": true}]})");
  json["decoder"] = Json::parse(R"({"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "_"},
    "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})");
  const std::string good = json.dump();
  const std::string bytes("\0\xFF\"}]0 ", 7);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char byte : bytes) {
      std::string bad = good;
      bad[at] = byte;
      try {
        const auto tokenizer = tokenizer_from_json(bad, "bad.json");
        tokenizer->decode(tokenizer->encode("ab \xFF  abb_a"));
      } catch (const DataError&) {
      }
    }
  }
}

TEST_CASE("spaces become marks in front of words, and spaces again") {
  Json json = small_unigram();
  json["model"]["vocab"] = Json::parse(
      R"([["<unk>", 0.0], ["▁", -2.0], ["▁a", -3.0], ["b", -4.0], ["▁b", -5.0], ["a", -9.0], ["▁a▁b", -1.0]])");
  const auto metaspace = [&](const char* scheme, bool split) {
    const Json part = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", scheme}, {"split", split}};
    json["pre_tokenizer"] = part;
    json["decoder"] = part;
    return tokenizer_of(json);
  };
  const auto always = metaspace("always", true);
  CHECK(always->encode("a b") == Ids{2, 4});
  CHECK(always->encode(" a") == Ids{2});
  CHECK(always->encode("a  b ") == Ids{2, 1, 4, 1});
  CHECK(always->encode("a▁b") == Ids{2, 4});
  CHECK(always->decode(Ids{2, 4, 3}) == "a bb");
  CHECK(always->decode(Ids{1, 1, 4}) == "  b");
  CHECK(metaspace("never", true)->encode("a b") == Ids{5, 4});
  CHECK(metaspace("never", true)->decode(Ids{2, 4}) == " a b");
  CHECK(metaspace("always", false)->encode("a b") == Ids{6});
  json["added_tokens"] = Json::array({{{"id", 7}, {"content", "<s>"}, {"special", true}, {"normalized", false}}});
  CHECK(metaspace("first", true)->encode("a<s>a") == Ids{2, 7, 5});
  CHECK(metaspace("always", true)->encode("a<s>a") == Ids{2, 7, 2});
  json["added_tokens"][0]["normalized"] = true;
  CHECK(metaspace("first", true)->encode("a<s>a") == Ids{2, 7, 5});
  json["added_tokens"] = Json::array();
  json["pre_tokenizer"] = Json::parse(R"({"type": "Sequence", "pretokenizers": [{"type": "Whitespace"},
    {"type": "Metaspace", "replacement": "▁", "add_prefix_space": true}]})");
  const auto words = tokenizer_of(json);
  CHECK(words->encode("a,\tb") == Ids{2, 1, 0, 4});
  CHECK(Json::parse(words->to_json()).at("pre_tokenizer").at("pretokenizers").at(1).at("prepend_scheme") == "always");

  Ids ids;
  std::vector<TokenSpan> spans;
  words->encode_with_spans(" a bb", ids, spans);
  CHECK(ids == Ids{2, 4, 3});
  CHECK(spans == std::vector<TokenSpan>{{1, 2}, {3, 4}, {4, 5}});
  metaspace("always", false)->encode_with_spans("a b", ids, spans);
  CHECK(spans == std::vector<TokenSpan>{{0, 3}});
}

TEST_CASE("decoders work in sequence") {
  Json json = small_unigram();
  json["model"]["vocab"] =
      Json::parse(R"([["<unk>", 0.0], ["_a", -2.0], ["<0xC3>", -9.0], ["<0xA9>", -9.0], ["_", -1.0]])");
  json["decoder"] = Json::parse(R"({"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "_"},
    "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1}]})");
  const auto tokenizer = tokenizer_of(json);
  CHECK(tokenizer->decode(Ids{1, 1, 2, 3, 4}) == "a aé");
  CHECK(tokenizer->decode(Ids{4, 4, 1}) == "  a");
  json["decoder"]["decoders"][2] = {{"type", "Strip"}, {"content", "a"}, {"start", 0}, {"stop", 1}};
  json["decoder"]["decoders"].erase(3);
  CHECK(tokenizer_of(json)->decode(Ids{1, 1}) == "  ");
  const auto refused = [&](const Json& step) {
    json["decoder"] = {{"type", "Sequence"}, {"decoders", Json::array({{{"type", "Fuse"}}, step})}};
    return tokenizer_error(json);
  };
  CHECK(refused({{"type", "Replace"}, {"pattern", {{"String", "ab"}}}, {"content", ""}})
            .find("must be one character in a step behind Fuse") != std::string::npos);
  CHECK(refused({{"type", "Strip"}, {"content", ""}}).find("\"decoder.content\" must be one character") !=
        std::string::npos);
  CHECK(refused({{"type", "CTC"}}).find("got \"CTC\"") != std::string::npos);
}

TEST_CASE("ids of marked words are the same in parallel and in pieces at the safe cuts") {
  Json json = small_unigram();
  const Json mark = {{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "first"}};
  std::string text;
  std::mt19937 random(1);
  while (text.size() < 700'000) text += "aabc \t b_c?\n"[random() % 12];
  for (const Json& words :
       {mark, Json{{"type", "Sequence"}, {"pretokenizers", {{{"type", "WhitespaceSplit"}}, mark}}}}) {
    json["pre_tokenizer"] = words;
    const auto tokenizer = tokenizer_of(json);
    CHECK(tokenizer->safe_cuts(text, 1000).size() > 100);
    const Ids expected = tokenizer->encode(text);
    for (const int threads : {1, 2}) {
      CHECK(testing::on_threads(threads, [&] { return tokenizer->encode_in_parallel(text); }) == expected);
    }
  }
  // Normalisers that look beyond the position of a split keep the text whole.
  for (const char* rule : {R"({"type": "Strip"})", R"({"type": "Prepend", "prepend": "_"})",
                           R"({"type": "Replace", "pattern": {"String": " a"}, "content": "b"})"}) {
    json["normalizer"] = Json::parse(rule);
    CHECK(tokenizer_of(json)->safe_cuts(text, 1000).empty());
  }
}

TEST_CASE("Unigram encodes a megabyte of anything in linear time") {
  const auto tokenizer = tokenizer_of(small_unigram());
  const std::size_t n = std::size_t{1} << 20;
  CHECK(tokenizer->encode(std::string(n, 'a')).size() == n / 2);
  CHECK(tokenizer->encode(std::string(n, '?')) == Ids{0});
  CHECK(tokenizer->encode(std::string(n, '\xFF')) == Ids{0});
  CHECK(tokenizer->encode(std::string(n, ' ')) == Ids{0});
  // The longest token that a file may have is searched for at every position, which costs its length; no real file has
  // one.
  const Json json = unigram_with("/model/vocab/3", Json::array({std::string(4096, 'a'), -1.0}));
  CHECK(tokenizer_of(json)->encode(std::string(n / 16, 'a')).size() == n / 16 / 4096);
}
