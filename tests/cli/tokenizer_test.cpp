#include <doctest/doctest.h>

#include <algorithm>

#include "cli/run_program.h"

using namespace rapt;

static const char* const kText =
    "the cat sat on the mat\nthe hat that the cat had\n\nthat is that; the end of the tale\n";

TEST_CASE("a tokenizer is trained, encodes line by line, and decodes to the same bytes") {
  Workshop shop;
  shop.write("my.txt", kText);
  for (const char* type : {"byte-bpe", "char", "byte"}) {
    CAPTURE(type);
    const ProgramResult learnt =
        shop.rapt({"tokenizer", "train", "my.txt", "--type", type, "--vocab", "270", "--out", "tok.json"});
    CHECK(learnt.code == 0);
    CHECK(learnt.out.empty());
    CHECK(learnt.err.find("wrote tok.json: ") != std::string::npos);
    const ProgramResult ids = shop.rapt({"tokenizer", "encode", "--tokenizer", "tok.json"}, kText);
    CHECK(ids.code == 0);
    CHECK(std::count(ids.out.begin(), ids.out.end(), '\n') == 4);
    CHECK(ids.out.find_first_not_of("0123456789 \n") == std::string::npos);
    const ProgramResult text = shop.rapt({"tokenizer", "decode", "--tokenizer", "tok.json"}, ids.out);
    CHECK(text.out == kText);
    CHECK(text.code == 0);
  }
}

TEST_CASE("the tokenizer's file is the same on one and two threads") {
  Workshop shop;
  shop.write("my.txt", kText);
  for (const char* threads : {"1", "2"})
    shop.rapt({"--threads", threads, "tokenizer", "train", "my.txt", "--vocab", "280", "--out",
               std::string(threads) + ".json"});
  CHECK(shop.read("1.json").size() > 1000);
  CHECK(shop.read("1.json") == shop.read("2.json"));
}

TEST_CASE("standard input is accepted, pieces are shown, and a text can be encoded whole") {
  Workshop shop;
  CHECK(shop.rapt({"tokenizer", "train", "-", "--type", "char", "--out", "tok.json", "--quiet"}, "ab\nc").err.empty());
  CHECK(shop.rapt({"tokenizer", "encode", "tok.json"}, "ba\n\nc").out == "2 1\n\n3\n");
  CHECK(shop.rapt({"tokenizer", "encode", "tok.json", "--whole"}, "a\nb").out == "1 0 2\n");
  CHECK(shop.rapt({"tokenizer", "encode", "tok.json", "--pieces"}, "abc").out == "a b c\n");
  CHECK(shop.rapt({"tokenizer", "decode", "tok.json"}, "1, 2,3\n").out == "abc\n");
}

TEST_CASE("inspect describes, --list shows every entry with control characters escaped") {
  Workshop shop;
  shop.rapt({"tokenizer", "train", "-", "--type", "char", "--out", "tok.json"}, "ab\n");
  CHECK(shop.rapt({"tokenizer", "inspect", "--tokenizer", "tok.json"}).out.find("characters") != std::string::npos);
  CHECK(shop.rapt({"tokenizer", "inspect", "tok.json", "--list"}).out == "0\t\\n\n1\ta\n2\tb\n");
}

TEST_CASE("export and import convert to and from the formats of other programs") {
  Workshop shop;
  shop.rapt({"tokenizer", "train", "-", "--vocab", "262", "--out", "tok.json"}, kText);
  CHECK(shop.rapt({"tokenizer", "export", "tok.json", "--out", "hf"}).err ==
        "wrote hf/tokenizer.json and tokenizer_config.json\n");
  CHECK(shop.read("hf/tokenizer.json") == shop.read("tok.json"));
  CHECK(shop.rapt({"tokenizer", "export", "tok.json", "--format", "gpt2", "--out", "gpt2"}).code == 0);
  CHECK(shop.has("gpt2/vocab.json"));
  CHECK(shop.has("gpt2/merges.txt"));
  CHECK(shop.rapt({"tokenizer", "import", "gpt2", "--out", "again.json"}).code == 0);
  const auto encode = [&](const char* file) { return shop.rapt({"tokenizer", "encode", file}, kText).out; };
  CHECK(encode("again.json") == encode("tok.json"));
}

