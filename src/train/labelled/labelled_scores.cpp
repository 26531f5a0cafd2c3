#include "train/labelled/labelled_scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/error.h"
#include "text/labelled/glue.h"
#include "text/labelled/qa_answers.h"

namespace rapt {
namespace {

std::size_t largest(std::span<const float> x) {
  return static_cast<std::size_t>(std::ranges::max_element(x) - x.begin());
}

// log(sum(exp(x)))
double log_sum(std::span<const float> x) {
  const double most = static_cast<double>(*std::ranges::max_element(x));
  double sum = 0;
  for (const float v : x) sum += std::exp(static_cast<double>(v) - most);
  return most + std::log(sum);
}

double cross_entropy(std::span<const float> x, std::int32_t target) {
  return log_sum(x) - static_cast<double>(x[static_cast<std::size_t>(target)]);
}

std::vector<float> softmax(std::span<const float> x) {
  const double all = log_sum(x);
  std::vector<float> p;
  for (const float v : x) p.push_back(static_cast<float>(std::exp(static_cast<double>(v) - all)));
  return p;
}

void require_finite(std::span<const float> x, const LabelledData& data, Dim sample) {
  const auto bad = std::ranges::find_if(x, [](float v) { return !std::isfinite(v); });
  if (bad == x.end()) return;
  throw not_finite(std::string(name_of(data.task())) + ": a model's scores", static_cast<double>(*bad),
                   data.file() + ": line " + std::to_string(data.line(sample)));
}

}  // namespace

LabelledScores::LabelledScores(const LabelledData& data)
    : task_(data.task()), glue_(data.options().glue), labels_(data.labels()), names_(data.labels().names()) {
  const std::size_t K = data.labels().size();
  if (data.task() == Task::kClassify) {
    if (!data.options().glue.empty()) positive_ = rapt::positive_class(glue_task(data.options().glue), data.labels());
    classes_.emplace(K, positive_);
  }
  if (data.task() == Task::kMultilabel) sets_.emplace(K);
  if (data.task() == Task::kQuestion) answers_.emplace(data.questions().may_be_unanswerable);
}

void LabelledScores::add(const LabelledData& data, Dim first, Dim count, const Tensor& logits, const Visit& visit) {
  const float* at = logits.data<float>();
  const auto width = static_cast<std::size_t>(logits.shape().back());
  for (Dim sample = first; sample < first + count; ++sample) {
    std::size_t rows = 1;
    if (task_ == Task::kTag) rows = data.tagged_words(sample).size();
    if (task_ == Task::kChoice) rows = static_cast<std::size_t>(data.choices_of(sample));
    if (task_ == Task::kQuestion) rows = static_cast<std::size_t>(data.tokens_of(sample));
    const std::span<const float> z(at, rows * width);
    at += rows * width;
    require_finite(z, data, sample);
    LabelledPrediction prediction;
    switch (task_) {
      case Task::kClassify:
      case Task::kChoice:
        add_class(data, sample, z, prediction);
        break;
      case Task::kRegress: {
        prediction.value = static_cast<double>(z[0]);
        const double error = prediction.value - data.value_of(sample);
        numbers_.add(data.value_of(sample), prediction.value);
        loss_ += error * error;
        ++predictions_;
        break;
      }
      case Task::kMultilabel:
        add_set(data, sample, z, prediction);
        break;
      case Task::kTag:
        add_tags(data, sample, z, prediction);
        break;
      case Task::kQuestion:
        add_window(data, sample, z, prediction);
        break;
    }
    if (visit) visit(data, sample, prediction);
  }
}

// The place of a label that the model does not know, behind those that it does.
std::int32_t LabelledScores::class_named(const std::string& unknown) {
  ++unknown_[unknown];
  const auto known = std::find(names_.begin() + static_cast<std::ptrdiff_t>(labels_.size()), names_.end(), unknown);
  const auto place = static_cast<std::int32_t>(known - names_.begin());
  if (known == names_.end()) names_.push_back(unknown);
  if (classes_) classes_->grow(names_.size());
  if (sets_) sets_->grow(names_.size());
  return place;
}

void LabelledScores::add_class(const LabelledData& data, Dim sample, std::span<const float> z,
                               LabelledPrediction& prediction) {
  std::int32_t gold = data.class_of(sample);
  const auto best = static_cast<std::int32_t>(largest(z));
  const bool choice = task_ == Task::kChoice;
  prediction.labels = {choice ? std::to_string(best) : data.labels().name(static_cast<std::size_t>(best))};
  prediction.probabilities = softmax(z);
  if (gold >= 0) {
    loss_ += cross_entropy(z, gold);
    ++predictions_;
  } else {
    if (data.unknown_of(sample).empty()) return;
    gold = class_named(data.unknown_of(sample).front());
  }
  pairs_.emplace_back(gold, best);
  if (choice) {
    choices_.add(best == gold);
  } else {
    classes_->add(gold, best);
  }
}

void LabelledScores::add_sets(MultilabelCounts& counts, const LabelSets& sets, std::int64_t times) {
  std::vector<std::uint8_t> gold(counts.labels()), predicted(counts.labels());
  for (const std::int32_t k : sets.gold) gold[static_cast<std::size_t>(k)] = 1;
  for (const std::int32_t k : sets.predicted) predicted[static_cast<std::size_t>(k)] = 1;
  counts.add(gold, predicted, times);
}

void LabelledScores::add_set(const LabelledData& data, Dim sample, std::span<const float> z,
                             LabelledPrediction& prediction) {
  const std::span<const std::uint8_t> gold = data.set_of(sample);
  LabelSets sets;
  for (std::size_t k = 0; k < z.size(); ++k) {
    const double x = static_cast<double>(z[k]);
    prediction.probabilities.push_back(static_cast<float>(1 / (1 + std::exp(-x))));
    if (gold[k] != 0) sets.gold.push_back(static_cast<std::int32_t>(k));
    if (x > 0) sets.predicted.push_back(static_cast<std::int32_t>(k));
    if (x > 0) prediction.labels.push_back(data.labels().name(k));
    loss_ += std::max(x, 0.0) - x * gold[k] + std::log1p(std::exp(-std::abs(x)));
    ++predictions_;
  }
  for (const std::string& unknown : data.unknown_of(sample)) sets.gold.push_back(class_named(unknown));
  add_sets(*sets_, sets, 1);
  each_set_.push_back(std::move(sets));
}

// Words whose first token was cut off are outside of every name.
void LabelledScores::add_tags(const LabelledData& data, Dim sample, std::span<const float> z,
                              LabelledPrediction& prediction) {
  const std::vector<std::string>& gold = data.tags_of(sample);
  const std::span<const std::int32_t> words = data.tagged_words(sample);
  const std::size_t K = data.labels().size();
  const auto outside = data.labels().find("O");
  prediction.labels.assign(data.texts(sample).size(), outside ? "O" : data.labels().name(0));
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::span<const float> row = z.subspan(i * K, K);
    const auto word = static_cast<std::size_t>(words[i]);
    prediction.labels[word] = data.labels().name(largest(row));
    if (gold.empty()) continue;
    const std::optional<std::int32_t> target = data.labels().find(gold[word]);
    if (!target) continue;
    loss_ += cross_entropy(row, *target);
    ++predictions_;
  }
  if (gold.empty()) return;
  for (const std::string& tag : gold) {
    if (!data.labels().find(tag)) ++unknown_[tag];
  }
  Sentence sentence{.spans = spans_.add(gold, prediction.labels), .words = static_cast<double>(gold.size())};
  for (std::size_t w = 0; w < gold.size(); ++w) sentence.right_words += gold[w] == prediction.labels[w] ? 1 : 0;
  sentences_.push_back(sentence);
}

