#include "text/pairs/pair_store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/file.h"
#include "support/thread_counts.h"
#include "tensor/error.h"
#include "text/pairs/pair_batches.h"
#include "text/text_fixture.h"
#include "text/tokenizer/training/tokenizer_trainer.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;

namespace {

std::shared_ptr<const Tokenizer> learn(TokenizerType type, const std::string& text, std::int64_t vocabulary = 100) {
  TokenizerTrainer trainer({.type = type, .vocabulary = vocabulary, .special = pair_special_tokens()});
  trainer.add_text(text);
  return trainer.train();
}

// Digits on both sides: line i is the number i, and on the other side its digits three times.
struct Shop {
  explicit Shop(int lines = 40) {
    std::string source, target;
    for (int i = 0; i < lines; ++i) {
      const std::string n = std::to_string(i);
      source += n + "\n";
      target += n + n + n + "\n";
    }
    files(source, target);
  }
  void files(const std::string& source, const std::string& target) {
    a = write_in(folder, "a.src", source);
    b = write_in(folder, "a.tgt", target);
  }
  PairCorpus corpus() const { return PairCorpus({.sources = {a}, .targets = {b}}); }
  PairTokenizers tokenizers() const { return {*digits, *digits}; }
  PairStore build(const PairStoreOptions& options = {}, const PairCorpus* validation = nullptr) const {
    return open_or_build_pair_store(corpus(), validation, tokenizers(), path(), options);
  }
  std::string path() const { return folder / "pairs.h5"; }

  TemporaryFolder folder;
  std::string a, b;
  std::shared_ptr<const Tokenizer> digits = learn(TokenizerType::kChar, "0123456789");
};

std::string text_of(const PairStore& store, const Tokenizer& tokenizer, Dim pair, PairSide side) {
  const TokenRange range = store.range(pair, side);
  Ids ids(static_cast<std::size_t>(range.size()));
  store.copy(range, side, ids);
  return tokenizer.decode(ids);
}

std::filesystem::file_time_type written_at(const std::string& path) { return std::filesystem::last_write_time(path); }

}  // namespace

TEST_CASE("a store has every pair once, and holds out some from everywhere") {
  const Shop shop;
  const PairStore store = shop.build({.validation_fraction = 0.25});
  CHECK(store.pairs(Part::kTrain) == 30);
  CHECK(store.pairs(Part::kValidation) == 10);
  std::set<std::string> seen;
  for (Dim pair = 0; pair < 40; ++pair) {
    const std::string n = text_of(store, *shop.digits, pair, PairSide::kSource);
    CHECK(text_of(store, *shop.digits, pair, PairSide::kTarget) == n + n + n);
    seen.insert(n);
  }
  CHECK(seen.size() == 40);
  CHECK(text_of(store, *shop.digits, 30, PairSide::kSource) == "3");
  CHECK(text_of(store, *shop.digits, 39, PairSide::kSource) == "39");
  CHECK(store.tokens(Part::kTrain, PairSide::kSource) + store.tokens(Part::kValidation, PairSide::kSource) == 70);
  CHECK(store.tokens(Part::kTrain, PairSide::kTarget) == 3 * store.tokens(Part::kTrain, PairSide::kSource));
  CHECK(store.vocabulary_size(PairSide::kTarget) == 14);
  CHECK(store.tokenizer_json(PairSide::kSource) == shop.digits->to_json());
}

TEST_CASE("a validation corpus is kept whole, whatever its lengths") {
  const Shop shop;
  Shop other(3);
  other.files("1\n2\n", "1\n222222222\n");
  const PairCorpus validation = other.corpus();
  const PairStore store = shop.build({.max_length_ratio = 4}, &validation);
  CHECK(store.pairs(Part::kTrain) == 40);
  CHECK(store.pairs(Part::kValidation) == 2);
  CHECK(text_of(store, *shop.digits, 41, PairSide::kTarget) == "222222222");
}

