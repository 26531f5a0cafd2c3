#include <doctest/doctest.h>

#include "cli/run_program.h"

using namespace rapt;

TEST_CASE("text is tokenised once, counted and shown") {
  Workshop shop;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "line " + std::to_string(i % 10) + "\n";
  shop.write("my.txt", text);
  const ProgramResult built = shop.rapt({"data", "build", "my.txt", "--tokenizer", "char", "--out", "d.h5"});
  CHECK(built.err == "wrote d.h5: 630 tokens to train on, 70 to validate on\n");
  CHECK(built.code == 0);
  const ProgramResult stats = shop.rapt({"data", "stats", "d.h5", "--json"});
  CHECK(stats.out.find("\"vocabulary\":16") != std::string::npos);
  CHECK(stats.out.find("\"train\":{\"tokens\":630,") != std::string::npos);
  CHECK(shop.rapt({"data", "stats", "d.h5"}).out.find("validation                70") != std::string::npos);
  const ProgramResult head = shop.rapt({"data", "head", "d.h5", "--tokens", "7"});
  CHECK(head.out.find("line 0\\n ...") != std::string::npos);
}

TEST_CASE("documents, fields, fractions and files to validate on are taken as told") {
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

TEST_CASE("what is wrong with data is said in one line") {
  Workshop shop;
  shop.write("my.txt", "some text\n");
  shop.write("bad.txt", std::string("abc\xc3(def"));
  check_error(shop.rapt({"data", "build", "my.txt", "--tokenizer", "char"}), 64, "rapt data build needs --out FILE");
  check_error(shop.rapt({"data", "build", "my.txt", "--out", "d.h5"}), 64,
              "rapt data build needs --tokenizer FILE, or a kind to learn from the text: char, byte, byte-bpe, bpe");
  check_error(shop.rapt({"data", "build", "--tokenizer", "char", "--out", "d.h5"}), 64,
              "rapt data build needs FILE..., or - for standard input");
  check_error(
      shop.rapt({"data", "build", "my.txt", "--validation-fraction", "1", "--tokenizer", "char", "--out", "d.h5"}), 64,
      "--validation-fraction must be a number from 0 to below 1, got \"1\"");
  check_error(shop.rapt({"data", "head", "none.h5"}), 66, "none.h5: no such file");
  const ProgramResult bad = shop.rapt({"data", "build", "bad.txt", "--tokenizer", "byte", "--out", "d.h5"});
  CHECK(bad.code == 65);
  CHECK(bad.err.find("bad.txt is not UTF-8 at byte 3") != std::string::npos);
  CHECK_FALSE(shop.has("d.h5"));
  CHECK(shop.rapt({"data", "stats", "my.txt"}).code == 65);
}
