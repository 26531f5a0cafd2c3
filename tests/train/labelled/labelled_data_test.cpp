// Labelled files as sequences with special tokens, segments and labels, and batches of them.
#include "train/labelled/labelled_data.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "io/temporary_folder.h"
#include "support/batch_checks.h"
#include "support/labelled_examples.h"
#include "tensor/error.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer/post_processor.h"
#include "text/tokenizer/training/tokenizer_trainer.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

using Ids = std::vector<std::int32_t>;

constexpr std::int32_t kUnknown = 1, kClass = 2, kSeparator = 3, kA = 5, kB = 6, kC = 7, kD = 8, kEnding = 9, kLon = 10,
                       kDon = 11;

std::shared_ptr<const Tokenizer> bytes() {
  TokenizerTrainer trainer({.type = TokenizerType::kByte});
  trainer.add_text(" ");
  return trainer.train();
}

std::vector<float> floats_of(const Tensor& t) { return {t.span<float>().begin(), t.span<float>().end()}; }

Batch batch_of(const LabelledData& data, std::vector<Dim> samples) { return data.batch(samples); }

}  // namespace

// --------------------------------------------------------------------------------------------------------------- texts

TEST_CASE("texts with classes: special tokens, segments, positions and class indices") {
  const TemporaryFolder folder;
  const LabelledData data = read_examples(folder, "a.tsv", "label\ttext\nyes\ta b\nno\tc\nyes\td ds\n", {});
  CHECK(data.labels().names() == std::vector<std::string>{"no", "yes"});
  CHECK(data.samples() == 3);
  CHECK(data.tokens() == 4 + 3 + 5);
  CHECK(data.tokens_of(2) == 5);
  CHECK(data.labelled());
  CHECK(data.line(1) == 3);
  CHECK(data.texts(2) == std::vector<std::string>{"d ds"});
  const Batch batch = batch_of(data, {2, 0});
  CHECK(ids_of(batch.input.tokens) == Ids{kClass, kD, kD, kEnding, kSeparator, kClass, kA, kB, kSeparator});
  CHECK(ids_of(batch.input.positions) == Ids{0, 1, 2, 3, 4, 0, 1, 2, 3});
  CHECK(ids_of(batch.input.segments) == Ids(9, 0));
  CHECK(ids_of(batch.input.layout.offsets) == Ids{0, 5, 9});
  CHECK(ids_of(label_values(batch.labels)) == Ids{1, 1});
  CHECK(batch.targets.count() == 0);
  CHECK(ids_of(label_values(batch_of(data, {1}).labels)) == Ids{0});
}

TEST_CASE("pairs share the length: the longer text is truncated at its end, and segments distinguish them") {
  const TemporaryFolder folder;
  const std::string pair = "sentence1\tsentence2\tlabel\na b c d\tb c\tx\na\tb b b b b b\tx\n";
  const LabelledData whole = read_examples(folder, "a.tsv", pair, {});
  CHECK(ids_of(batch_of(whole, {0}).input.tokens) == Ids{kClass, kA, kB, kC, kD, kSeparator, kB, kC, kSeparator});
  CHECK(ids_of(batch_of(whole, {0}).input.segments) == Ids{0, 0, 0, 0, 0, 0, 1, 1, 1});
  const LabelledData cut = read_examples(folder, "a.tsv", pair, {}, 7);
  CHECK(ids_of(batch_of(cut, {0}).input.tokens) == Ids{kClass, kA, kB, kSeparator, kB, kC, kSeparator});
  CHECK(ids_of(batch_of(cut, {1}).input.tokens) == Ids{kClass, kA, kSeparator, kB, kB, kB, kSeparator});
  CHECK(cut.texts(1) == std::vector<std::string>{"a", "b b b b b b"});
  const LabelledData single = read_examples(folder, "a.tsv", "text\tlabel\na b c d a b c d\tx\n", {}, 5);
  CHECK(ids_of(batch_of(single, {0}).input.tokens) == Ids{kClass, kA, kB, kC, kSeparator});
}

TEST_CASE("special tokens in a text are text") {
  const TemporaryFolder folder;
  const LabelledData data = read_examples(folder, "a.tsv", "text\tlabel\na [SEP] b\tx\n", {});
  const Ids ids = ids_of(batch_of(data, {0}).input.tokens);
  CHECK(std::ranges::count(ids, kSeparator) == 1);
}

