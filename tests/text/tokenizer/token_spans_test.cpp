// Tokens of single words, and the positions of tokens in the text.
#include <doctest/doctest.h>

#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "io/file.h"
#include "io/json.h"
#include "io/shared_data.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer/files/vocabulary_text.h"
#include "text/tokenizer/training/tokenizer_trainer.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;
using Texts = std::vector<std::string>;

static std::unique_ptr<Tokenizer> bert(const std::string& tokens, const Json& config = {}) {
  std::string lines = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  std::istringstream words(tokens);
  for (std::string word; words >> word;) lines += word + '\n';
  return std::make_unique<Tokenizer>(read_vocabulary_text(lines, config, "vocab.txt"), "vocab.txt");
}

// The text that each token stands for.
static Texts parts_of(const Tokenizer& tokenizer, const std::string& text) {
  Ids ids = {99};
  std::vector<TokenSpan> spans(7);
  tokenizer.encode_with_spans(text, ids, spans);
  CHECK(ids == tokenizer.encode(text));
  REQUIRE(ids.size() == spans.size());
  Texts parts;
  for (const TokenSpan& span : spans) {
    REQUIRE(span.begin <= span.end);
    REQUIRE(span.end <= text.size());
    parts.push_back(text.substr(span.begin, span.end - span.begin));
  }
  return parts;
}

TEST_CASE("spans map back through BERT's normaliser: case, accents, ideographs, spaces and dropped characters") {
  const auto tokenizer = bert("the caf ##e un ##aff ##able ! 中 i ##stan ##bul");
  CHECK(parts_of(*tokenizer, " The\u3000CAFÉ!") == Texts{"The", "CAF", "É", "!"});
  CHECK(parts_of(*tokenizer, "Un\u00ADaffable") == Texts{"Un", "aff", "able"});
  CHECK(parts_of(*tokenizer, "CAFE\u0301!") == Texts{"CAF", "E\u0301", "!"});
  CHECK(parts_of(*tokenizer, "İstanbul") == Texts{"İ", "stan", "bul"});
  CHECK(parts_of(*tokenizer, "the中中!") == Texts{"the", "中", "中", "!"});
  CHECK(parts_of(*tokenizer, "x\u200By the") == Texts{"x\u200By", "the"});  // unknown: the word
  CHECK(parts_of(*tokenizer, "the [MASK]!") == Texts{"the", "[MASK]", "!"});
  CHECK(parts_of(*tokenizer, "\xFFthe\xC3") == Texts{"the"});
  CHECK(parts_of(*tokenizer, "") == Texts{});
  CHECK(parts_of(*tokenizer, "\u0301") == Texts{});
}

TEST_CASE("if a rule joins characters, spans are whole words") {
  Json json = Json::parse(bert("각 é ##x fi ##n")->to_json());
  json["normalizer"] = {{"type", "NFC"}};
  const auto tokenizer = tokenizer_from_json(json.dump(), "t.json");
  CHECK(parts_of(*tokenizer, "e\u0301x fin") == Texts{"e\u0301", "x", "fi", "n"});
  CHECK(parts_of(*tokenizer, "e\u0301x \u1100\u1161\u11A8") == Texts{"e\u0301x", "e\u0301x", "\u1100\u1161\u11A8"});
}

TEST_CASE("spans of byte-level tokens are whole characters without the space in front") {
  TokenizerTrainer trainer({.type = TokenizerType::kByteBpe, .vocabulary = 258});
  trainer.add_text("ab ab ab");
  const auto tokenizer = trainer.train();
  CHECK(parts_of(*tokenizer, "ab  ab\n") == Texts{"ab", " ", "ab", "\n"});
  CHECK(parts_of(*tokenizer, "é") == Texts{"é", "é"});
  CHECK(parts_of(*tokenizer, "\xFF") == Texts{"\xFF"});
}

TEST_CASE("spans of other kinds") {
  TokenizerTrainer characters({.type = TokenizerType::kChar});
  characters.add_text("aé b");
  CHECK(parts_of(*characters.train(), "é b") == Texts{"é", " ", "b"});
  TokenizerTrainer words({.type = TokenizerType::kWordBpe, .vocabulary = 12, .lowercase = true});
  words.add_text("ab ab abc");
  const auto tokenizer = words.train();
  CHECK(parts_of(*tokenizer, "Ab ABÇ x") == Texts{"Ab", "A", "B", "Ç", "x"});
}

TEST_CASE("pre-split words have the same tokens as in running text") {
  const auto tokenizer = bert("the caf ##e [ mask ]");
  CHECK(tokenizer->encode_word("Café") == Ids{6, 7});
  CHECK(tokenizer->encode_word("[MASK]") == Ids{8, 9, 10});  // an ordinary word
  CHECK(tokenizer->encode_word("\u200B").empty());
  TokenizerTrainer trainer({.type = TokenizerType::kByteBpe, .vocabulary = 259});
  trainer.add_text("ab ab ab ab");
  const auto bytes = trainer.train();
  CHECK(bytes->encode_word("ab") == Ids{bytes->token_id("Ġab").value()});
  CHECK(bytes->encode_word("ab") == bytes->encode(" ab"));
}

TEST_CASE("spans change no id, on the recorded texts and on noise") {
  const std::string shared = shared_data("data");
  if (shared.empty()) return;
  std::vector<std::string> texts;
  const Json file = read_json_file(shared + "/fixtures/tokenizers/hf_tokenizer_tests.json");
  for (const auto& [model, cases] : file.items()) {
    for (const Json& item : cases) texts.push_back(item.at("input").get<std::string>());
  }
  texts.push_back(read_file(shared + "/fixtures/tokenizers/llama.cpp/ggml-vocab-bert-bge.gguf.inp"));
  std::istringstream lines(read_file(shared + "/fixtures/tokenizers/sentencepiece/input.txt"));
  for (std::string line; std::getline(lines, line);) texts.push_back(line);
  std::mt19937 random(8);
  for (int i = 0; i < 300; ++i) {
    std::string noise;
    for (std::size_t n = random() % 60; n > 0; --n) noise += texts[random() % texts.size()][0];
    texts.push_back(noise);
  }
  for (const char* path : {"/tokenizers/bert/minilm/tokenizer.json", "/tokenizers/bert/bert-base-cased-vocab.txt",
                           "/tokenizers/gpt2", "/tokenizers/gpt1", "/tokenizers/roberta/tokenizer.json.gz"}) {
    CAPTURE(path);
    const auto tokenizer = load_tokenizer(shared + path);
    for (const std::string& text : texts) {
      CAPTURE(text);
      std::size_t end = 0;
      Ids ids;
      std::vector<TokenSpan> spans;
      tokenizer->encode_with_spans(text, ids, spans);
      REQUIRE(ids == tokenizer->encode(text));
      for (const TokenSpan& span : spans) {
        REQUIRE(span.begin <= span.end);
        REQUIRE(span.end <= text.size());
        REQUIRE(span.end >= end);
        end = span.end;
      }
    }
  }
}
