#include "text/batches/token_store.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/shared_data.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "text/corpus/stories.h"
#include "text/corpus/token_file.h"
#include "text/text_fixture.h"
#include "text/tokenizer_fixture.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;

static std::unique_ptr<Tokenizer> learn_small(TokenizerType type, const std::string& text,
                                              std::vector<std::string> special = {}, std::int64_t vocabulary = 400) {
  return learn({.type = type, .vocabulary = vocabulary, .special = std::move(special)}, text);
}

static Ids ids_of(const TokenStore& store, TokenRange range) {
  Ids ids(static_cast<std::size_t>(range.size()));
  store.copy(range.begin, ids);
  return ids;
}

static Ids ids_of(const TokenStore& store, Part part) { return ids_of(store, store.part(part)); }

static std::vector<std::string> documents_of(const TokenStore& store, const Tokenizer& tokenizer, Part part) {
  std::vector<std::string> texts;
  const TokenRange documents = store.documents(part);
  for (Dim d = documents.begin; d < documents.end; ++d) {
    texts.push_back(tokenizer.decode(ids_of(store, store.document(d)), true));
  }
  return texts;
}

static Ids joined(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_CASE("a file is split at int(0.9 * characters), and both parts are encoded separately") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 123; ++i) text += i % 7 == 0 ? "\xC3\xA9" : i % 5 == 0 ? "\n" : "x";
  const auto tokenizer = learn_small(TokenizerType::kChar, text);
  const TokenStore store = build_token_store(Corpus::from_text("a", text), nullptr, *tokenizer, folder / "d.h5");
  CHECK(store.size() == 123);
  CHECK(store.part(Part::kTrain).size() == 110);  // 0.9 * 123 = 110.7
  CHECK(joined(ids_of(store, Part::kTrain), ids_of(store, Part::kValidation)) == tokenizer->encode(text));
  CHECK(store.text_bytes(Part::kTrain) + store.text_bytes(Part::kValidation) == text.size());
  CHECK(store.text_bytes(Part::kTrain) == tokenizer->decode(ids_of(store, Part::kTrain)).size());
  CHECK(store.documents(Part::kTrain).size() == 1);
  CHECK(store.documents(Part::kValidation).size() == 1);
  CHECK(store.vocabulary_size() == tokenizer->vocabulary_size());
  CHECK(store.tokenizer_json() == tokenizer->to_json());
  CHECK_FALSE(store.end_of_text().has_value());
}