TEST_CASE("numbers and sets of labels") {
  const TemporaryFolder folder;
  const LabelledData numbers = read_examples(folder, "a.tsv", "text\tscore\na\t2.5\nb\t-1\n", {.task = Task::kRegress});
  CHECK(numbers.labels().size() == 0);
  CHECK(numbers.value_of(0) == 2.5);
  CHECK(floats_of(label_values(batch_of(numbers, {1, 0}).labels)) == std::vector<float>{-1, 2.5F});

  const LabelledData sets = read_examples(folder, "b.tsv", "text\tlabels\na\tred;big\nb\t\nc\tsmall\n",
                                          {.task = Task::kMultilabel, .separator = ';'});
  CHECK(sets.labels().names() == std::vector<std::string>{"big", "red", "small"});
  const Batch batch = batch_of(sets, {0, 1, 2});
  CHECK(label_values(batch.labels).shape() == Shape{3, 3});
  CHECK(floats_of(label_values(batch.labels)) == std::vector<float>{1, 1, 0, 0, 0, 0, 0, 0, 1});
  CHECK(std::ranges::equal(sets.set_of(2), std::vector<std::uint8_t>{0, 0, 1}));
}

TEST_CASE("a network's labels keep their order, and an unknown one is named") {
  const TemporaryFolder folder;
  const LabelledData data = read_examples(folder, "a.tsv", "text\tlabel\na\tno\nb\tyes\n", {.labels = {"yes", "no"}});
  CHECK(ids_of(label_values(batch_of(data, {0, 1}).labels)) == Ids{1, 0});
  CHECK(message_of<DataError>([&] {
          read_examples(folder, "b.tsv", "text\tlabel\na\tno\nb\tyess\n", {.labels = {"yes", "no"}});
        }) == folder / "b.tsv" + ": line 3: the label must be one of \"yes\", \"no\", got \"yess\"; did you mean yes?");
  CHECK(message_of<DataError>([&] { read_examples(folder, "c.tsv", "text\tlabel\n", {}); }) ==
        folder / "c.tsv" + ": must hold at least one example, got none");
}

TEST_CASE("unknown labels may be accepted, to be counted as wrong") {
  const TemporaryFolder folder;
  const LabelledOptions options{.labels = {"yes", "no"}, .unknown_labels = true};
  const LabelledData data = read_examples(folder, "a.tsv", "text\tlabel\na\tno\nb\tyess\nc\tyess\n", options);
  CHECK(data.class_of(0) == 1);
  CHECK(data.class_of(1) < 0);
  CHECK(std::ranges::equal(data.unknown_of(1), std::vector<std::string>{"yess"}));
  CHECK(data.unknown_of(0).empty());
  CHECK(data.facts().unknown == std::map<std::string, std::int64_t>{{"yess", 2}});
  CHECK(ids_of(label_values(batch_of(data, {0, 1}).labels)) == Ids{1, 0});  // accepted by a network
  CHECK(std::ranges::equal(data.subset(std::vector<Dim>{2}).unknown_of(0), std::vector<std::string>{"yess"}));
}

TEST_CASE("facts about the data are recorded: columns, the longest example, the number of truncated ones") {
  const TemporaryFolder folder;
  const LabelledData data =
      read_examples(folder, "a.tsv", "kind\tsaid\nx\ta b c d\ny\ta\nx\tb c d a b c d\ny\tb\n", {}, 6);
  CHECK(data.facts().columns.text == "said");
  CHECK(data.facts().columns.label == "kind");
  CHECK(data.facts().longest == 9);
  CHECK(data.facts().cut == 1);
}

TEST_CASE("prediction needs no labels") {
  const TemporaryFolder folder;
  const LabelledData data =
      read_examples(folder, "a.tsv", "text\na\nb\n", {.labels_required = false, .labels = {"no", "yes"}});
  CHECK_FALSE(data.labelled());
  CHECK(data.class_of(0) == -1);
  CHECK(ids_of(label_values(batch_of(data, {0, 1}).labels)) == Ids{0, 0});  // accepted by a network
}

