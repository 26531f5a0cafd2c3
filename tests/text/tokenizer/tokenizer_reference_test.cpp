// Ids recorded from other programs, on real vocabularies. Data that is not in ../shared is skipped.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "io/file.h"
#include "io/json.h"
#include "io/shared_data.h"
#include "io/temporary_folder.h"
#include "tensor/error.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer/post_processor.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;

static Ids ids_of(const Json& list) { return list.get<Ids>(); }

TEST_CASE("GPT-2's ids are those recorded with Hugging Face's distilgpt2, and its texts come back") {
  const std::string shared = shared_data("data");
  if (shared.empty()) return;
  const auto tokenizer = load_tokenizer(shared + "/tokenizers/gpt2");
  const Json file = read_json_file(shared + "/fixtures/tokenizers/hf_tokenizer_tests.json");
  REQUIRE(file.at("distilgpt2").size() == 18);
  for (const Json& item : file.at("distilgpt2")) {
    const auto text = item.at("input").get<std::string>();
    CAPTURE(text);
    CHECK(tokenizer->encode(text) == ids_of(item.at("encoded").at("input_ids")));
    CHECK(tokenizer->decode(tokenizer->encode(text)) == text);
  }
}

namespace {

struct Recorded {
  std::string text;
  Ids ids;
};

// llama.cpp's difficult strings with the ids of one of its vocabularies.
std::vector<Recorded> llama_cpp_cases(const std::string& shared, const std::string& vocabulary) {
  const std::string fixture = shared + "/fixtures/tokenizers/llama.cpp/ggml-vocab-" + vocabulary + ".gguf";
  const std::string inputs = read_file(fixture + ".inp"), separator = "\n__ggml_vocab_test__\n";
  std::istringstream outputs(read_file(fixture + ".out"));
  std::vector<Recorded> cases;
  for (std::size_t begin = 0; begin < inputs.size();) {
    const std::size_t end = std::min(inputs.find(separator, begin), inputs.size());
    cases.push_back({inputs.substr(begin, end - begin), {}});
    begin = end + separator.size();
    std::string line;
    std::getline(outputs, line);
    std::istringstream numbers(line);
    for (std::int32_t id = 0; numbers >> id;) cases.back().ids.push_back(id);
  }
  REQUIRE(cases.size() == 46);
  return cases;
}

}  // namespace

TEST_CASE("GPT-2's ids of llama.cpp's difficult strings are the recorded ones, however the vocabulary is stored") {
  const std::string shared = shared_data("data");
  if (shared.empty()) return;
  for (const char* source : {"/tokenizers/gpt2", "/tokenizers/gpt2/tokenizer.json.gz"}) {
    const auto tokenizer = load_tokenizer(shared + source);
    for (const Recorded& recorded : llama_cpp_cases(shared, "gpt-2")) {
      CAPTURE(recorded.text);
      CHECK(tokenizer->encode(recorded.text) == recorded.ids);
      CHECK(tokenizer->decode(recorded.ids) == recorded.text);
    }
  }
}

// transformers removes more spaces than the decoder, because it looks across tokens.
static std::string cleaned_up(std::string text) {
  for (const auto& [from, to] : {std::pair{" .", "."},
                                 {" ?", "?"},
                                 {" !", "!"},
                                 {" ,", ","},
                                 {" ' ", "'"},
                                 {" n't", "n't"},
                                 {" 'm", "'m"},
                                 {" 's", "'s"},
                                 {" 've", "'ve"},
                                 {" 're", "'re"}}) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos;) {
      text.replace(at, std::string(from).size(), to);
    }
  }
  return text;
}