TEST_CASE("tiny Shakespeare is split as nanoGPT splits it") {
  const std::string path = shared_data("data/lm/tinyshakespeare.txt");
  if (path.empty()) return;
  const TemporaryFolder folder;
  const std::string text = read_plainly(path);
  const auto tokenizer = learn_small(TokenizerType::kChar, text);
  const TokenStore store = build_token_store(Corpus({.sources = {path}}), nullptr, *tokenizer, folder / "d.h5");
  CHECK(store.vocabulary_size() == 65);
  CHECK(store.part(Part::kTrain).size() == 1'003'854);
  CHECK(store.part(Part::kValidation).size() == 111'540);
  CHECK(store.text_bytes(Part::kValidation) == 111'540);
  CHECK(ids_of(store, Part::kTrain) == tokenizer->encode(text.substr(0, 1'003'854)));
  CHECK(ids_of(store, Part::kValidation) == tokenizer->encode(text.substr(1'003'854)));
}

TEST_CASE("a long text encoded in pieces has the tokens of the whole") {
  const TemporaryFolder folder;
  const std::string text = generate_stories(3, 3'000'000);
  const auto tokenizer = learn_small(TokenizerType::kByteBpe, text.substr(0, 200'000), {"<|endoftext|>"});
  const TokenStore store =
      build_token_store(Corpus::from_text("a", text), nullptr, *tokenizer, folder / "d.h5", {.validation_fraction = 0});
  CHECK(store.part(Part::kValidation).size() == 0);
  CHECK(ids_of(store, Part::kTrain) == tokenizer->encode(text));
}

TEST_CASE("long documents are encoded in pieces and marked once, at their end") {
  const TemporaryFolder folder;
  const std::string a = generate_stories(6, 1'500'000), b = generate_stories(7, 1'500'000);
  const auto tokenizer = learn_small(TokenizerType::kByteBpe, a.substr(0, 100'000), {"<|endoftext|>"});
  const std::int32_t end = *tokenizer->end_of_text();
  const Corpus corpus({.sources = {write_in(folder, "a", a), write_in(folder, "b", b)}});
  const TokenStore store =
      build_token_store(corpus, nullptr, *tokenizer, folder / "d.h5", {.validation_fraction = 0, .end_of_text = end});
  const Ids ids = joined(joined(tokenizer->encode(a), {end}), joined(tokenizer->encode(b), {end}));
  CHECK(ids_of(store, Part::kTrain) == ids);
}

TEST_CASE("a text that cannot be split is held and encoded as a whole") {
  const TemporaryFolder folder;
  const std::string text(3'000'000, 'a');
  const auto tokenizer = learn_small(TokenizerType::kByteBpe, "aa aaa aaaa aaa aaaa", {}, 260);
  const TokenStore store =
      build_token_store(Corpus::from_text("a", text), nullptr, *tokenizer, folder / "d.h5", {.validation_fraction = 0});
  CHECK(ids_of(store, Part::kTrain) == tokenizer->encode(text));
}

TEST_CASE("the file has the same bytes each time, on any number of threads") {
  const TemporaryFolder folder;
  const std::string text = generate_stories(4, 1'000'000);
  const auto tokenizer = learn_small(TokenizerType::kByteBpe, text.substr(0, 100'000), {"<|endoftext|>"});
  const int threads = thread_count();
  for (const DocumentUnit unit : {DocumentUnit::kFile, DocumentUnit::kParagraph}) {
    const Corpus corpus = Corpus::from_text("a", text, unit);
    const TokenStoreOptions options{.end_of_text = document_end(corpus, *tokenizer)};
    CHECK(options.end_of_text.has_value() == (unit == DocumentUnit::kParagraph));
    set_thread_count(1);
    build_token_store(corpus, nullptr, *tokenizer, folder / "one.h5", options);
    set_thread_count(3);
    build_token_store(corpus, nullptr, *tokenizer, folder / "three.h5", options);
    CHECK(read_plainly(folder / "one.h5") == read_plainly(folder / "three.h5"));
  }
  set_thread_count(threads);
}

TEST_CASE("documents are kept apart, end with their token, and are split between documents") {
  const TemporaryFolder folder;
  const std::string text = "anna\nben\n\nclara\ndora\nemil\nfritz\n";
  const auto tokenizer = learn_small(TokenizerType::kChar, text, {"<|endoftext|>"});
  const Corpus corpus = Corpus::from_text("names.txt", text, DocumentUnit::kLine);
  const std::int32_t end = *tokenizer->end_of_text();
  CHECK(document_end(corpus, *tokenizer) == end);
  const TokenStore store =
      build_token_store(corpus, nullptr, *tokenizer, folder / "d.h5", {.validation_fraction = 0.4, .end_of_text = end});
  CHECK(documents_of(store, *tokenizer, Part::kTrain) == std::vector<std::string>{"anna", "ben", "clara"});
  CHECK(documents_of(store, *tokenizer, Part::kValidation) == std::vector<std::string>{"dora", "emil", "fritz"});
  CHECK(ids_of(store, store.document(1)) == joined(tokenizer->encode("ben"), {end}));
  CHECK(store.end_of_text() == end);
  CHECK(store.text_bytes(Part::kTrain) == 12);
  const auto train_documents_at = [&](double fraction) {
    return build_token_store(corpus, nullptr, *tokenizer, folder / "d.h5", {.validation_fraction = fraction})
        .documents(Part::kTrain)
        .size();
  };
  CHECK(train_documents_at(0.01) == 5);
  CHECK(train_documents_at(0.99) == 1);
  CHECK_THROWS_AS(store.document(6), std::out_of_range);
}

TEST_CASE("several files: each is a document, and the split may go through one") {
  const TemporaryFolder folder;
  const std::string a = write_in(folder, "a", "aaaa"), b = write_in(folder, "b", "bbbbbb");
  const auto tokenizer = learn_small(TokenizerType::kChar, "ab", {"<|endoftext|>"});
  const std::int32_t end = *tokenizer->end_of_text();
  const Corpus corpus({.sources = {a, b}});
  const auto store_at = [&](double fraction) {
    return build_token_store(corpus, nullptr, *tokenizer, folder / "d.h5",
                             {.validation_fraction = fraction, .end_of_text = end});
  };
  const auto texts = [&](double fraction, Part part) { return documents_of(store_at(fraction), *tokenizer, part); };
  CHECK(texts(0.3, Part::kTrain) == std::vector<std::string>{"aaaa", "bbb"});
  CHECK(texts(0.3, Part::kValidation) == std::vector<std::string>{"bbb"});
  CHECK(store_at(0.3).part(Part::kTrain).size() == 8);  // only the end of a document is marked
  CHECK(texts(0.6, Part::kTrain) == std::vector<std::string>{"aaaa"});
  CHECK(texts(0.6, Part::kValidation) == std::vector<std::string>{"bbbbbb"});
  CHECK(texts(0.0, Part::kTrain) == std::vector<std::string>{"aaaa", "bbbbbb"});
  CHECK(texts(0.95, Part::kTrain).empty());
}

TEST_CASE("a split of a text in many pieces is exact") {
  const TemporaryFolder folder;
  const std::string text = generate_stories(5, 2'000'000);
  const auto tokenizer = learn_small(TokenizerType::kByte, "");
  for (const double fraction : {0.1, 0.5, 0.9, 0.9999}) {
    CAPTURE(fraction);
    const TokenStore store = build_token_store(Corpus::from_text("a", text), nullptr, *tokenizer, folder / "d.h5",
                                               {.validation_fraction = fraction});
    CHECK(store.part(Part::kTrain).size() == static_cast<Dim>((1 - fraction) * static_cast<double>(text.size())));
    CHECK(joined(ids_of(store, Part::kTrain), ids_of(store, Part::kValidation)) == tokenizer->encode(text));
  }
}

TEST_CASE("a separate validation corpus is the validation part") {
  const TemporaryFolder folder;
  const auto tokenizer = learn_small(TokenizerType::kChar, "abc");
  const Corpus training = Corpus::from_text("t", "aabb"), validation = Corpus::from_text("v", "ccc");
  const TokenStore store = build_token_store(training, &validation, *tokenizer, folder / "d.h5");
  CHECK(tokenizer->decode(ids_of(store, Part::kTrain)) == "aabb");
  CHECK(tokenizer->decode(ids_of(store, Part::kValidation)) == "ccc");
  CHECK(store.sources_json().find("\"validation\"") != std::string::npos);
}

TEST_CASE("token files are read unchanged, and the bytes of their text are counted") {
  const TemporaryFolder folder;
  const auto tokenizer = learn_small(TokenizerType::kByteBpe, "low lower lowest", {"<|endoftext|>"}, 270);
  Ids ids = joined(tokenizer->encode("low lower"), {*tokenizer->end_of_text()});
  ids = joined(ids, tokenizer->encode("lowest lows"));
  TokenFileWriter writer(folder / "a.bin", TokenFileFormat::kLlmc16, static_cast<Dim>(ids.size()));
  writer.append(ids);
  writer.commit();
  const Corpus corpus({.sources = {folder / "a.bin"}});
  const TokenStore store =
      build_token_store(corpus, nullptr, *tokenizer, folder / "d.h5", {.validation_fraction = 0.5});
  CHECK(joined(ids_of(store, Part::kTrain), ids_of(store, Part::kValidation)) == ids);
  CHECK(store.part(Part::kTrain).size() == static_cast<Dim>(ids.size() / 2));
  CHECK(store.text_bytes(Part::kTrain) + store.text_bytes(Part::kValidation) == 9 + 11);
  const auto small = learn_small(TokenizerType::kChar, "abc");
  CHECK_THROWS_AS(build_token_store(corpus, nullptr, *small, folder / "e.h5"), DataError);
  CHECK_FALSE(std::filesystem::exists(folder / "e.h5"));
}

TEST_CASE("a store is reused while everything that determines it is the same") {
  const TemporaryFolder folder;
  const std::string path = write_in(folder, "a.txt", "some text"), at = folder / "d.h5";
  const auto tokenizer = learn_small(TokenizerType::kChar, "some text!"),
             other = learn_small(TokenizerType::kChar, "some text!?");
  int built = 0;
  const auto open = [&](const Tokenizer& with, double fraction) {
    built = 0;
    return open_or_build_token_store(Corpus({.sources = {path}}), nullptr, with, at, {.validation_fraction = fraction},
                                     [&](std::uint64_t, std::uint64_t) { built = 1; });
  };
  open(*tokenizer, 0.1);
  CHECK(built == 1);
  const TokenStore again = open(*tokenizer, 0.1);
  CHECK(built == 0);
  again.require_tokenizer(*tokenizer);
  CHECK(
      message_of<ConfigError>([&] { again.require_tokenizer(*other); }) ==
      at +
          ": must be made with the tokenizer in use, got one with 8 tokens where this has 9; build it again with: rapt "
          "data build --tokenizer");
  open(*tokenizer, 0.2);
  CHECK(built == 1);
  open(*other, 0.2);
  CHECK(built == 1);
  write_plainly(path, "some text!");
  open(*other, 0.2);
  CHECK(built == 1);
  write_plainly(at, read_plainly(at).substr(0, 1000));
  CHECK(open(*other, 0.2).size() == 10);
  CHECK(built == 1);
  CHECK(is_token_store(at));
  CHECK_FALSE(is_token_store(path));
  CHECK(files_in(folder.path()) == 2);
}

TEST_CASE("input that cannot be tokenised is named, and leaves no file") {
  const TemporaryFolder folder;
  const auto tokenizer = learn_small(TokenizerType::kChar, "abc ");
  const auto build = [&](const std::string& text) {
    build_token_store(Corpus::from_text("a.txt", text), nullptr, *tokenizer, folder / "d.h5");
  };
  CHECK(message_of<DataError>([&] { build("abcd"); }).starts_with("a.txt: tokenizer: a character must be one of"));
  std::string late(3'000'000, 'a');
  for (std::size_t i = 0; i < late.size(); i += 100) late[i] = ' ';
  late[2'500'001] = 'd';
  const std::string message = message_of<DataError>([&] { build(late); });
  CHECK(message.find("at byte 2500001") != std::string::npos);
  CHECK(message_of<DataError>([&] { build("ab\xFF"); }) ==
        "a.txt: must be text in UTF-8, got 0xFF at byte 2; convert Latin-1 text with: iconv -f LATIN1 -t UTF-8");
  CHECK(message_of<DataError>([&] { build(""); }) == "a.txt: must hold text, got none");
  CHECK(files_in(folder.path()) == 0);
  CHECK_THROWS_AS(build_token_store(Corpus::from_text("a", "abc"), nullptr, *tokenizer, folder / "d.h5",
                                    {.validation_fraction = 1}),
                  UsageError);
}

TEST_CASE("a progress callback sees all bytes, and can stop the work") {
  const TemporaryFolder folder;
  const std::string text(1'000'000, 'x');
  const auto tokenizer = learn_small(TokenizerType::kByte, "");
  std::uint64_t last = 0;
  build_token_store(Corpus::from_text("a", text), nullptr, *tokenizer, folder / "d.h5", {},
                    [&](std::uint64_t done, std::uint64_t total) {
                      CHECK(done > last);
                      CHECK(total == text.size());
                      last = done;
                    });
  CHECK(last == text.size());
  CHECK_THROWS_AS(build_token_store(Corpus::from_text("a", text), nullptr, *tokenizer, folder / "e.h5", {},
                                    [](std::uint64_t, std::uint64_t) { throw InterruptedError("stop"); }),
                  InterruptedError);
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("large vocabularies are kept in 32 bits") {
  const TokenStore store = TokenStore::from_ids({70'000, 1, 2}, 70'001, 2);
  CHECK(ids_of(store, Part::kTrain) == Ids{70'000, 1});
  CHECK(ids_of(store, Part::kValidation) == Ids{2});
  CHECK(store.documents(Part::kValidation).begin == 1);
  CHECK_THROWS_AS(ids_of(TokenStore::from_ids({5}, 5, 1), Part::kTrain), DataError);
  CHECK_THROWS_AS(TokenStore::from_ids({1, 2, 3}, 5, 2, {0, 1, 3}), std::invalid_argument);
}

TEST_CASE("files that are not token stores are named") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(TokenStore::open(folder / "none.h5"), MissingInputError);
  CHECK_THROWS_AS(TokenStore::open(write_in(folder, "a.h5", "not HDF5 at all")), DataError);
}

TEST_CASE("a source that changes before it is tokenised is an error, and leaves no file") {
  const TemporaryFolder folder;
  const auto tokenizer = learn_small(TokenizerType::kChar, "some text!");
  const std::string path = write_in(folder, "a.txt", "some text");
  const Corpus corpus({.sources = {path}});
  corpus.scan();
  write_plainly(path, "text some");
  const std::string message =
      message_of<DataError>([&] { build_token_store(corpus, nullptr, *tokenizer, folder / "d.h5"); });
  CAPTURE(message);
  CHECK(message.starts_with(path + ": must not change while it is used, got other bytes"));
  const std::string tokens = write_in(folder, "b.bin", std::string("\1\0\2\0\3\0", 6));
  const Corpus ids({.sources = {tokens}});
  static_cast<void>(ids.files());
  write_plainly(tokens, std::string("\1\0\2\0\2\0", 6));
  CHECK_THROWS_AS(build_token_store(ids, nullptr, *tokenizer, folder / "d.h5"), DataError);
  CHECK(files_in(folder.path()) == 2);
}
