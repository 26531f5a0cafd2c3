// The counts of each task, by hand, and a check that the reported loss is the training loss.
#include "train/labelled/labelled_scores.h"

#include <doctest/doctest.h>

#include <cmath>

#include "io/temporary_folder.h"
#include "nn/models/any_network.h"
#include "nn/models/bert.h"
#include "support/labelled_examples.h"
#include "support/small_networks.h"
#include "tensor/error.h"

using namespace rapt;
using doctest::Approx;
using rapt::testing::of_size;

namespace {

LabelledData scored_examples(const TemporaryFolder& folder, const std::string& name, const std::string& text,
                             const LabelledOptions& options, Dim context = 96) {
  return testing::read_examples(folder, name, text, options, context);
}

Tensor rows(const std::vector<float>& values, Dim width) {
  return Tensor::from(values, {static_cast<Dim>(values.size()) / width, width});
}

double value(const Evaluation& evaluation, const char* metric) { return metric_value(evaluation.metrics, metric); }

// A question whose answer is token 100 of 201, read in windows of 80 from 0, 50, 100 and 150 on.
std::string long_question() {
  std::string context;
  for (int i = 0; i < 200; ++i) context += i == 100 ? "london " : "a ";
  return R"({"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": ")" + context +
         R"(", "qas": [{"id": "1", "question": "d", "answers": [{"text": "london", "answer_start": 200}]}]}]}]})";
}

struct File {
  Task task;
  const char* name;
  std::string text;
};

std::vector<File> files() {
  return {{Task::kClassify, "a.tsv", "text\tlabel\na\tx\nb b\ty\nc a\tz\n"},
          {Task::kRegress, "b.tsv", "text\tscore\na\t1\nb b\t-2\nc\t3.5\n"},
          {Task::kMultilabel, "c.tsv", "text\tlabels\na\tx\nb b\tx,y\nc\t\n"},
          {Task::kTag, "d.conll", "a X\nb Y\n\nlondon X\nc Z\n\nd Y\n"},
          {Task::kChoice, "e.jsonl",
           "{\"context\": \"a\", \"choices\": [\"c\", \"d\"], \"label\": 1}\n"
           "{\"context\": \"b\", \"choices\": [\"c\", \"d d\"], \"label\": 0}\n"},
          {Task::kQuestion, "f.json", long_question()}};
}

TaskNetwork small_network(const LabelledData& data) {
  BertConfig c = of_size({12, 96, 8, 1, 2}, BertConfig());
  c.init_std = 0.5;
  const auto labels = static_cast<Dim>(data.labels().size());
  const NetworkConfig config = with_task_head({.backbone = c}, data.task(), std::max<Dim>(1, labels));
  Initializer init(5);
  return TaskNetwork(config.backbone.make(init), config.task, init);
}

std::vector<Dim> all_of(const LabelledData& data) {
  std::vector<Dim> samples;
  for (Dim s = 0; s < data.samples(); ++s) samples.push_back(s);
  return samples;
}

struct Expected {
  std::string metric;
  double low, high;
};

// With a handful of examples, the resamples range from only the worst to only the best.
void check_intervals(const LabelledScores& scores, const std::vector<Expected>& expected) {
  const auto intervals = scores.intervals();
  for (const Expected& e : expected) {
    CAPTURE(e.metric);
    const auto found = std::ranges::find_if(intervals, [&](const auto& i) { return i.first == e.metric; });
    REQUIRE(found != intervals.end());
    CHECK(found->second.low == Approx(e.low));
    CHECK(found->second.high == Approx(e.high));
  }
}

}  // namespace