TEST_CASE("several files are one, and messages name them all") {
  const TemporaryFolder folder;
  write_plainly(folder / "a.tsv", "text\tlabel\na\tx\n");
  write_plainly(folder / "b.csv", "label,text\ny,b\n");
  const LabelledData data = LabelledData::read({folder / "a.tsv", folder / "b.csv"},
                                               SequenceFrame(small_wordpiece(folder), true, 16), LabelledOptions{});
  CHECK(data.samples() == 2);
  CHECK(ids_of(label_values(batch_of(data, {0, 1}).labels)) == Ids{0, 1});
  CHECK(data.file() == folder / "a.tsv" + ", " + folder / "b.csv");
}

TEST_CASE("sequences too short for a text are rejected") {
  const TemporaryFolder folder;
  CHECK(message_of<UsageError>([&] { SequenceFrame(small_wordpiece(folder), true, 3); }) ==
        "tokens: sequences of 3 tokens leave no room for a text beside 3 special tokens; raise --max-length or "
        "--context");
  CHECK_THROWS_AS(SequenceFrame(with_delimiters(*bytes()), false, 3), UsageError);
  CHECK_NOTHROW(SequenceFrame(with_delimiters(*bytes()), false, 4));
}

// ---------------------------------------------------------------------------------------------------------------- tags

TEST_CASE("a word's tag belongs to its first token, and truncated words have none") {
  const TemporaryFolder folder;
  const std::string sentences = "a O\nlondon B-place\ncs O\n\nd O\n";
  const LabelledOptions options{.task = Task::kTag};
  const LabelledData data = read_examples(folder, "a.conll", sentences, options);
  CHECK(data.labels().names() == std::vector<std::string>{"B-place", "O"});
  const Batch batch = batch_of(data, {1, 0});
  CHECK(ids_of(batch.input.tokens) == Ids{kClass, kD, kSeparator, kClass, kA, kLon, kDon, kC, kEnding, kSeparator});
  CHECK(ids_of(batch.targets.rows) == Ids{1, 4, 5, 7});
  CHECK(ids_of(batch.targets.ids) == Ids{1, 1, 0, 1});
  CHECK(std::holds_alternative<std::monostate>(batch.labels));
  CHECK(std::ranges::equal(data.tagged_words(0), Ids{0, 1, 2}));
  CHECK(data.tags_of(0) == std::vector<std::string>{"O", "B-place", "O"});

  const LabelledData cut = read_examples(folder, "a.conll", sentences, options, 5);
  CHECK(ids_of(batch_of(cut, {0}).input.tokens) == Ids{kClass, kA, kLon, kDon, kSeparator});
  CHECK(std::ranges::equal(cut.tagged_words(0), Ids{0, 1}));
  CHECK(cut.tags_of(0).size() == 3);  // all of them count in evaluation
}

TEST_CASE("a word without tokens becomes an unknown token") {
  const TemporaryFolder folder;
  const LabelledData data = read_examples(folder, "a.conll", "a O\n\u200d X\nb O\n", {.task = Task::kTag});
  CHECK(ids_of(batch_of(data, {0}).input.tokens) == Ids{kClass, kA, kUnknown, kB, kSeparator});
  CHECK(ids_of(batch_of(data, {0}).targets.rows) == Ids{1, 2, 3});
}

// ------------------------------------------------------------------------------------------------------------- choices

TEST_CASE("choices are consecutive sequences, each after the context") {
  const TemporaryFolder folder;
  const std::string lines =
      "{\"context\": \"a b\", \"choices\": [\"c\", \"d d\"], \"label\": 1}\n"
      "{\"context\": \"b\", \"choices\": [\"a\", \"c\"], \"label\": 0}\n";
  const LabelledData data = read_examples(folder, "a.jsonl", lines, {.task = Task::kChoice});
  CHECK(data.samples() == 2);
  CHECK(data.choices_of(0) == 2);
  CHECK(data.tokens_of(0) == 6 + 7);
  const Batch batch = batch_of(data, {0, 1});
  CHECK(batch.input.layout.sequences() == 4);
  CHECK(ids_of(batch.input.tokens.slice(0, 13)) ==
        Ids{kClass, kA, kB, kSeparator, kC, kSeparator, kClass, kA, kB, kSeparator, kD, kD, kSeparator});
  CHECK(ids_of(label_values(batch.labels)) == Ids{1, 0});
  CHECK(data.texts(0) == std::vector<std::string>{"a b", "c", "d d"});
  CHECK(message_of<DataError>([&] {
          read_examples(folder, "b.jsonl",
                        lines + "{\"context\": \"b\", \"choices\": [\"a\", \"c\", \"d\"], \"label\": 0}\n",
                        {.task = Task::kChoice});
        }) == folder / "b.jsonl" + ": line 3: every question must have 2 choices as the first one does, got 3");
}

