#include <doctest/doctest.h>

#include "cli/run_program.h"

using namespace rapt;

TEST_CASE("text is tokenised once, counted and shown") {
  Workshop shop;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "line " + std::to_string(i % 10) + "\n";
  shop.write("my.txt", text);
  const ProgramResult built = shop.rapt({"data", "build", "my.txt", "--tokenizer", "char", "--out", "d.h5"});
  CHECK(built.err ==
        "tokenizer: characters, 16 entries, trained on the data\n"
        "wrote d.h5: 630 training tokens, 70 validation tokens\n");
  CHECK(built.code == 0);
  const ProgramResult stats = shop.rapt({"data", "stats", "d.h5", "--json"});
  CHECK(stats.out.find("\"vocabulary\":16") != std::string::npos);
  CHECK(stats.out.find("\"train\":{\"tokens\":630,") != std::string::npos);
  CHECK(shop.rapt({"data", "stats", "d.h5"}).out.find("validation                70") != std::string::npos);
  const ProgramResult head = shop.rapt({"data", "head", "d.h5", "--tokens", "7"});
  CHECK(head.out.find("line 0\\n ...") != std::string::npos);
}

TEST_CASE("every kind of tokenizer can be trained on the text, WordPiece for masked words") {
  Workshop shop;
  std::string text;
  for (int i = 0; i < 60; ++i) text += "The cat sat.\nA dog ran " + std::to_string(i % 7) + " times.\n\n";
  shop.write("my.txt", text);
  const ProgramResult built = shop.rapt({"data", "build", "my.txt", "--task", "mlm-nsp", "--tokenizer", "wordpiece",
                                         "--vocab", "60", "--context", "32", "--out", "d.h5"});
  CHECK(built.err.starts_with("tokenizer: WordPiece, "));
  CHECK(built.code == 0);
  CHECK(shop.rapt({"data", "build", "my.txt", "--out", "e.h5"}).err ==
        "error: rapt data build needs --tokenizer FILE, or a kind to train on the text: char, byte, byte-bpe, bpe, "
        "wordpiece, metaspace-bpe, unigram, word\n");
}

TEST_CASE("documents, fields, fractions and validation files are used as requested") {
  Workshop shop;
  shop.write("a.jsonl", "{\"body\": \"first\"}\n{\"body\": \"second\"}\n");
  shop.write("v.jsonl", "{\"body\": \"third\"}\n");
  shop.rapt({"tokenizer", "train", "a.jsonl", "v.jsonl", "--text-field", "body", "--type", "byte-bpe", "--vocab", "258",
             "--out", "tok.json"});
  const ProgramResult built = shop.rapt({"data", "build", "a.jsonl", "--validation-data", "v.jsonl", "--text-field",
                                         "body", "--tokenizer", "tok.json", "--out", "d.h5", "--quiet"});
  CHECK(built.code == 0);
  CHECK(built.err.empty());
  const std::string stats = shop.rapt({"data", "stats", "d.h5", "--json"}).out;
  CHECK(stats.find("\"documents\":2,\"bytes\":11") != std::string::npos);
  CHECK(stats.find("\"documents\":1,\"bytes\":5") != std::string::npos);
}

TEST_CASE("errors in data are reported in one line") {
  Workshop shop;
  shop.write("my.txt", "some text\n");
  shop.write("bad.txt", std::string("abc\xc3(def"));
  check_error(shop.rapt({"data", "build", "my.txt", "--tokenizer", "char"}), 64, "rapt data build needs --out FILE");
  check_error(shop.rapt({"data", "build", "my.txt", "--out", "d.h5"}), 64,
              "rapt data build needs --tokenizer FILE, or a kind to train on the text: char, byte, byte-bpe, bpe, "
              "wordpiece, metaspace-bpe, unigram, word");
  check_error(shop.rapt({"data", "build", "--tokenizer", "char", "--out", "d.h5"}), 64,
              "rapt data build needs FILE..., or - for standard input");
  check_error(
      shop.rapt({"data", "build", "my.txt", "--validation-fraction", "1", "--tokenizer", "char", "--out", "d.h5"}), 64,
      "--validation-fraction must be a number from 0 to below 1, got \"1\"");
  check_error(shop.rapt({"data", "head", "none.h5"}), 66, "none.h5: no such file");
  const ProgramResult bad = shop.rapt({"data", "build", "bad.txt", "--tokenizer", "byte", "--out", "d.h5"});
  CHECK(bad.code == 65);
  CHECK(bad.err.find("bad.txt: must be text in UTF-8, got 0xC3 0x28 at byte 3") != std::string::npos);
  CHECK_FALSE(shop.has("d.h5"));
  CHECK(shop.rapt({"data", "stats", "my.txt"}).code == 65);
}