TEST_CASE("classes: correct predictions, the loss, the predicted class; the first of equals") {
  const TemporaryFolder folder;
  const LabelledData data = scored_examples(folder, "a.tsv", "text\tlabel\na\tno\nb\tno\nc\tyes\n", {});
  LabelledScores scores(data);
  std::vector<std::string> predicted;
  std::vector<float> first;
  scores.add(data, 0, 3, rows({2, 0, 0, 1, 3, 3}, 2),
             [&](const LabelledData&, Dim sample, const LabelledPrediction& p) {
               CHECK(sample == static_cast<Dim>(predicted.size()));
               predicted.push_back(p.labels.at(0));
               if (sample == 0) first = p.probabilities;
             });
  CHECK(predicted == std::vector<std::string>{"no", "yes", "no"});
  CHECK(static_cast<double>(first.at(0)) == Approx(0.880797).epsilon(1e-5));
  const Evaluation e = scores.evaluation();
  CHECK(e.targets == 3);
  CHECK(e.loss == Approx((0.126928 + 1.313262 + 0.693147) / 3).epsilon(1e-5));
  CHECK(value(e, "accuracy") == Approx(1.0 / 3));
  CHECK(e.score == Approx(1.0 / 3));
  CHECK(value(e, "majority_accuracy") == Approx(2.0 / 3));
  CHECK(scores.report().find("yes") != std::string::npos);
  CHECK(scores.evaluation("loss").score == -e.loss);
  CHECK_THROWS_AS(scores.evaluation("pearson"), UsageError);
  for (const auto& [metric, interval] : scores.intervals()) {
    const std::string& name = metric;
    CAPTURE(name);
    CHECK(name != "majority_accuracy");
    if (name == "accuracy") CHECK((interval.low <= 1.0 / 3 && interval.high >= 1.0 / 3));
  }
  CHECK_FALSE(scores.intervals().empty());
  CHECK(scores.by_class()[0].first == "no");
  CHECK(scores.by_class()[0].second.precision() == 0.5);
  CHECK(scores.confusion()->count(1, 0) == 1);
}

TEST_CASE("classes that only occur in the data count as missed, and in macro means as in scikit-learn") {
  const TemporaryFolder folder;
  const LabelledData data = scored_examples(folder, "a.tsv", "text\tlabel\na\tno\nb\tyes\nc\tmaybe\nd\tno\n",
                                            {.labels = {"no", "yes"}, .unknown_labels = true});
  LabelledScores scores(data);
  scores.add(data, 0, 4, rows({2, 0, 0, 1, 3, 2, 0, 1}, 2));  // no, yes, no, yes
  const Evaluation e = scores.evaluation();
  CHECK(e.targets == 3);  // the loss of a label without an output is undefined
  CHECK(value(e, "accuracy") == Approx(0.5));
  // f1_score([no, yes, maybe, no], [no, yes, no, yes], average="macro"): (1/2 + 2/3 + 0) / 3
  CHECK(value(e, "f1_macro") == Approx((0.5 + 2.0 / 3) / 3));
  CHECK(value(e, "recall_macro") == Approx((0.5 + 1 + 0) / 3));
  CHECK(scores.unknown() == std::map<std::string, std::int64_t>{{"maybe", 1}});
  CHECK(scores.class_names() == std::vector<std::string>{"no", "yes", "maybe"});
  CHECK(scores.by_class()[2].second.gold == 1);
  CHECK(scores.confusion()->count(2, 0) == 1);
  CHECK(scores.positive_class() == "yes");
  CHECK(scores.report().find("maybe") != std::string::npos);
  CHECK_FALSE(scores.intervals().empty());
}

TEST_CASE("labels of sets and tags that only occur in the data count as missed") {
  const TemporaryFolder folder;
  const LabelledData sets = scored_examples(folder, "a.tsv", "text\tlabels\na\tx,z\nb\ty\n",
                                            {.task = Task::kMultilabel, .labels = {"x", "y"}, .unknown_labels = true});
  LabelledScores scores(sets);
  scores.add(sets, 0, 2, rows({1, -1, -1, 1}, 2));
  const Evaluation e = scores.evaluation();
  CHECK(value(e, "recall_micro") == Approx(2.0 / 3));
  CHECK(value(e, "precision_micro") == Approx(1));
  CHECK(value(e, "f1_macro") == Approx(2.0 / 3));
  CHECK(value(e, "subset_accuracy") == Approx(0.5));
  CHECK(scores.unknown() == std::map<std::string, std::int64_t>{{"z", 1}});
  CHECK_FALSE(scores.intervals().empty());

  const LabelledData words = scored_examples(folder, "a.conll", "a O\nlondon B-place\nb I-new\n",
                                             {.task = Task::kTag, .labels = {"B-place", "O"}, .unknown_labels = true});
  LabelledScores tags(words);
  tags.add(words, 0, 1, rows({0, 2, 1, 0, 0, 1}, 2));
  CHECK(value(tags.evaluation(), "recall") == Approx(0.5));
  CHECK(value(tags.evaluation(), "precision") == Approx(1));
  CHECK(tags.evaluation().targets == 2);
  CHECK(tags.unknown() == std::map<std::string, std::int64_t>{{"I-new", 1}});
}