TEST_CASE("uncased BERT's ids are the recorded ones, from vocab.txt and from tokenizer.json") {
  const std::string shared = shared_data("data");
  if (shared.empty()) return;
  const Json file = read_json_file(shared + "/fixtures/tokenizers/hf_tokenizer_tests.json");
  REQUIRE(file.at("bert-base-uncased").size() == 18);
  for (const char* source : {"/tokenizers/bert/bert-base-uncased-vocab.txt", "/tokenizers/bert/minilm"}) {
    const auto tokenizer = load_tokenizer(shared + source);
    CHECK(tokenizer->vocabulary_size() == 30522);
    CHECK(tokenizer_from_json(tokenizer->to_json(), "again")->to_json() == tokenizer->to_json());
    for (const Json& item : file.at("bert-base-uncased")) {
      const auto text = item.at("input").get<std::string>();
      CAPTURE(text);
      const TokenSequence framed = tokenizer->frame(tokenizer->encode(text));
      CHECK(framed.ids == ids_of(item.at("encoded").at("input_ids")));
      CHECK(framed.segments == ids_of(item.at("encoded").at("token_type_ids")));
      CHECK(cleaned_up(tokenizer->decode(framed.ids)) == item.at("decoded_with_special").get<std::string>());
      CHECK(cleaned_up(tokenizer->decode(framed.ids, true)) == item.at("decoded_without_special").get<std::string>());
    }
    for (const Recorded& recorded : llama_cpp_cases(shared, "bert-bge")) {
      CAPTURE(recorded.text);
      CHECK(tokenizer->encode(recorded.text) == recorded.ids);
    }
  }
}

TEST_CASE("cased BERT keeps capitals and accents") {
  const std::string file = shared_data("data/tokenizers/bert/bert-base-cased-vocab.txt");
  if (file.empty()) return;
  const auto tokenizer = load_tokenizer(file);
  CHECK(tokenizer->vocabulary_size() == 28996);
  // Recorded with Hugging Face's tokenizers from the same file.
  CHECK(tokenizer->encode("Hello Über-WORLD, naïve 東京 caf\u00E9\u0301!") ==
        Ids{8667, 243, 3169, 118, 160, 9565, 20521, 117, 9468, 28203, 2707, 1042, 984, 20583, 28310, 106});
}

TEST_CASE("the golden models' texts have the recorded ids") {
  for (const char* name : {"gpt2-small", "openai-gpt-small"}) {
    const std::string folder = shared_data(std::string("golden/") + name);
    if (folder.empty()) return;
    const auto tokenizer = load_tokenizer(folder + "/model");
    const Json expected = read_json_file(folder + "/expected.json");
    REQUIRE(!expected.at("text").empty());
    for (const Json& item : expected.at("text")) {
      CAPTURE(item.at("text").get<std::string>());
      CHECK(tokenizer->encode(item.at("text").get<std::string>()) == ids_of(item.at("ids")));
    }
  }
}

TEST_CASE("GPT-1's vocabulary lowers the case, separates words from punctuation and has an unknown token") {
  const std::string shared = shared_data("data/tokenizers/gpt1");
  if (shared.empty()) return;
  const auto tokenizer = load_tokenizer(shared);
  CHECK(tokenizer->kind() == "word-level BPE with </w>");
  CHECK(tokenizer->vocabulary_size() == 40478);
  // Recorded with Hugging Face's tokenizers from the same two files.
  CHECK(tokenizer->encode("Hello there <unk> wörld, Ünïcode's 東!") ==
        Ids{3570, 655, 0, 1276, 240, 13570, 7, 596, 256, 252, 0, 267});
  CHECK(tokenizer->decode(Ids{3570, 655, 1276, 267}) == "hello there world !");
}

TEST_CASE("RoBERTa's special tokens surround one text and two; its mask includes the preceding space") {
  const std::string file = shared_data("data/tokenizers/roberta/tokenizer.json.gz");
  if (file.empty()) return;
  const auto tokenizer = load_tokenizer(file);
  const Ids first = tokenizer->encode("Hello world"), second = tokenizer->encode("a <mask> b");
  CHECK(first == Ids{31414, 232});
  CHECK(second == Ids{102, 50264, 741});
  CHECK(tokenizer->frame(first).ids == Ids{0, 31414, 232, 2});
  CHECK(tokenizer->frame(first, second).ids == Ids{0, 31414, 232, 2, 2, 102, 50264, 741, 2});
  CHECK(tokenizer->frame(first, second).segments == Ids(9, 0));
}

