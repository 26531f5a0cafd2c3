// --task tag.
#include "train/labelled/logits.h"
#include "train/labelled/task_scorer.h"

namespace rapt {
namespace {

class TagScorer final : public TaskScorer {
 public:
  explicit TagScorer(const LabelledData& data) : TaskScorer(data.labels().names()) {}

  std::size_t rows(const LabelledData& data, Dim sample) const override { return data.tagged_words(sample).size(); }

  // Words whose first token was truncated are outside every span.
  LabelledPrediction add(const LabelledData& data, Dim sample, std::span<const float> logits) override {
    const std::vector<std::string>& gold = data.tags_of(sample);
    const std::span<const std::int32_t> words = data.tagged_words(sample);
    const std::size_t K = data.labels().size();
    LabelledPrediction prediction;
    prediction.labels.assign(data.texts(sample).size(), data.labels().find("O") ? "O" : data.labels().name(0));
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::span<const float> row = logits.subspan(i * K, K);
      const auto word = static_cast<std::size_t>(words[i]);
      prediction.labels[word] = data.labels().name(largest(row));
      if (gold.empty()) continue;
      if (const auto target = data.labels().find(gold[word])) add_loss(cross_entropy(row, *target));
    }
    if (!gold.empty()) add_sentence(data, gold, prediction.labels);
    return prediction;
  }

  std::size_t examples() const override { return sentences_.size(); }
  MetricValues values() const override { return spans_.values(); }

  MetricValues values_of(std::span<const std::uint32_t> times) const override {
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

  std::vector<std::pair<std::string, MatchCounts>> by_class() const override {
    return {spans_.by_type().begin(), spans_.by_type().end()};
  }
  std::string report() const override { return spans_.report(); }

 private:
  struct Sentence {
    MatchCounts spans = {};
    double words = 0, right_words = 0;
  };

  void add_sentence(const LabelledData& data, const std::vector<std::string>& gold,
                    const std::vector<std::string>& predicted) {
    for (const std::string& tag : gold)
      if (!data.labels().find(tag)) count_unknown(tag);
    Sentence sentence{.spans = spans_.add(gold, predicted), .words = static_cast<double>(gold.size())};
    for (std::size_t w = 0; w < gold.size(); ++w) sentence.right_words += gold[w] == predicted[w] ? 1 : 0;
    sentences_.push_back(sentence);
  }

  SpanScores spans_;
  std::vector<Sentence> sentences_;
};

}  // namespace

std::unique_ptr<TaskScorer> make_tag_scorer(const LabelledData& data) { return std::make_unique<TagScorer>(data); }

}  // namespace rapt
