#include "text/batches/mlm_batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5.h"
#include "support/batch_checks.h"
#include "tensor/error.h"
#include "text/corpus/stories.h"
#include "text/text_fixture.h"
#include "text/tokenizer_fixture.h"

using namespace rapt;
using rapt::testing::ids_of;
using rapt::testing::same_batch;
using Ids = std::vector<std::int32_t>;

namespace {

/// The tokens before masking.
Ids unmasked(const Batch& batch) {
  Ids tokens = ids_of(batch.input.tokens);
  const Ids rows = ids_of(batch.targets.rows), targets = ids_of(batch.targets.ids);
  for (std::size_t m = 0; m < rows.size(); ++m) tokens[static_cast<std::size_t>(rows[m])] = targets[m];
  return tokens;
}

/// Stories with a BPE tokenizer, in a file.
struct Stories {
  TemporaryFolder folder;
  std::unique_ptr<Tokenizer> tokenizer;
  TokenStore store;

  explicit Stories(const InstanceOptions& options = {.context = 48, .passes = 3})
      : tokenizer(learn_for_bert(TokenizerType::kByteBpe, generate_stories(1, 50'000), 500)), store(build(options)) {}

  TokenStore build(const InstanceOptions& options) const {
    const Corpus corpus = Corpus::from_text("stories", generate_stories(2, 100'000), DocumentUnit::kParagraph);
    return build_token_store(corpus, nullptr, *tokenizer, folder / "d.h5", {.instances = options});
  }
};

}  // namespace

TEST_CASE("a batch has both parts with special tokens, segments, positions and labels") {
  const TemporaryFolder folder;
  const auto letters = learn_for_bert(TokenizerType::kChar, "abcdefgh");
  const Corpus corpus = Corpus::from_text("t", "abc\nd\n\nefgh\n", DocumentUnit::kParagraph);
  // Six tokens fit. "abc" is paired with "d", or with "efgh", which loses a token, or with its second half.
  const TokenStore store = build_token_store(
      corpus, nullptr, *letters, folder / "d.h5",
      {.validation_fraction = 0, .instances = InstanceOptions{.context = 9, .passes = 40, .short_probability = 0}});
  const Masker masker(*letters, {}, 9);
  std::set<std::pair<std::string, std::int32_t>> seen;
  for (Dim pass = 0; pass < 40; ++pass) {
    const MlmSequence sequence{store.instances(Part::kTrain, pass).begin, random_key(1, Purpose::kMasking)};
    const Batch batch = make_mlm_batch(store, masker, std::vector{sequence, sequence});
    const Ids tokens = unmasked(batch), offsets = ids_of(batch.input.layout.offsets),
              labels = ids_of(label_values(batch.labels));
    REQUIRE(offsets.size() == 3);
    REQUIRE(offsets[2] == 2 * offsets[1]);
    REQUIRE(batch.input.layout.longest == offsets[1]);
    REQUIRE(labels.size() == 2);
    seen.insert({letters->decode(std::span(tokens).subspan(0, static_cast<std::size_t>(offsets[1]))), labels[0]});
    const Ids positions = ids_of(batch.input.positions), segments = ids_of(batch.input.segments);
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      const auto within = static_cast<std::int32_t>(t) % offsets[1];
      REQUIRE(positions[t] == within);
      REQUIRE(segments[t] == (within < 5 ? 0 : 1));  // [CLS] a b c [SEP]
    }
    const Ids rows = ids_of(batch.targets.rows);
    REQUIRE(rows.size() == 2);  // round(0.15 * 7) = 1 each
    REQUIRE(rows[1] == rows[0] + offsets[1]);
  }
  CHECK(seen == std::set<std::pair<std::string, std::int32_t>>{{"[CLS]abc[SEP]d[SEP]", 0},
                                                               {"[CLS]abc[SEP]efg[SEP]", 1},
                                                               {"[CLS]abc[SEP]fgh[SEP]", 1},
                                                               {"[CLS]abc[SEP]gh[SEP]", 1}});
}

TEST_CASE("without pairs a batch has one part and no labels") {
  const Stories stories({.task = InstanceTask::kMlm, .context = 48, .passes = 1, .short_probability = 0});
  const MlmEvaluation evaluation(stories.store, *stories.tokenizer, Part::kTrain, {});
  const Batch batch = evaluation.batch(0, 3);
  CHECK(label_count(batch.labels) == 0);
  const Ids segments = ids_of(batch.input.segments);
  CHECK(std::count(segments.begin(), segments.end(), 0) == static_cast<std::ptrdiff_t>(segments.size()));
  CHECK(batch.input.layout.longest <= 48);
  const Ids tokens = unmasked(batch), offsets = ids_of(batch.input.layout.offsets);
  const std::int32_t mark = *stories.tokenizer->token_id("[CLS]"), end = *stories.tokenizer->token_id("[SEP]");
  for (std::size_t b = 0; b < 3; ++b) {
    CHECK(tokens[static_cast<std::size_t>(offsets[b])] == mark);
    CHECK(tokens[static_cast<std::size_t>(offsets[b + 1] - 1)] == end);
  }
  CHECK(std::count(tokens.begin(), tokens.end(), end) == 3);
  Ids text(static_cast<std::size_t>(offsets[1] - 2));
  stories.store.copy(0, text);
  CHECK(std::equal(text.begin(), text.end(), tokens.begin() + 1));
}

TEST_CASE("a sample depends on seed and index alone, not on the batch it comes in") {
  const Stories stories;
  const MlmBatches a(stories.store, *stories.tokenizer, {}, 1), b(stories.store, *stories.tokenizer, {}, 1);
  std::vector<MlmSequence> split;
  for (std::uint64_t i = 3; i < 11; ++i) split.push_back(b.sequence(i));
  const Masker masker(*stories.tokenizer, {}, 48);
  const Batch whole = a.batch(3, 8);
  CHECK(same_batch(whole, make_mlm_batch(stories.store, masker, split)));
  const Batch first = b.batch(3, 4), second = b.batch(7, 4);
  Ids tokens = ids_of(first.input.tokens), targets = ids_of(first.targets.ids),
      labels = ids_of(label_values(first.labels));
  for (const std::int32_t id : ids_of(second.input.tokens)) tokens.push_back(id);
  for (const std::int32_t id : ids_of(second.targets.ids)) targets.push_back(id);
  for (const std::int32_t label : ids_of(label_values(second.labels))) labels.push_back(label);
  CHECK(ids_of(whole.input.tokens) == tokens);
  CHECK(ids_of(whole.targets.ids) == targets);
  CHECK(ids_of(label_values(whole.labels)) == labels);
  CHECK_FALSE(same_batch(whole, MlmBatches(stories.store, *stories.tokenizer, {}, 2).batch(3, 8)));
  CHECK_FALSE(same_batch(whole, a.batch(11, 8)));
  CHECK(a.context() == 48);
}

TEST_CASE("an epoch is one pass in random order; masks differ between epochs or stay, as asked") {
  const Stories stories;
  const MlmBatches dynamic(stories.store, *stories.tokenizer, {}, 5);
  const MlmBatches fixed(stories.store, *stories.tokenizer, {.dynamic = false}, 5);
  std::uint64_t sample = 0, total = 0;
  std::vector<std::vector<Dim>> orders;
  for (Dim epoch = 0; epoch < 6; ++epoch) {
    const TokenRange pass = stories.store.instances(Part::kTrain, epoch % 3);
    std::vector<Dim> order;
    for (Dim i = 0; i < pass.size(); ++i, ++sample) {
      const MlmSequence sequence = dynamic.sequence(sample);
      REQUIRE(fixed.sequence(sample).instance == sequence.instance);
      order.push_back(sequence.instance);
    }
    std::vector<Dim> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    for (Dim i = 0; i < pass.size(); ++i) REQUIRE(sorted[static_cast<std::size_t>(i)] == pass.begin + i);
    CHECK(sorted != order);
    orders.push_back(order);
    if (epoch == 2) total = sample;
  }
  CHECK(sample == 2 * total);
  CHECK(orders[0] != orders[3]);
  CHECK(dynamic.samples_per_epoch() == (total + 1) / 3);

  // The same instance in epochs 0 and 3.
  const Dim instance = orders[0][0];
  const auto again =
      static_cast<std::uint64_t>(std::find(orders[3].begin(), orders[3].end(), instance) - orders[3].begin());
  const Batch first = dynamic.batch(0, 1), later = dynamic.batch(total + again, 1);
  CHECK(unmasked(first) == unmasked(later));
  CHECK_FALSE(same_batch(first, later));
  CHECK(same_batch(fixed.batch(0, 1), fixed.batch(total + again, 1)));
  CHECK(same_batch(fixed.batch(0, 1), first));  // the masks of epoch 0
}

TEST_CASE("batches fit the context and predict about a seventh of their tokens, never special tokens") {
  const Stories stories;
  const MlmBatches batches(stories.store, *stories.tokenizer, {}, 5);
  const Batch batch = batches.batch(0, 400);
  const Ids tokens = unmasked(batch), offsets = ids_of(batch.input.layout.offsets),
            labels = ids_of(label_values(batch.labels));
  CHECK(batch.input.layout.longest == 48);
  const double share = static_cast<double>(batch.targets.count()) / static_cast<double>(tokens.size());
  CHECK(share == doctest::Approx(0.15).epsilon(0.03));
  const auto random = std::count(labels.begin(), labels.end(), 1);
  CHECK(random > 150);
  CHECK(random < 350);
  for (const std::int32_t target : ids_of(batch.targets.ids)) REQUIRE_FALSE(stories.tokenizer->is_special(target));
  const std::int32_t end = *stories.tokenizer->token_id("[SEP]");
  CHECK(std::count(tokens.begin(), tokens.end(), end) == 2 * 400);
}

TEST_CASE("an evaluation has the same masks in every run, from its part alone") {
  const Stories stories;
  const MlmEvaluation evaluation(stories.store, *stories.tokenizer, Part::kValidation, {});
  CHECK(evaluation.sequences() == stories.store.instances(Part::kValidation).size());
  CHECK(evaluation.sequences() > 10);
  const TokenRange part = stories.store.part(Part::kValidation);
  Ids tokens, targets;
  for (Dim i = 0; i < evaluation.sequences(); i += 7) {
    const Batch batch = evaluation.batch(i, 7);
    CHECK(batch.input.layout.sequences() == std::min<Dim>(7, evaluation.sequences() - i));
    for (const std::int32_t id : ids_of(batch.input.tokens)) tokens.push_back(id);
    for (const std::int32_t id : ids_of(batch.targets.ids)) targets.push_back(id);
  }
  const Batch whole =
      MlmEvaluation(stories.store, *stories.tokenizer, Part::kValidation, {.dynamic = false}).batch(0, 1'000'000);
  CHECK(ids_of(whole.input.tokens) == tokens);
  CHECK(ids_of(whole.targets.ids) == targets);
  for (Dim i = 0; i < evaluation.sequences(); ++i) {
    CHECK(stories.store.instance(stories.store.instances(Part::kValidation).begin + i).first.begin >= part.begin);
  }
}

TEST_CASE("whole words span several tokens, but not several lines") {
  const TemporaryFolder folder;
  const auto tokenizer = learn_for_bert(TokenizerType::kByteBpe, "x x x x", 256 + 6);  // one merge: a space with an x
  const Corpus corpus = Corpus::from_text("t", "abc xdef\nghij\n");
  InstanceOptions options = default_instance_options(InstanceTask::kMlm);
  options.context = 32;
  const TokenStore store =
      build_token_store(corpus, nullptr, *tokenizer, folder / "d.h5", {.validation_fraction = 0, .instances = options});
  const Masker masker(*tokenizer, {.probability = 0.3, .whole_words = true}, 32);  // of 13 tokens 4
  std::set<Ids> seen;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const MlmSequence sequence{0, random_key(i, Purpose::kMasking)};
    seen.insert(ids_of(make_mlm_batch(store, masker, std::vector{sequence}).targets.rows));
  }
  CHECK(seen == std::set<Ids>{{1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}});
}

TEST_CASE("stores and tokenizers that do not fit are named") {
  const Stories stories;
  const auto other = learn_for_bert(TokenizerType::kByteBpe, "something else", 300);
  CHECK_THROWS_AS(MlmBatches(stories.store, *other, {}, 1), ConfigError);
  const TokenStore plain =
      build_token_store(Corpus::from_text("a", "some text"), nullptr, *stories.tokenizer, stories.folder / "plain.h5");
  CHECK_THROWS_WITH_AS(MlmBatches(plain, *stories.tokenizer, {}, 1),
                       (stories.folder / "plain.h5" +
                        ": must be built for masked language models, got a corpus without instances; build it again "
                        "with: rapt data build --task mlm-nsp")
                           .c_str(),
                       DataError);
  const Corpus corpus = Corpus::from_text("a", "some\ntext\n");
  const TokenStore all = build_token_store(corpus, nullptr, *stories.tokenizer, stories.folder / "all.h5",
                                           {.validation_fraction = 0, .instances = InstanceOptions{}});
  CHECK_THROWS_WITH_AS(
      MlmEvaluation(all, *stories.tokenizer, Part::kValidation, {}),
      (stories.folder / "all.h5" + ": the validation part must have at least 1 sequence, got 0; give more text")
          .c_str(),
      DataError);
}

TEST_CASE("damaged numbers are rejected, never used") {
  const Stories stories;
  const std::string path = stories.folder / "d.h5";
  const std::string good = read_plainly(path);
  const Hdf5Contents contents = read_hdf5_contents(std::as_bytes(std::span(good)), path);
  const auto damaged = [&](const std::string& dataset, std::size_t element, std::size_t width, std::int64_t value) {
    std::string bytes = good;
    const Hdf5Contents::Dataset* found = contents.find(dataset);
    REQUIRE(found != nullptr);
    std::memcpy(bytes.data() + found->place.offset + element * width, &value, width);
    write_plainly(stories.folder / "bad.h5", bytes);
    return message_of<DataError>([&] {
      const TokenStore store = TokenStore::open(stories.folder / "bad.h5");
      MlmEvaluation(store, *stories.tokenizer, Part::kTrain, {.whole_words = true}).batch(0, 3);
      MlmBatches(store, *stories.tokenizer, {}, 1).batch(0, 3);
    });
  };
  const std::string bad = stories.folder / "bad.h5";
  const std::string misfit = bad + ": instance 1 does not fit the tokens or the context; the file is damaged";
  CHECK(damaged("instances/begin", 2, 8, INT64_MAX) == misfit);
  CHECK(damaged("instances/begin", 2, 8, -1) == misfit);
  CHECK(damaged("instances/begin", 3, 8, stories.store.size()) == misfit);
  CHECK(damaged("instances/length", 2, 2, 0) == misfit);
  CHECK(damaged("instances/length", 3, 2, 0) == misfit);
  CHECK(damaged("instances/length", 3, 2, 65535) == misfit);
  CHECK(damaged("instances/random", 1, 1, 2) == misfit);
  CHECK(damaged("instances/passes", 1, 8, INT64_MAX).starts_with(bad + ": instances/passes must ascend from 0 to "));
  CHECK(damaged("instances/passes", 1, 8, 0).starts_with(bad + ": instances/passes must ascend from 0 to "));
  CHECK(damaged("instances/passes", 4, 8, 7).starts_with(bad + ": instances/passes must ascend from 0 to "));
  CHECK(damaged("tokens", 2, 2, 65535).find("ids must be below the vocabulary's") != std::string::npos);
  for (const std::int64_t value : {std::int64_t{-5}, std::int64_t{1} << 40, INT64_MIN}) {
    for (const std::size_t element : {0, 1, 7}) CHECK(damaged("sentences", element, 8, value) == "no error");
  }
}

TEST_CASE("a file with a flipped bit is read or rejected") {
  const TemporaryFolder folder;
  const auto letters = learn_for_bert(TokenizerType::kChar, "abcdefgh");
  const std::string path = folder / "d.h5";
  const Corpus corpus = Corpus::from_text("t", "abc\nd\n\nefgh\na\n", DocumentUnit::kParagraph);
  build_token_store(corpus, nullptr, *letters, path,
                    {.validation_fraction = 0, .instances = InstanceOptions{.context = 9, .passes = 2}});
  const std::string good = read_plainly(path);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto put = [&](std::size_t at, char byte) { file.seekp(static_cast<std::streamoff>(at)).put(byte).flush(); };
  for (std::size_t at = 0; at < good.size(); ++at) {
    put(at, static_cast<char>(good[at] ^ static_cast<char>(1U << (at % 8))));
    try {
      const TokenStore store = TokenStore::open(path);
      MlmBatches(store, *letters, {}, 1).batch(0, 4);
      for (Dim i = 0; i < store.documents(Part::kTrain).size(); ++i) store.document(i);
    } catch (const Error&) {
    }
    put(at, good[at]);
  }
  CHECK(read_plainly(path) == good);
}