TEST_CASE("numbers: a small error is better, and a large correlation is better") {
  const TemporaryFolder folder;
  const LabelledData data =
      scored_examples(folder, "a.tsv", "text\tscore\na\t1\nb\t3\nc\t2\n", {.task = Task::kRegress});
  LabelledScores scores(data);
  scores.add(data, 0, 1, rows({1}, 1));
  scores.add(data, 1, 2, rows({2, 4}, 1));
  const Evaluation e = scores.evaluation();
  CHECK(e.loss == Approx(5.0 / 3));
  CHECK(e.score == Approx(1 / std::sqrt(2 * 42.0 / 9)));
  CHECK(scores.metric() == "pearson");
  CHECK(scores.evaluation("mse").score == Approx(-5.0 / 3));
  check_intervals(scores, {{"mse", 0, 4}, {"mae", 0, 2}});
}

TEST_CASE("label sets: a label is predicted if its logit is above 0") {
  const TemporaryFolder folder;
  const LabelledData data =
      scored_examples(folder, "a.tsv", "text\tlabels\na\tx\nb\t\n", {.task = Task::kMultilabel, .labels = {"x", "y"}});
  LabelledScores scores(data);
  std::vector<std::vector<std::string>> predicted;
  scores.add(data, 0, 2, rows({1, -1, 2, -3}, 2),
             [&](const LabelledData&, Dim, const LabelledPrediction& p) { predicted.push_back(p.labels); });
  CHECK(predicted == std::vector<std::vector<std::string>>{{"x"}, {"x"}});
  const Evaluation e = scores.evaluation();
  CHECK(e.loss == Approx((0.313262 + 0.313262 + 2.126928 + 0.048587) / 4).epsilon(1e-5));
  CHECK(value(e, "f1_micro") == Approx(2.0 / 3));
  CHECK(value(e, "subset_accuracy") == Approx(0.5));
  check_intervals(scores,
                  {{"f1_micro", 0, 1}, {"recall_micro", 0, 1}, {"subset_accuracy", 0, 1}, {"f1_macro", 0, 0.5}});
  CHECK(scores.by_class()[0].second.precision() == 0.5);
  CHECK(scores.by_class()[1].second.f1() == 0);
  CHECK(scores.report().find("\nx      50.0%") != std::string::npos);
  CHECK(scores.confusion() == nullptr);
}

TEST_CASE("tags: truncated words count as outside, and not in the loss") {
  const TemporaryFolder folder;
  const LabelledData data =
      scored_examples(folder, "a.conll", "a O\nlondon B-place\nb B-place\n", {.task = Task::kTag}, /*context=*/5);
  REQUIRE(data.labels().names() == std::vector<std::string>{"B-place", "O"});
  LabelledScores scores(data);
  std::vector<std::string> predicted;
  scores.add(data, 0, 1, rows({0, 2, 1, 0}, 2),
             [&](const LabelledData&, Dim, const LabelledPrediction& p) { predicted = p.labels; });
  CHECK(predicted == std::vector<std::string>{"O", "B-place", "O"});
  const Evaluation e = scores.evaluation();
  CHECK(e.targets == 2);
  CHECK(e.loss == Approx((0.126928 + 0.313262) / 2).epsilon(1e-5));
  CHECK(value(e, "recall") == Approx(0.5));
  CHECK(value(e, "precision") == Approx(1));
  CHECK(e.score == Approx(2.0 / 3));
  CHECK(scores.intervals().empty());  // one sentence
}

TEST_CASE("tags: whole sentences are resampled") {
  const TemporaryFolder folder;
  const LabelledData data =
      scored_examples(folder, "a.conll", "a O\nlondon B-place\n\nrome B-place\na O\na O\na O\n", {.task = Task::kTag});
  LabelledScores scores(data);
  scores.add(data, 0, 2, rows({0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1}, 2));  // london found, rome missed
  const Evaluation e = scores.evaluation();
  CHECK(value(e, "f1") == Approx(2.0 / 3));
  CHECK(value(e, "accuracy") == Approx(5.0 / 6));
  check_intervals(scores, {{"f1", 0, 1}, {"precision", 0, 1}, {"recall", 0, 1}, {"accuracy", 0.75, 1}});
  CHECK(scores.by_class()[0].first == "place");
  CHECK(scores.by_class()[0].second.gold == 2);
}

TEST_CASE("choices: the highest of a question's sequences") {
  const TemporaryFolder folder;
  const LabelledData data = scored_examples(folder, "a.jsonl", files()[4].text, {.task = Task::kChoice});
  LabelledScores scores(data);
  std::vector<std::string> predicted;
  scores.add(data, 0, 2, rows({0, 2, 1, 3}, 1),
             [&](const LabelledData&, Dim, const LabelledPrediction& p) { predicted.push_back(p.labels.at(0)); });
  CHECK(predicted == std::vector<std::string>{"1", "1"});
  const Evaluation e = scores.evaluation();
  CHECK(e.score == Approx(0.5));
  CHECK(e.loss == Approx((0.126928 + 2.126928) / 2).epsilon(1e-5));
  check_intervals(scores, {{"accuracy", 0, 1}});
  CHECK(scores.report().empty());
}