TEST_CASE("what is left out and cut off is counted, with the first place") {
  Shop shop;
  shop.files("1\n\n123456\n12\n1\n3\n", "1\n2\n1\n1234567\n \n3333\n");
  const PairStore store =
      shop.build({.validation_fraction = 0, .max_source_length = 3, .max_target_length = 4, .max_length_ratio = 5});
  CHECK(store.pairs(Part::kTrain) == 3);
  CHECK(store.pairs(Part::kValidation) == 0);
  const PairStoreCounts& counts = store.counts();
  CHECK(counts.empty == 2);
  CHECK(counts.first_empty == shop.a + ": line 2");
  CHECK(counts.unequal == 1);
  CHECK(counts.first_unequal == shop.a + ": line 3");
  CHECK(counts.cut_sources == 0);
  CHECK(counts.cut_targets == 2);
  CHECK(text_of(store, *shop.digits, 1, PairSide::kSource) == "12");  // two tokens and the end
  CHECK(text_of(store, *shop.digits, 1, PairSide::kTarget) == "123");
  CHECK(text_of(store, *shop.digits, 2, PairSide::kTarget) == "333");
  CHECK(store.options().max_target_length == 4);
  shop.files("123456\n", "1\n");
  CHECK(message_of([&] { shop.build({.max_length_ratio = 5}); }) ==
        shop.a + ": must leave pairs to train on, got none of 1; raise --max-length-ratio");
  shop.files("1\nx\n", "1\n1\n");
  const auto letters = learn(TokenizerType::kWord, "1 1");
  const PairTokenizers plain{*letters, *letters};
  CHECK(build_pair_store(shop.corpus(), nullptr, plain, shop.path(), {}).pairs(Part::kTrain) == 1);
}

TEST_CASE("a store is reused for the same bytes, and made anew for others or if it is damaged") {
  Shop shop;
  const std::string key = shop.build().key();
  const auto first = written_at(shop.path());
  CHECK(shop.build().key() == key);
  std::filesystem::rename(shop.a, shop.folder / "renamed");
  shop.a = shop.folder / "renamed";
  CHECK(shop.build().key() == key);
  CHECK(written_at(shop.path()) == first);

  CHECK(shop.build({.max_source_length = 20}).key() != key);
  CHECK(shop.build({.keeps_texts = true}).key() != key);
  CHECK(shop.build({.max_length_ratio = 9}).key() != key);
  CHECK(shop.build({.validation_fraction = 0.2}).key() != key);
  const auto more = learn(TokenizerType::kChar, "0123456789x");
  const PairTokenizers other{*shop.digits, *more};
  CHECK(open_or_build_pair_store(shop.corpus(), nullptr, other, shop.path()).key() != key);
  write_in(shop.folder, "a.tgt", read_file(shop.b) + "\n");
  write_in(shop.folder, "renamed", read_file(shop.a) + "\n");
  CHECK(shop.build().key() != key);

  const PairStore before = shop.build();
  const std::string whole = read_file(shop.path());
  write_in(shop.folder, "pairs.h5", whole.substr(0, whole.size() / 2));
  CHECK(shop.build().key() == before.key());
  CHECK(read_file(shop.path()) == whole);
  CHECK(is_pair_store(shop.path()));
  CHECK_FALSE(is_pair_store(shop.a));
}

TEST_CASE("damaged contents are found when they are read") {
  const Shop shop;
  shop.build();
  std::string bytes = read_file(shop.path());
  const auto fourth_token = bytes.find(std::string("\x04\0\x05\0", 4));  // tokens of 0, 000, 1 as u16
  REQUIRE(fourth_token != std::string::npos);
  bytes[fourth_token] = '\x7F';
  write_in(shop.folder, "pairs.h5", bytes);
  const PairStore store = PairStore::open(shop.path());
  const std::string message = message_of([&] { text_of(store, *shop.digits, 0, PairSide::kTarget); });
  CHECK(message == shop.path() + ": ids must be below the vocabulary's 14, got 127 at token 3; the file is damaged");
  CHECK(message_of([&] { PairStore::open(shop.a); }).starts_with(shop.a));
}