TEST_CASE("a WordPiece is trained, exported to BERT's vocab.txt and imported with the same ids") {
  Workshop shop;
  shop.write("my.txt", kText);
  const ProgramResult learnt = shop.rapt(
      {"tokenizer", "train", "my.txt", "--type", "wordpiece", "--vocab", "60", "--lowercase", "--out", "wp.json"});
  CHECK(learnt.code == 0);
  CHECK(learnt.err.find("wrote wp.json: WordPiece, ") != std::string::npos);
  CHECK(shop.rapt({"tokenizer", "inspect", "wp.json"}).out.find("kind: WordPiece\n") != std::string::npos);
  CHECK(shop.rapt({"tokenizer", "export", "wp.json", "--format", "bert", "--out", "bert"}).err ==
        "wrote bert/vocab.txt and tokenizer_config.json\n");
  CHECK(shop.read("bert/vocab.txt").find("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n;\n") == 0);
  for (const char* source : {"bert", "bert/vocab.txt"}) {
    CHECK(shop.rapt({"tokenizer", "import", source, "--out", "again.json"}).code == 0);
    CHECK(shop.read("again.json") == shop.read("wp.json"));
  }
  CHECK(shop.rapt({"tokenizer", "encode", "wp.json", "--pieces"}, "The [MASK] Zoo\n").out == "the [MASK] [UNK]\n");
  check_error(shop.rapt({"tokenizer", "export", "wp.json", "--format", "gpt2", "--out", "x"}), 64,
              "tokenizer: only a BPE has vocab.json and merges.txt, got WordPiece");
  check_error(shop.rapt({"tokenizer", "inspect", "my.txt"}), 65,
              "tokenizer: my.txt must have [UNK] as one of its lines, got none; a vocab.txt holds one token per line");
}

TEST_CASE("errors in a tokenizer or its input are reported in one line") {
  Workshop shop;
  shop.rapt({"tokenizer", "train", "-", "--type", "char", "--out", "tok.json"}, "ab");
  check_error(shop.rapt({"tokenizer"}), 64,
              "rapt tokenizer needs one of train, encode, decode, inspect, import, export; see rapt help tokenizer");
  check_error(shop.rapt({"tokenizer", "trian"}), 64,
              "unknown command tokenizer trian; did you mean rapt tokenizer train?");
  check_error(shop.rapt({"tokenizer", "xyzzy"}), 64,
              "unknown command tokenizer xyzzy; rapt tokenizer has train, encode, decode, inspect, import, export");
  check_error(shop.rapt({"tokenizer", "train", "--out", "x"}), 64,
              "rapt tokenizer train needs FILE..., or - for standard input");
  check_error(shop.rapt({"tokenizer", "train", "x.txt"}), 64, "rapt tokenizer train needs --out FILE");
  check_error(shop.rapt({"tokenizer", "encode"}), 64, "rapt tokenizer encode needs --tokenizer FILE");
  check_error(shop.rapt({"tokenizer", "encode", "none.json"}), 66, "none.json: no such file; did you mean tok.json?");
  check_error(shop.rapt({"tokenizer", "decode", "tok.json"}, "1 x\n"), 65,
              "standard input: line 1: an id must be a whole number, got \"x\"");
  check_error(shop.rapt({"tokenizer", "decode", "tok.json"}, "0\n7\n"), 65,
              "standard input: line 2: tokenizer: an id must be from 0 to 1, got 7");
  check_error(shop.rapt({"tokenizer", "train", "-", "--lowercase", "--out", "x"}, "a"), 64,
              "--lowercase requires --type bpe, wordpiece, metaspace-bpe, unigram or word, got --type byte-bpe");
  check_error(shop.rapt({"tokenizer", "export", "tok.json", "--out", "x", "--format", "hff"}), 64,
              "--format must be one of hf|gpt2|bert, got \"hff\"; did you mean hf?");
  check_error(shop.rapt({"tokenizer", "train", "-", "--out", "no/such/x.json", "--quiet"}, "some text"), 73,
              "no/such/x.json: cannot be created, folder not found: no/such");
  CHECK(shop.rapt({"tokenizer", "train", "-", "--type", "words", "--out", "x"}, "a").code == 64);
  CHECK(shop.rapt({"tokenizer", "encode", "tok.json"}, "xyz\n").code == 65);
}
