#include "text/tokenizer/tokenizer_json.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "io/shared_data.h"
#include "io/temporary_folder.h"
#include "tensor/error.h"
#include "text/text_fixture.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer/post_processor.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "text/tokenizer_fixture.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;

// A small byte-level tokenizer.json with one field replaced.
static Json small_bpe() {
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", Json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model",
           {{"type", "BPE"},
            {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}, {"Ġ", 3}, {"Ġab", 4}}},
            {"merges", Json::array({Json::array({"a", "b"}), Json::array({"Ġ", "ab"})})}}}};
}

static Json bpe_with(const std::string& pointer, const Json& value) {
  Json json = small_bpe();
  json[Json::json_pointer(pointer)] = value;
  return json;
}
static Json token(std::int64_t id, const std::string& content) {
  return {{"id", id}, {"content", content}, {"special", true}};
}

TEST_CASE("both notations of merges are read, pairs are written") {
  const Ids expected = {2, 4, 4, 3};
  CHECK(tokenizer_of(small_bpe())->encode("ab ab ab ") == expected);
  const auto old = tokenizer_of(bpe_with("/model/merges", Json::array({"#version: 0.2", "a b", "Ġ ab"})));
  CHECK(old->encode("ab ab ab ") == expected);
  CHECK(old->to_json() == tokenizer_of(small_bpe())->to_json());
  CHECK(old->to_json().find(R"(["Ġ","ab"])") != std::string::npos);
}

TEST_CASE("a written file reads as an equal tokenizer") {
  for (const auto type :
       {TokenizerType::kByteBpe, TokenizerType::kWordBpe, TokenizerType::kWordPiece, TokenizerType::kChar,
        TokenizerType::kByte, TokenizerType::kMetaspaceBpe, TokenizerType::kUnigram, TokenizerType::kWord}) {
    CAPTURE(name_of(type));
    TokenizerTrainer trainer({.type = type, .vocabulary = 300, .special = {"<|endoftext|>"}});
    const std::string text = "the sea, the sea; \"the\" \\ sea\tand\x01 the fög 東京\n";
    trainer.add_text(text);
    const auto tokenizer = trainer.train();
    const std::string json = tokenizer->to_json();
    const auto again = tokenizer_from_json(json, "again");
    CHECK(again->to_json() == json);
    CHECK(again->kind() == tokenizer->kind());
    CHECK(again->vocabulary_size() == tokenizer->vocabulary_size());
    CHECK(again->encode(text) == tokenizer->encode(text));
    CHECK(again->end_of_text() == tokenizer->end_of_text());
  }
}