TEST_CASE("the bytes of a store do not depend on the number of threads") {
  Shop shop(9000);
  const auto build = [&](int threads) {
    return testing::on_threads(threads, [&] {
      build_pair_store(shop.corpus(), nullptr, shop.tokenizers(), shop.path(), {.keeps_texts = true});
      return read_file(shop.path());
    });
  };
  CHECK(build(1) == build(3));
}

// ------------------------------------------------------------------------------------------------------------- batches

TEST_CASE("a batch has the source with its end, and the target behind its start") {
  const Batch batch = make_pair_batch(std::vector<PairIds>{{{7, 8}, {9}}, {{5}, {6, 4, 9}}}, {.start = 0, .end = 2});
  const auto ids = [](const Tensor& t) { return Ids(t.span<std::int32_t>().begin(), t.span<std::int32_t>().end()); };
  CHECK(ids(batch.source->tokens) == Ids{7, 8, 2, 5, 2});
  CHECK(ids(batch.source->layout.offsets) == Ids{0, 3, 5});
  CHECK(ids(batch.source->positions) == Ids{0, 1, 2, 0, 1});
  CHECK(ids(batch.input.tokens) == Ids{0, 9, 0, 6, 4, 9});
  CHECK(ids(batch.input.layout.offsets) == Ids{0, 2, 6});
  CHECK(ids(batch.targets.ids) == Ids{9, 2, 6, 4, 9, 2});
  CHECK(ids(batch.targets.rows) == Ids{0, 1, 2, 3, 4, 5});
}

TEST_CASE("an epoch has every training pair once, in an order of its own, whatever the batches") {
  const Shop shop;
  const PairStore store = shop.build();
  const PairBatches batches(store, {0, 2}, 1), again(store, {0, 2}, 1), other(store, {0, 2}, 2);
  REQUIRE(batches.samples_per_epoch() == 36);
  const auto sources = [](const PairBatches& b, std::uint64_t from) {
    std::vector<Ids> all;
    for (std::uint64_t i = from; i < from + 36; ++i) all.push_back(b.sample(i).source);
    return all;
  };
  const auto first = sources(batches, 0), second = sources(batches, 36);
  CHECK(std::set<Ids>(first.begin(), first.end()).size() == 36);
  CHECK(std::set<Ids>(second.begin(), second.end()) == std::set<Ids>(first.begin(), first.end()));
  CHECK(first != second);
  CHECK(sources(again, 36) == second);  // as a run that is resumed
  CHECK(sources(other, 0) != first);
  const Batch whole = batches.batch(3, 4), half = again.batch(5, 2);
  CHECK(whole.source->layout.sequences() == 4);
  CHECK(half.targets.count() ==
        static_cast<Dim>(batches.sample(5).target.size() + batches.sample(6).target.size()) + 2);
  Dim tokens = 0;
  for (std::uint64_t i = 0; i < 36; ++i) tokens += batches.tokens_of(i);
  CHECK(batches.tokens_per_sample() == doctest::Approx(static_cast<double>(tokens) / 36));
}