TEST_CASE("questions: the answer comes from all windows, and is reported with the last one") {
  const TemporaryFolder folder;
  const LabelledData data =
      scored_examples(folder, "a.json", long_question(), {.task = Task::kQuestion, .stride = 50}, 84);
  REQUIRE(data.samples() == 4);
  const auto logits_of = [&](Dim window) {
    std::vector<float> z(static_cast<std::size_t>(2 * data.tokens_of(window)));
    if (window == 1) z[2 * 53] = z[2 * 54 + 1] = 10;
    return rows(z, 2);
  };
  LabelledScores scores(data);
  std::vector<std::pair<Dim, std::string>> answers;
  for (Dim w = 0; w < 4; ++w) {
    scores.add(data, w, 1, logits_of(w), [&](const LabelledData&, Dim sample, const LabelledPrediction& p) {
      if (sample == 3) answers.emplace_back(sample, p.answer);
    });
  }
  CHECK(answers == std::vector<std::pair<Dim, std::string>>{{3, "london"}});
  const Evaluation e = scores.evaluation();
  CHECK(e.score == Approx(1));
  CHECK(value(e, "exact_match") == Approx(1));
  CHECK(e.targets == 4);
  CHECK(e.loss == Approx((2 * std::log(84) + std::log(83 + std::exp(10)) - 10 + std::log(55)) / 4).epsilon(1e-5));
}

TEST_CASE("the reported loss is the training loss, for every task") {
  const TemporaryFolder folder;
  for (const File& file : files()) {
    CAPTURE(std::string(file.name));
    const LabelledData data = scored_examples(folder, file.name, file.text, {.task = file.task, .stride = 50}, 84);
    const TaskNetwork network = small_network(data);
    const Batch batch = data.batch(all_of(data));
    const bool tags = file.task == Task::kTag;
    const LossShare share{.targets = tags ? static_cast<double>(batch.targets.count()) : 1,
                          .sequences = tags ? 1 : static_cast<double>(label_count(batch.labels))};
    Context ctx;
    const NoGrad no_grad;
    CHECK(score_labelled(network, data).evaluation().loss ==
          Approx(network.loss(batch, share, ctx).value().item()).epsilon(1e-5));
  }
}

TEST_CASE("data larger than one forward pass is evaluated sample by sample, in order") {
  const TemporaryFolder folder;
  std::string text = "text\tlabel\n";
  for (int i = 0; i < 700; ++i) text += std::string(i % 3 == 0 ? "a b c d a" : "b c b c") + (i % 2 ? "\tx\n" : "\ty\n");
  const LabelledData data = scored_examples(folder, "a.tsv", text, {});
  REQUIRE(data.tokens() > 4096);
  const TaskNetwork network = small_network(data);
  std::vector<Dim> seen;
  std::vector<float> probabilities;
  const LabelledScores scores =
      score_labelled(network, data, [&](const LabelledData&, Dim sample, const LabelledPrediction& p) {
        seen.push_back(sample);
        probabilities.push_back(p.probabilities.at(0));
      });
  CHECK(seen == all_of(data));
  CHECK(scores.evaluation().targets == 700);
  CHECK(std::abs(probabilities[699] - probabilities[0]) < 1e-6F);  // the same text
  CHECK(std::abs(probabilities[1] - probabilities[0]) > 1e-6F);
}

TEST_CASE("a GLUE task has its own default metric, and data without labels has none") {
  const TemporaryFolder folder;
  const LabelledData cola = scored_examples(folder, "cola.tsv", "gj04\t1\t\ta b\ngj04\t0\t*\tb a\n", {.glue = "cola"});
  CHECK(LabelledScores(cola).metric() == "matthews");
  const LabelledData bare =
      scored_examples(folder, "a.tsv", "text\na\nb\n", {.labels_required = false, .labels = {"no", "yes"}});
  LabelledScores scores(bare);
  int told = 0;
  scores.add(bare, 0, 2, rows({1, 0, 0, 1}, 2), [&](const LabelledData&, Dim, const LabelledPrediction&) { ++told; });
  CHECK(told == 2);
  CHECK(scores.evaluation("loss").targets == 0);
}