// ----------------------------------------------------------------------------------------------------------- questions

TEST_CASE("a question's windows slide over its context and have the answer's position") {
  const TemporaryFolder folder;
  std::string context;
  for (int i = 0; i < 30; ++i) context += i == 20 ? "london " : "a ";
  const std::string json =
      R"({"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": ")" + context +
      R"(", "qas": [{"id": "1", "question": "d d", "answers": [{"text": "london", "answer_start": 40}]},
                    {"id": "2", "question": "c", "answers": [{"text": "a", "answer_start": 0}]}]}]}]})";
  const LabelledData data = read_examples(folder, "a.json", json, {.task = Task::kQuestion, .stride = 8}, 80);
  CHECK(data.samples() == 2);  // each fits in one window: 2 + 3 + 31 tokens and 1 + 3 + 31
  CHECK(data.question_of(1) == 1);
  CHECK(ids_of(label_values(batch_of(data, {0, 1}).labels)) == Ids{24, 25, 3, 3});
  CHECK(data.questions().questions[0].id == "1");

  const LabelledData small = read_examples(folder, "a.json", json, {.task = Task::kQuestion, .stride = 8}, 76);
  CHECK(small.samples() == 2);
  CHECK(message_of<UsageError>([&] {
          read_examples(folder, "a.json", json, {.task = Task::kQuestion, .stride = 8}, 60);
        }).starts_with("qa: the length must leave room for the context beside 64 tokens of the question"));
}