TEST_CASE("in the first epochs, targets are passages of their sources if copies are requested") {
  Shop shop;
  std::string sources, targets;
  for (int i = 0; i < 10; ++i) {
    for (int word = 0; word < (i == 0 ? 3 : 40); ++word) sources += std::to_string(100 + 7 * i + word) + " ";
    sources += "\n";
    targets += "x\n";
  }
  shop.files(sources, targets);
  const auto words = learn(TokenizerType::kWord, sources + targets, 200);
  const PairStore store =
      open_or_build_pair_store(shop.corpus(), nullptr, {*words, *words}, shop.path(), {.validation_fraction = 0});
  const PairBatches batches(store, {0, 2}, 1, {}, 1.5), again(store, {0, 2}, 1, {}, 1.5), plain(store, {0, 2}, 1);
  std::map<Ids, std::set<Ids>> passages;
  for (std::uint64_t i = 0; i < 30; ++i) {
    CAPTURE(i);
    const PairIds ids = batches.sample(i);
    CHECK(ids.source == plain.sample(i).source);
    CHECK(ids.target == again.sample(i).target);
    CHECK(batches.tokens_of(i) == static_cast<Dim>(ids.source.size() + ids.target.size()) + 2);
    if (i >= 15) {
      CHECK(ids.target == plain.sample(i).target);
      continue;
    }
    CHECK(std::search(ids.source.begin(), ids.source.end(), ids.target.begin(), ids.target.end()) != ids.source.end());
    CHECK(ids.target.size() >= std::min<std::size_t>(8, ids.source.size()));
    CHECK(ids.target.size() <= 24);
    passages[ids.source].insert(ids.target);
  }
  CHECK(passages.size() == 10);
  const auto drawn_anew = std::ranges::count_if(passages, [](const auto& p) { return p.second.size() == 2; });
  CHECK(drawn_anew >= 4);  // of the five pairs that are copied twice, one perhaps short
}

TEST_CASE("with BPE-dropout, the tokens of a pair are a function of seed, epoch and pair") {
  Shop shop;
  std::string text;
  for (int i = 0; i < 30; ++i) text += "the dog number " + std::to_string(i) + " barks loudly\n";
  shop.files(text, text);
  const auto bpe = learn(TokenizerType::kMetaspaceBpe, text, 90);
  const PairTokenizers tokenizers{*bpe, *bpe};
  const PairStoreOptions options{.validation_fraction = 0, .max_target_length = 12, .keeps_texts = true};
  const PairStore store = open_or_build_pair_store(shop.corpus(), nullptr, tokenizers, shop.path(), options);
  CHECK(store.text(3, PairSide::kTarget) == "the dog number 3 barks loudly");
  const PairBatches plain(store, {0, 2}, 1), random(store, {0, 2}, 1, {0.3, bpe, bpe}),
      again(store, {0, 2}, 1, {0.3, bpe, bpe}), other(store, {0, 2}, 2, {0.3, bpe, bpe});
  int different = 0, between_sides = 0;
  for (std::uint64_t i = 0; i < 30; ++i) {
    const PairIds ids = random.sample(i);
    CHECK(ids.source == again.sample(i).source);
    CHECK(bpe->decode(ids.source) == bpe->decode(plain.sample(i).source));
    CHECK(ids.target.size() <= 11);
    CHECK(random.tokens_of(i) == static_cast<Dim>(ids.source.size() + ids.target.size()) + 2);
    different += ids.source != plain.sample(i).source ? 1 : 0;
    between_sides += ids.source != ids.target ? 1 : 0;
  }
  CHECK(different > 20);
  CHECK(between_sides > 20);
  // The same pair in two epochs, and with two seeds.
  const auto splits_of = [&](const PairBatches& batches, std::uint64_t epoch) {
    std::map<std::string, Ids> splits;
    for (std::uint64_t i = 30 * epoch; i < 30 * epoch + 30; ++i) {
      splits[bpe->decode(batches.sample(i).source)] = batches.sample(i).source;
    }
    return splits;
  };
  CHECK(splits_of(random, 0) != splits_of(random, 1));
  CHECK(splits_of(random, 0) != splits_of(other, 0));
  CHECK(splits_of(random, 1) == splits_of(again, 1));
  CHECK(message_of([&] {
          PairBatches(store, {0, 2}, 1, {0.1, shop.digits, shop.digits});
        }) ==
        "--bpe-dropout needs a vocabulary of byte pairs, got characters; give --tokenizer bpe, or leave --bpe-dropout "
        "out");
}