TEST_CASE("every part of a file survives being read and written") {
  Json json = small_bpe();
  json["normalizer"] = Json::parse(
      R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":false,"strip_accents":false,"lowercase":true}]})");
  json["post_processor"] = Json::parse(
      R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
          "pair":[{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
          "special_tokens":{"<s>":{"id":"<s>","ids":[5],"tokens":["<s>"]}}})");
  json["added_tokens"] = Json::array({token(5, "<s>")});
  const auto tokenizer = tokenizer_of(json);
  const Json written = Json::parse(tokenizer->to_json());
  for (const char* key : {"normalizer", "post_processor", "decoder"}) CHECK(written.at(key) == json.at(key));
  CHECK(written.at("pre_tokenizer").at("use_regex") == true);
  CHECK(tokenizer->frame(tokenizer->encode("ab")).ids == Ids{5, 2});
  const TokenSequence pair = tokenizer->frame(Ids{0}, Ids{1, 1});
  CHECK(pair.ids == Ids{0, 5, 1, 1});
  CHECK(pair.segments == Ids{0, 0, 1, 1});
  CHECK(tokenizer->to_json() == tokenizer_from_json(tokenizer->to_json(), "again")->to_json());
}

TEST_CASE("options of a BPE have the same effect as in Hugging Face's tokenizers") {
  Json vocab = {{"a", 0}, {"b", 1}, {"<unk>", 2}, {"##b", 3}, {"a##b", 4}, {"ab", 5}, {"<0xC3>", 6}, {"<0xA9>", 7}};
  const auto ids = [&](const Json& options, const std::string& text) {
    Json json = bpe_with("/pre_tokenizer", nullptr);
    json["decoder"] = {{"type", "Fuse"}};
    json["model"] = options;
    json["model"]["vocab"] = vocab;
    if (!json["model"].contains("merges")) json["model"]["merges"] = Json::array();
    return tokenizer_of(json)->encode(text);
  };
  CHECK(ids({{"type", "BPE"}, {"unk_token", "<unk>"}}, "axyb") == Ids{0, 2, 2, 1});
  CHECK(ids({{"type", "BPE"}, {"unk_token", "<unk>"}, {"fuse_unk", true}}, "axyb") == Ids{0, 2, 1});
  CHECK(ids({{"type", "BPE"}}, "axyb") == Ids{0, 1});
  CHECK(ids({{"type", "BPE"}, {"unk_token", "<unk>"}, {"byte_fallback", true}}, "aéx") == Ids{0, 6, 7, 2});
  CHECK(ids({{"type", "BPE"}, {"ignore_merges", true}}, "ab") == Ids{5});
  CHECK(
      ids({{"type", "BPE"}, {"continuing_subword_prefix", "##"}, {"merges", Json::array({Json::array({"a", "##b"})})}},
          "abb") == Ids{5, 3});
}

TEST_CASE("a text that does not start with a space gets one if the file says so") {
  const auto tokenizer = tokenizer_of(bpe_with("/pre_tokenizer/add_prefix_space", true));
  CHECK(tokenizer->encode("ab ab") == Ids{4, 4});
  CHECK(tokenizer->encode(" ab") == Ids{4});
  CHECK(tokenizer->encode("") == Ids{});
}

TEST_CASE("a damaged or foreign file is rejected with the reason") {
  CHECK(tokenizer_error(bpe_with("/model/type", "Lattice")) ==
        "tokenizer: t.json: model must be of type BPE, WordPiece, Unigram or WordLevel, got \"Lattice\"");
  CHECK(tokenizer_error(bpe_with("/pre_tokenizer", {{"type", "Split"}})) ==
        "tokenizer: t.json: pre_tokenizer must be ByteLevel, BertPreTokenizer, Whitespace, WhitespaceSplit, Metaspace "
        "or a Sequence of them, got \"Split\"");
  CHECK(tokenizer_error(
            bpe_with("/pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {{{"type", "ByteLevel"}}}}})) ==
        "tokenizer: t.json: pre_tokenizer.pretokenizers must be without ByteLevel, got one; ByteLevel must be the only "
        "pre-tokenizer");
  CHECK(tokenizer_error(bpe_with("/pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "__"}})) ==
        "t.json: \"pre_tokenizer.replacement\" must be one character, got \"__\"");
  CHECK(tokenizer_error(bpe_with("/pre_tokenizer", {{"type", "Metaspace"}, {"prepend_scheme", "last"}})) ==
        "t.json: \"pre_tokenizer.prepend_scheme\" must be \"always\", \"first\" or \"never\", got \"last\"");
  CHECK(tokenizer_error(bpe_with("/normalizer", {{"type", "ByteLevel"}})) ==
        "tokenizer: t.json: normalizer must be BertNormalizer, Lowercase, StripAccents, NFC, NFD, NFKC, NFKD, Replace, "
        "Strip, Prepend, Nmt, Precompiled or a Sequence of them, got \"ByteLevel\"");
  CHECK(tokenizer_error(bpe_with("/decoder", {{"type", "CTC"}})) ==
        "tokenizer: t.json: decoder must be ByteLevel, BPEDecoder, WordPiece, Metaspace, ByteFallback, Replace, Strip, "
        "Fuse or a Sequence of them, got \"CTC\"");
  CHECK(tokenizer_error(bpe_with("/version", "2.0")) == "tokenizer: t.json: version must be \"1.0\", got \"2.0\"");
  CHECK(tokenizer_error(bpe_with("/model/dropout", 0.1)) ==
        "tokenizer: t.json: model.dropout must be null or 0 (the same text would get other ids each time), got 0.1; "
        "set it "
        "to null");
  CHECK(
      tokenizer_error(bpe_with("/model/merges/0", Json::array({"a", "x"}))) ==
      "tokenizer: t.json: merge 0 (\"a\" + \"x\") must have its parts and result in the vocabulary, which lacks \"x\"");
  CHECK(tokenizer_error(bpe_with("/model/merges/1", "a b c")) ==
        "tokenizer: t.json: merge 1 must be a pair [\"a\", \"b\"] or a string \"a b\", got \"a b c\"");
  CHECK(tokenizer_error(bpe_with("/model/vocab/x", 1)) ==
        "tokenizer: t.json: id 1 must belong to one token, got \"b\" and \"x\"");
  CHECK(tokenizer_error(bpe_with("/model/vocab/x", 6)) ==
        "tokenizer: t.json: ids must run from 0 to 6 without a gap, got none with id 5");
  CHECK(tokenizer_error(bpe_with("/model/vocab/x", -1)) ==
        "tokenizer: t.json: the id of token \"x\" must be an integer from 0 to 1048575, got -1");
  CHECK(tokenizer_error(bpe_with("/model/vocab/x", 5.0)) ==
        "tokenizer: t.json: the id of token \"x\" must be an integer from 0 to 1048575, got 5.0");
  CHECK(tokenizer_error(bpe_with("/model/unk_token", "<unk>")) ==
        "tokenizer: t.json: unk_token must be in the vocabulary, got \"<unk>\"");
  CHECK(tokenizer_error(bpe_with("/added_tokens", Json::array({token(1, "<s>")}))) ==
        "tokenizer: t.json: added token \"<s>\" must have the same id as in the model's vocabulary, got 1, which is "
        "\"b\"");
  CHECK(tokenizer_error(bpe_with("/added_tokens", Json::array({token(5, "ab")}))) ==
        "tokenizer: t.json: added token \"ab\" must have the same id as in the model's vocabulary, got 5 and 2");
  CHECK(tokenizer_error(bpe_with("/added_tokens", Json::array({token(5, "x"), token(5, "y")}))) ==
        "tokenizer: t.json: id 5 must belong to one added token, got \"x\" and \"y\"");
  CHECK(tokenizer_error(bpe_with("/model/vocab", nullptr)) == "t.json: \"model.vocab\" must be an object, got null");
  CHECK(message_of<DataError>([] { tokenizer_from_json("{\"model\": {\"a\": 1, \"a\": 2}}", "t.json"); }) ==
        "t.json: line 1, column 22: key \"a\" occurs twice in the same object");
  CHECK(message_of<DataError>([] { tokenizer_from_json(std::string(1000, '['), "t.json"); }).find("nested deeper") !=
        std::string::npos);
}

TEST_CASE("values at the limits are accepted, and one beyond is rejected") {
  CHECK_NOTHROW(tokenizer_of(bpe_with("/model/vocab/" + std::string(4096, 'x'), 5)));
  CHECK(tokenizer_error(bpe_with("/model/vocab/" + std::string(4097, 'x'), 5))
            .find("a token must have at most 4096 bytes, got 4097") != std::string::npos);
  CHECK_NOTHROW(tokenizer_of(bpe_with("/added_tokens", Json::array({token(5, std::string(4096, 'x'))}))));
  CHECK(tokenizer_error(bpe_with("/added_tokens", Json::array({token(5, std::string(4097, 'x'))})))
            .find("an added token must have at most 4096 bytes, got 4097") != std::string::npos);
  CHECK(tokenizer_error(bpe_with("/added_tokens", Json::array({token(1 << 20, "x")})))
            .find("from 0 to 1048575, got 1048576") != std::string::npos);
}

TEST_CASE("any single damage to a file is an error or still a tokenizer") {
  const std::string good = small_bpe().dump();
  const std::string bytes("\0\xFF\"}]0 ", 7);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char byte : bytes) {
      std::string bad = good;
      bad[at] = byte;
      try {
        tokenizer_from_json(bad, "bad.json")->decode(tokenizer_from_json(bad, "bad.json")->encode("ab \xFF ab"));
      } catch (const DataError&) {
      }
    }
  }
}

TEST_CASE("folders are recognised by their files, plain or gzipped") {
  const TemporaryFolder folder;
  CHECK(message_of<MissingInputError>([&] { load_tokenizer(folder.path()); }) ==
        "tokenizer: " + folder.path() +
            " must hold tokenizer.json, vocab.txt, or vocab.json and merges.txt, got none of them");
  CHECK_THROWS_AS(load_tokenizer(folder / "absent.json"), MissingInputError);

  const auto [vocabulary, merges] = tokenizer_of(small_bpe())->to_vocabulary_and_merges();
  CHECK(vocabulary == "{\n\"a\": 0,\n\"b\": 1,\n\"ab\": 2,\n\"Ġ\": 3,\n\"Ġab\": 4}\n");
  CHECK(merges == "#version: 0.2\na b\nĠ ab\n");
  write_plainly(folder / "vocab.json", vocabulary);
  write_plainly(folder / "merges.txt.gz", gzipped(merges));
  CHECK(load_tokenizer(folder.path())->encode("ab ab") == Ids{2, 4});
  write_plainly(folder / "tokenizer.json.gz", gzipped(small_bpe().dump()));
  CHECK(load_tokenizer(folder.path())->encode("ab ab") == Ids{2, 4});
  CHECK(load_tokenizer(folder / "tokenizer.json.gz")->encode("ab ab") == Ids{2, 4});
}

TEST_CASE("vocabulary and merges whose words end in </w> are GPT-1's kind") {
  const auto tokenizer = tokenizer_from_vocabulary_and_merges(
      R"({"<unk>": 0, "a": 1, "b</w>": 2, "ab</w>": 3, "!</w>": 4})", "#version: 0.2\r\na b</w>\r\n\r\n", "gpt1");
  CHECK(tokenizer->encode("AB! é") == Ids{3, 4, 0});
  CHECK(tokenizer->decode(Ids{3, 4}) == "ab !");
  CHECK(message_of<DataError>([] { tokenizer_from_vocabulary_and_merges("{}", "a b\nc\n", "x"); }) ==
        "tokenizer: x: line 2 must be two tokens with a space between them, got \"c\"");
}

TEST_CASE("the configuration for transformers names the existing special tokens") {
  Json json = bpe_with("/added_tokens", Json::array({token(5, "<|endoftext|>"), token(6, "<pad>")}));
  const Json config = Json::parse(tokenizer_of(json)->to_config_json(128));
  CHECK(config == Json::parse(R"({"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 128,
    "clean_up_tokenization_spaces": false, "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
    "pad_token": "<pad>"})"));
}