void LabelledScores::add_window(const LabelledData& data, Dim sample, std::span<const float> z,
                                LabelledPrediction& prediction) {
  std::vector<float> start, end;
  for (std::size_t i = 0; i < z.size(); i += 2) {
    start.push_back(z[i]);
    end.push_back(z[i + 1]);
  }
  const QaWindow& window = data.window(sample);
  loss_ += 0.5 * (cross_entropy(start, static_cast<std::int32_t>(window.start)) +
                  cross_entropy(end, static_cast<std::int32_t>(window.end)));
  ++predictions_;
  starts_.push_back(std::move(start));
  ends_.push_back(std::move(end));
  const std::size_t question = data.question_of(sample);
  prediction.complete = sample + 1 == data.samples() || data.question_of(sample + 1) != question;
  if (!prediction.complete) return;

  const Dim first = sample + 1 - static_cast<Dim>(starts_.size());
  std::vector<QaWindow> windows;
  std::vector<QaScores> scores;
  for (std::size_t w = 0; w < starts_.size(); ++w) {
    windows.push_back(data.window(first + static_cast<Dim>(w)));
    scores.push_back({starts_[w], ends_[w]});
  }
  const QaQuestion& q = data.questions().questions[question];
  QaSearchOptions options;
  options.may_be_unanswerable = data.questions().may_be_unanswerable;
  prediction.answer =
      find_answer(data.questions().contexts[q.context], data.context_of(sample), windows, scores, options).text;
  std::vector<std::string> gold;
  for (const QaAnswer& answer : q.answers) gold.push_back(answer.text);
  each_answer_.push_back(answers_->add(prediction.answer, gold));
  starts_.clear();
  ends_.clear();
}

