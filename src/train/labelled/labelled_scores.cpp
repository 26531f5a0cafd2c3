#include "train/labelled/labelled_scores.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "tensor/error.h"

namespace rapt {

static void require_finite(std::span<const float> x, const LabelledData& data, Dim sample) {
  const auto bad = std::ranges::find_if(x, [](float v) { return !std::isfinite(v); });
  if (bad == x.end()) return;
  throw not_finite(std::string(name_of(data.task())) + ": a model's scores", static_cast<double>(*bad),
                   data.file() + ": line " + std::to_string(data.line(sample)));
}

LabelledScores::LabelledScores(const LabelledData& data)
    : scorer_(make_scorer(data)), metric_(default_metric(data.task(), data.options().glue)) {}

void LabelledScores::add(const LabelledData& data, Dim first, Dim count, const Tensor& logits, const Visit& visit) {
  const float* at = logits.data<float>();
  const auto width = static_cast<std::size_t>(logits.shape().back());
  for (Dim sample = first; sample < first + count; ++sample) {
    const std::span<const float> z(at, scorer_->rows(data, sample) * width);
    at += z.size();
    require_finite(z, data, sample);
    const LabelledPrediction prediction = scorer_->add(data, sample, z);
    if (visit) visit(data, sample, prediction);
  }
}

Evaluation LabelledScores::evaluation(const std::string& metric) const {
  const std::string decides = metric.empty() ? metric_ : metric;
  Evaluation result;
  result.targets = scorer_->predictions();
  result.loss = scorer_->loss();
  result.metrics = scorer_->values();
  if (decides == "loss") {
    result.score = -result.loss;
    return result;
  }
  const double value = metric_value(result.metrics, decides);
  result.score = metric_info(decides).larger_is_better ? value : -value;
  return result;
}

std::vector<std::pair<std::string, Interval>> LabelledScores::intervals() const {
  const std::size_t examples = scorer_->examples();
  if (examples < 2) return {};
  return bootstrap_intervals(examples,
                             [this](std::span<const std::uint32_t> times) { return scorer_->values_of(times); });
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