TEST_CASE("a context longer than a sequence is read in windows, some of which contain the answer") {
  const TemporaryFolder folder;
  std::string context;
  for (int i = 0; i < 200; ++i) context += i == 100 ? "london " : "a ";
  const std::string json = R"({"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": ")" + context +
                           R"(", "qas": [{"id": "1", "question": "d", "answers": [{"text": "london", )"
                           R"("answer_start": 200}]}]}]}]})";
  const LabelledData data = read_examples(folder, "a.json", json, {.task = Task::kQuestion, .stride = 50}, 84);
  // 80 tokens of the context per window, from 0, 50, 100 and 150 on; 201 tokens; the answer is 100 and 101.
  REQUIRE(data.samples() == 4);
  CHECK(ids_of(label_values(batch_of(data, {0, 1, 2, 3}).labels)) == Ids{0, 0, 3 + 50, 3 + 51, 3, 4, 0, 0});
  CHECK(ids_of(batch_of(data, {0}).input.segments)[2] == 0);
  CHECK(ids_of(batch_of(data, {0}).input.segments)[3] == 1);
  for (Dim w = 0; w < 4; ++w) CHECK(data.question_of(w) == 0);
  CHECK(data.context_of(2).ids.size() == 201);
}

// ----------------------------------------------------------------------------------------------------------------- GPT

TEST_CASE("a GPT's texts have the delimiters of GPT-1's paper") {
  const TemporaryFolder folder;
  const std::shared_ptr<const Tokenizer> tokenizer = with_delimiters(*bytes());
  CHECK(tokenizer->vocabulary_size() == 259);
  CHECK(with_delimiters(*tokenizer)->vocabulary_size() == 259);  // they exist
  const SequenceFrame frame(tokenizer, false, 8);
  CHECK(frame.before() == 1);
  CHECK(frame.one({65, 66}).ids == Ids{256, 65, 66, 258});
  CHECK(frame.pair({65}, {66, 67}).ids == Ids{256, 65, 257, 66, 67, 258});
  CHECK(frame.pair({65}, {66, 67, 68, 69, 70, 71}).ids == Ids{256, 65, 257, 66, 67, 68, 69, 258});
  CHECK(frame.one(Ids(20, 65)).ids == Ids{256, 65, 65, 65, 65, 65, 65, 258});
  const SequenceFrame bare(bytes(), false, 8);
  CHECK(bare.before() == 0);
  CHECK(bare.one({65, 66}).ids == Ids{65, 66});
}

TEST_CASE("an auxiliary language-model loss has each next token of a sequence as its target") {
  const TemporaryFolder folder;
  write_plainly(folder / "a.tsv", "text\tlabel\nAB\tx\nC\ty\n");
  const LabelledData data = LabelledData::read({folder / "a.tsv"}, SequenceFrame(with_delimiters(*bytes()), false, 16),
                                               {.language_model = true});
  const Batch batch = batch_of(data, {0, 1});
  CHECK(ids_of(batch.targets.rows) == Ids{0, 1, 2, 4, 5});
  CHECK(ids_of(batch.targets.ids) == Ids{65, 66, 258, 67, 258});
  CHECK(ids_of(label_values(batch.labels)) == Ids{0, 1});
}

// -------------------------------------------------------------------------------------------------------------- subset

TEST_CASE("a subset gives the batches of its samples, whatever the task") {
  const TemporaryFolder folder;
  const std::string question = R"({"context": "a b c", "question": "d", "id": ")";
  const std::string answer = R"(", "answers": {"text": ["b"], "answer_start": [2]}})";
  const struct {
    Task task;
    const char* name;
    std::string text;
  } files[] = {
      {Task::kClassify, "a.tsv", "text\tlabel\na\tx\nb b\ty\nc\tz\n"},
      {Task::kRegress, "b.tsv", "text\tscore\na\t1\nb b\t2\nc\t3\n"},
      {Task::kMultilabel, "c.tsv", "text\tlabels\na\tx\nb b\tx,y\nc\t\n"},
      {Task::kTag, "d.conll", "a X\nb Y\n\nlondon X\nc Z\n\nd Y\n"},
      {Task::kChoice, "e.jsonl",
       "{\"context\": \"a\", \"choices\": [\"c\", \"d\"], \"label\": 1}\n"
       "{\"context\": \"b\", \"choices\": [\"c\", \"d d\"], \"label\": 0}\n"
       "{\"context\": \"c\", \"choices\": [\"c\", \"d\"], \"label\": 0}\n"},
      {Task::kQuestion, "f.jsonl",
       question + "1" + answer + "\n" + question + "2" + answer + "\n" + question + "3" + answer + "\n"},
  };
  for (const auto& file : files) {
    CAPTURE(std::string(file.name));
    const LabelledData data = read_examples(folder, file.name, file.text, {.task = file.task}, 80);
    REQUIRE(data.samples() == 3);
    const LabelledData part = data.subset(std::vector<Dim>{2, 1});
    CHECK(part.samples() == 2);
    CHECK(part.labels().names() == data.labels().names());
    CHECK(part.line(1) == data.line(1));
    CHECK(part.texts(1) == data.texts(1));
    const Batch a = batch_of(data, {2, 1}), b = batch_of(part, {0, 1});
    CHECK(ids_of(a.input.tokens) == ids_of(b.input.tokens));
    CHECK(ids_of(a.input.segments) == ids_of(b.input.segments));
    CHECK(ids_of(a.input.layout.offsets) == ids_of(b.input.layout.offsets));
    REQUIRE(a.labels.index() == b.labels.index());
    if (const Tensor& x = label_values(a.labels); x.defined()) {
      const Tensor& y = label_values(b.labels);
      CHECK(x.shape() == y.shape());
      CHECK(std::memcmp(x.raw(), y.raw(), x.bytes()) == 0);
    }
    if (file.task == Task::kTag) {
      CHECK(ids_of(a.targets.rows) == ids_of(b.targets.rows));
      CHECK(ids_of(a.targets.ids) == ids_of(b.targets.ids));
      CHECK(part.tags_of(1) == data.tags_of(1));
    }
    if (file.task == Task::kQuestion) {
      CHECK(part.question_of(0) == 2);
      CHECK(part.window(0).tokens == data.window(2).tokens);
      CHECK(part.context_of(0).ids.size() == 3);
    }
  }
}