MetricValues LabelledScores::values() const {
  switch (task_) {
    case Task::kClassify:
      return classes_->values();
    case Task::kChoice:
      return {{"accuracy", choices_.value()}};
    case Task::kRegress:
      return numbers_.values();
    case Task::kMultilabel:
      return sets_->values();
    case Task::kTag:
      return spans_.values();
    case Task::kQuestion:
      break;
  }
  return answers_->values();
}

std::string LabelledScores::positive_class() const {
  if (!classes_ || classes_->positive() < 0) return "";
  return names_[static_cast<std::size_t>(classes_->positive())];
}

std::string LabelledScores::metric() const { return default_metric(task_, glue_); }

std::string default_metric(Task task, const std::string& glue) {
  if (!glue.empty()) return std::string(glue_task(glue).metrics.front());
  switch (task) {
    case Task::kClassify:
    case Task::kChoice:
      return "accuracy";
    case Task::kRegress:
      return "pearson";
    case Task::kMultilabel:
      return "f1_micro";
    case Task::kTag:
    case Task::kQuestion:
      break;
  }
  return "f1";
}

Evaluation LabelledScores::evaluation(const std::string& metric) const {
  const std::string decides = metric.empty() ? this->metric() : metric;
  Evaluation result;
  result.targets = predictions_;
  result.loss = predictions_ > 0 ? loss_ / static_cast<double>(predictions_) : NAN;
  result.metrics = values();
  if (decides == "loss") {
    result.score = -result.loss;
    return result;
  }
  const double value = metric_value(result.metrics, decides);
  result.score = metric_info(decides).larger_is_better ? value : -value;
  return result;
}

std::size_t LabelledScores::examples() const {
  switch (task_) {
    case Task::kClassify:
    case Task::kChoice:
      return pairs_.size();
    case Task::kRegress:
      return numbers_.examples();
    case Task::kMultilabel:
      return static_cast<std::size_t>(sets_->examples());
    case Task::kTag:
      return sentences_.size();
    case Task::kQuestion:
      break;
  }
  return each_answer_.size();
}

