// --task qa.
#include "text/labelled/qa_answers.h"
#include "train/labelled/logits.h"
#include "train/labelled/task_scorer.h"
#include "train/metrics/squad_score.h"

namespace rapt {
namespace {

class AnswerScorer final : public TaskScorer {
 public:
  explicit AnswerScorer(const LabelledData& data) : TaskScorer({}), scores_(data.questions().may_be_unanswerable) {}

  std::size_t rows(const LabelledData& data, Dim sample) const override {
    return static_cast<std::size_t>(data.tokens_of(sample));
  }

  LabelledPrediction add(const LabelledData& data, Dim sample, std::span<const float> logits) override {
    std::vector<float> start, end;
    for (std::size_t i = 0; i < logits.size(); i += 2) {
      start.push_back(logits[i]);
      end.push_back(logits[i + 1]);
    }
    const QaWindow& window = data.window(sample);
    add_loss(0.5 * (cross_entropy(start, static_cast<std::int32_t>(window.start)) +
                    cross_entropy(end, static_cast<std::int32_t>(window.end))));
    starts_.push_back(std::move(start));
    ends_.push_back(std::move(end));
    const std::size_t question = data.question_of(sample);
    if (sample + 1 < data.samples() && data.question_of(sample + 1) == question) return {.complete = false};

    const QaQuestion& q = data.questions().questions[question];
    LabelledPrediction prediction{.answer = answer(data, sample, q)};
    std::vector<std::string> gold;
    for (const QaAnswer& answer : q.answers) gold.push_back(answer.text);
    each_.push_back(scores_.add(prediction.answer, gold));
    return prediction;
  }

  std::size_t examples() const override { return each_.size(); }
  MetricValues values() const override { return scores_.values(); }

  MetricValues values_of(std::span<const std::uint32_t> times) const override {
    double f1 = 0, exact = 0, questions = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      f1 += times[i] * each_[i].f1;
      exact += times[i] * each_[i].exact;
      questions += times[i];
    }
    return {{"f1", share(f1, questions)}, {"exact_match", share(exact, questions)}};
  }

 private:
  // The best answer over the windows of a question. \param last  the last one
  std::string answer(const LabelledData& data, Dim last, const QaQuestion& question) {
    const Dim first = last + 1 - static_cast<Dim>(starts_.size());
    std::vector<QaWindow> windows;
    std::vector<QaScores> scores;
    for (std::size_t w = 0; w < starts_.size(); ++w) {
      windows.push_back(data.window(first + static_cast<Dim>(w)));
      scores.push_back({starts_[w], ends_[w]});
    }
    QaSearchOptions options;
    options.may_be_unanswerable = data.questions().may_be_unanswerable;
    std::string text =
        find_answer(data.questions().contexts[question.context], data.context_of(last), windows, scores, options).text;
    starts_.clear();
    ends_.clear();
    return text;
  }

  SquadScores scores_;
  std::vector<AnswerScore> each_;
  std::vector<std::vector<float>> starts_, ends_;  // of the windows of the question being read
};

}  // namespace

std::unique_ptr<TaskScorer> make_answer_scorer(const LabelledData& data) {
  return std::make_unique<AnswerScorer>(data);
}

}  // namespace rapt