TEST_CASE("pairs for BERT are built, counted and shown") {
  Workshop shop;
  std::string text;
  for (int i = 0; i < 400; ++i) text += std::string(i % 20 == 0 ? "\n" : "") + "line " + std::to_string(i % 10) + "\n";
  shop.write("my.txt", text);
  shop.write("words.txt", "line line line 0 1 2 3 4 5 6 7 8 9");
  shop.rapt({"tokenizer", "train", "words.txt", "--type", "char", "--special", "[CLS]", "--special", "[SEP]",
             "--special", "[MASK]", "--out", "tok.json"});
  const ProgramResult built =
      shop.rapt({"data", "build", "my.txt", "--task", "mlm-nsp", "--tokenizer", "tok.json", "--max_seq_length", "32",
                 "--dupe_factor", "2", "--masked_lm_prob", "0.2", "--seed", "3", "--out", "d.h5"});
  CHECK(built.code == 0);
  CHECK(built.err.find("note: read --max_seq_length as --context") != std::string::npos);
  CHECK(built.err.find("note: read --dupe_factor as --dupe-factor") == std::string::npos);
  CHECK(built.err.find("wrote d.h5: 2,160 training tokens, 240 validation tokens\nfor mlm-nsp: ") != std::string::npos);
  CHECK(built.err.find(" training sequences in 2 passes, ") != std::string::npos);
  const std::string json = shop.rapt({"data", "stats", "d.h5", "--json"}).out;
  CHECK(json.find("\"instances\":{\"task\":\"mlm-nsp\",\"context\":32,\"passes\":2,\"mask_probability\":0.2,"
                  "\"whole_words\":false,\"masking\":\"dynamic\",\"train\":{\"sequences\":") != std::string::npos);
  const std::string table = shop.rapt({"data", "stats", "d.h5"}).out;
  CHECK(table.find("\nfor mlm-nsp: sequences of at most 32 tokens, 2 passes over the training part\n") !=
        std::string::npos);
  CHECK(table.find("sequences   mean length       random next\n") != std::string::npos);
  CHECK(table.find(" %\n") != std::string::npos);
  const std::string head = shop.rapt({"data", "head", "d.h5", "--sequences", "2"}).out;
  CHECK(head.starts_with("sequence 0: "));
  CHECK(head.find("\nsequence 1: ") != std::string::npos);
  CHECK(head.find("\nsequence 2: ") == std::string::npos);
  CHECK((head.find(" predicted, is next\n  [CLS] ") != std::string::npos ||
         head.find(" predicted, random next\n  [CLS] ") != std::string::npos));
  CHECK(head.find(" [MASK](") != std::string::npos);
  CHECK(head.find(" [SEP]\n") != std::string::npos);
  CHECK(shop.rapt({"data", "head", "d.h5", "--validation", "--tokens", "5"}).out.find(" ...\n") != std::string::npos);
}

TEST_CASE("sequences for RoBERTa have one part, and settings of masked models need their task") {
  Workshop shop;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "line " + std::to_string(i % 10) + (i % 10 == 9 ? "\n\n" : "\n");
  shop.write("my.txt", text);
  shop.write("words.txt", "line 0123456789");
  shop.rapt({"tokenizer", "train", "words.txt", "--type", "char", "--special", "<s>", "--special", "</s>", "--special",
             "<mask>", "--out", "tok.json"});
  const ProgramResult built = shop.rapt({"data", "build", "my.txt", "--task", "mlm", "--tokenizer", "tok.json",
                                         "--context", "64", "--masking", "static", "--out", "d.h5"});
  CHECK(built.err ==
        "wrote d.h5: 540 training tokens, 60 validation tokens\nfor mlm: 9 training sequences in 1 pass, 1 "
        "validation sequences\n");
  const std::string head = shop.rapt({"data", "head", "d.h5", "--tokens", "1000"}).out;
  CHECK(head.find("sequence 2: 62 tokens, 9 predicted\n  <s> ") != std::string::npos);
  CHECK(shop.rapt({"data", "stats", "d.h5", "--json"}).out.find("\"masking\":\"static\"") != std::string::npos);
  check_error(shop.rapt({"data", "build", "my.txt", "--tokenizer", "tok.json", "--whole-word", "--out", "e.h5"}), 64,
              "--whole-word is for masked language models, got --task lm; say --task mlm-nsp or mlm");
  check_error(
      shop.rapt({"data", "build", "my.txt", "--task", "mlm", "--tokenizer", "byte", "--out", "e.h5", "--quiet"}), 65,
      "masking: the tokenizer must have a token [MASK] or <mask>, got neither; masked language models need a "
      "BERT or RoBERTa tokenizer");
  check_error(shop.rapt({"data", "build", "my.txt", "--task", "nsp", "--tokenizer", "byte", "--out", "e.h5"}), 64,
              "--task must be one of lm|mlm|mlm-nsp, got \"nsp\"");
  CHECK_FALSE(shop.has("e.h5"));
}