TEST_CASE("T5's ids are the recorded ones, from SentencePiece's file and from tokenizer.json") {
  const std::string shared = shared_data("data");
  if (shared.empty()) return;
  const Json file = read_json_file(shared + "/fixtures/tokenizers/hf_tokenizer_tests.json");
  const auto from_json = load_tokenizer(shared + "/tokenizers/t5/t5-small-tokenizer.json.gz");
  const auto from_model = load_tokenizer(shared + "/tokenizers/t5/t5-base-spiece.model");
  CHECK(from_json->kind() == "Unigram");
  CHECK(from_json->vocabulary_size() == 32100);
  CHECK(tokenizer_from_json(from_json->to_json(), "again")->to_json() == from_json->to_json());
  CHECK(from_model->vocabulary_size() == 32000);
  CHECK(from_model->end_of_text() == 1);
  CHECK(from_model->pad_token() == 0);
  REQUIRE(file.at("t5-base").size() == 18);
  for (const Json& item : file.at("t5-base")) {
    const auto text = item.at("input").get<std::string>();
    CAPTURE(text);
    const Ids expected = ids_of(item.at("encoded").at("input_ids"));
    const Ids ids = from_json->frame(from_json->encode(text)).ids;
    CHECK(ids == expected);
    CHECK(cleaned_up(from_json->decode(ids, true)) == item.at("decoded_without_special").get<std::string>());
    Ids ended = from_model->encode(text);
    ended.push_back(1);
    CHECK(ended == expected);
  }
}

TEST_CASE("SentencePiece's ids and texts are the recorded ones, also after conversion to tokenizer.json") {
  const std::string shared = shared_data("data");
  if (shared.empty()) return;
  const std::string folder = shared + "/fixtures/tokenizers/sentencepiece/";
  for (const char* path : {"t5/t5-base-spiece", "sentencepiece/test_model", "sentencepiece/test_ja_model"}) {
    CAPTURE(path);
    const auto tokenizer = load_tokenizer(shared + "/tokenizers/" + path + ".model");
    const auto again = tokenizer_from_json(tokenizer->to_json(), "again");
    CHECK(again->to_json() == tokenizer->to_json());
    const std::string recorded = folder + std::string(path).substr(std::string(path).find('/') + 1);
    std::istringstream inputs(read_file(folder + "input.txt"));
    std::istringstream outputs(read_file(recorded + ".ids.txt")), decoded(read_file(recorded + ".decoded.txt"));
    std::size_t lines = 0;
    for (std::string text, line; std::getline(inputs, text); ++lines) {
      CAPTURE(text);
      std::getline(outputs, line);
      std::istringstream numbers(line);
      Ids expected;
      for (std::int32_t id = 0; numbers >> id;) expected.push_back(id);
      // spm_encode does not recognise special tokens in text.
      REQUIRE(tokenizer->encode(text, SpecialTokens::kAsText) == expected);
      REQUIRE(again->encode(text, SpecialTokens::kAsText) == expected);
      std::getline(decoded, line);
      // If a text starts with the mark itself, spm_decode drops that one, too.
      if (!text.starts_with("\u2581")) CHECK(tokenizer->decode(expected) == line);
    }
    CHECK(lines == 241);
  }
}

TEST_CASE("an unsupported kind is named") {
  const auto error_of = [](const char* model) {
    return message_of<DataError>([&] { tokenizer_from_json(model, "t.json"); });
  };
  CHECK(error_of(R"({"model": {"type": "Sentences", "vocab": {}}})").find("got \"Sentences\"") != std::string::npos);
  CHECK(error_of(R"({"model": {"vocab": {}}})").find("got a model without a type") != std::string::npos);
}