// The metrics of a test set that has each example so many times.
MetricValues LabelledScores::values_of(std::span<const std::uint32_t> times) const {
  switch (task_) {
    case Task::kClassify: {
      ClassificationCounts counts(labels_.size(), positive_);
      counts.grow(names_.size());
      for (std::size_t i = 0; i < times.size(); ++i) counts.add(pairs_[i].first, pairs_[i].second, times[i]);
      MetricValues values = counts.values();
      std::erase_if(values, [](const auto& value) { return value.first == "majority_accuracy"; });
      return values;
    }
    case Task::kChoice: {
      AccuracyCount right;
      for (std::size_t i = 0; i < times.size(); ++i) right.add(pairs_[i].first == pairs_[i].second, times[i]);
      return {{"accuracy", right.value()}};
    }
    case Task::kRegress:
      return numbers_.values(times);
    case Task::kMultilabel: {
      MultilabelCounts counts(names_.size());
      for (std::size_t i = 0; i < times.size(); ++i) {
        if (times[i] > 0) add_sets(counts, each_set_[i], times[i]);
      }
      return counts.values();
    }
    case Task::kTag: {
      Sentence all;
      for (std::size_t i = 0; i < times.size(); ++i) {
        const double n = times[i];
        const Sentence& s = sentences_[i];
        all.spans += {n * s.spans.right, n * s.spans.found, n * s.spans.gold};
        all.words += n * s.words;
        all.right_words += n * s.right_words;
      }
      return {{"accuracy", share(all.right_words, all.words)},
              {"f1", all.spans.f1()},
              {"precision", all.spans.precision()},
              {"recall", all.spans.recall()}};
    }
    case Task::kQuestion:
      break;
  }
  double f1 = 0, exact = 0, questions = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    f1 += times[i] * each_answer_[i].f1;
    exact += times[i] * each_answer_[i].exact;
    questions += times[i];
  }
  return {{"f1", share(f1, questions)}, {"exact_match", share(exact, questions)}};
}

std::vector<std::pair<std::string, Interval>> LabelledScores::intervals() const {
  if (examples() < 2) return {};
  return bootstrap_intervals(examples(), [this](std::span<const std::uint32_t> times) { return values_of(times); });
}

std::vector<std::pair<std::string, MatchCounts>> LabelledScores::by_class() const {
  std::vector<std::pair<std::string, MatchCounts>> result;
  if (task_ == Task::kTag) return {spans_.by_type().begin(), spans_.by_type().end()};
  if (task_ != Task::kClassify && task_ != Task::kMultilabel) return result;
  for (std::size_t k = 0; k < names_.size(); ++k) {
    result.emplace_back(names_[k], classes_ ? classes_->of_class(k) : sets_->of_label(k));
  }
  return result;
}

std::string LabelledScores::report() const {
  if (task_ == Task::kTag) return spans_.report();
  const std::vector<std::pair<std::string, MatchCounts>> classes = by_class();
  if (classes.empty()) return "";
  std::string text = class_text(classes);
  if (classes_) text += "\n" + confusion_text(*classes_, names_);
  return text;
}

static void score_piece(const TaskNetwork& network, const LabelledData& data, LabelledScores& scores,
                        const LabelledScores::Visit& visit) {
  for (Dim first = 0; first < data.samples();) {
    std::vector<Dim> samples;
    Dim tokens = 0;
    for (Dim s = first; s < data.samples() && (samples.empty() || tokens + data.tokens_of(s) <= kEvaluationRows); ++s) {
      samples.push_back(s);
      tokens += data.tokens_of(s);
    }
    const auto count = static_cast<Dim>(samples.size());
    scores.add(data, first, count, network.logits(data.batch(samples)), visit);
    first += count;
  }
}

LabelledScores score_labelled(const TaskNetwork& network, const LabelledData& data,
                              const LabelledScores::Visit& visit) {
  LabelledScores scores(data);
  score_piece(network, data, scores, visit);
  return scores;
}

LabelledScores score_labelled(const TaskNetwork& network, LabelledStream& stream, const LabelledScores::Visit& visit) {
  constexpr Dim kPiece = 4096;
  std::optional<LabelledScores> scores;
  while (const std::optional<LabelledData> data = stream.next(kPiece)) {
    if (!scores) scores.emplace(*data);
    score_piece(network, *data, *scores, visit);
  }
  return *std::move(scores);
}

}  // namespace rapt
