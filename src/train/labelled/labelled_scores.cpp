#include "train/labelled/labelled_scores.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
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

namespace {

// Samples for one forward pass.
struct Pass {
  Dim first = 0, count = 0;
};

std::vector<Pass> passes_of(const LabelledData& data) {
  std::vector<Pass> passes;
  for (Dim first = 0; first < data.samples();) {
    Pass pass{first, 0};
    for (Dim tokens = 0; first < data.samples(); ++first, ++pass.count) {
      tokens += data.tokens_of(first);
      if (pass.count > 0 && tokens > kEvaluationRows) break;
    }
    passes.push_back(pass);
  }
  return passes;
}

Tensor logits_of(const TaskNetwork& network, const LabelledData& data, const Pass& pass) {
  std::vector<Dim> samples(static_cast<std::size_t>(pass.count));
  std::iota(samples.begin(), samples.end(), pass.first);
  return network.logits(data.batch(samples));
}

// Everybody's logits, by rank, of those that have some.
std::vector<Tensor> gather_logits(const Tensor& mine, Team& team) {
  if (team.size() == 1) return {mine};
  const std::vector<Dim> widths = team.gather(mine.defined() ? mine.shape().back() : Dim{1});
  const auto bytes = mine.defined() ? std::string(static_cast<const char*>(mine.raw()), mine.bytes()) : std::string();
  std::vector<Tensor> all;
  for (const std::string& theirs : team.gather(bytes)) {
    if (theirs.empty()) break;  // only the last ranks have none
    const Dim width = widths[all.size()];
    Tensor logits = Tensor::empty({static_cast<Dim>(theirs.size() / sizeof(float)) / width, width});
    std::memcpy(logits.raw(), theirs.data(), theirs.size());
    all.push_back(std::move(logits));
  }
  return all;
}

void score_piece(const TaskNetwork& network, const LabelledData& data, LabelledScores& scores,
                 const LabelledScores::Visit& visit, Team& team) {
  const std::vector<Pass> passes = passes_of(data);
  for (std::size_t i = 0; i < passes.size(); i += static_cast<std::size_t>(team.size())) {
    const std::size_t mine = i + static_cast<std::size_t>(team.rank());
    std::size_t at = i;
    for (const Tensor& logits :
         gather_logits(mine < passes.size() ? logits_of(network, data, passes[mine]) : Tensor(), team)) {
      scores.add(data, passes[at].first, passes[at].count, logits, visit);
      ++at;
    }
  }
}

}  // namespace

LabelledScores score_labelled(const TaskNetwork& network, const LabelledData& data, const LabelledScores::Visit& visit,
                              Team& team) {
  LabelledScores scores(data);
  score_piece(network, data, scores, visit, team);
  return scores;
}

LabelledScores score_labelled(const TaskNetwork& network, LabelledStream& stream, const LabelledScores::Visit& visit,
                              Team& team) {
  constexpr Dim kPiece = 4096;
  std::optional<LabelledScores> scores;
  while (const std::optional<LabelledData> data = stream.next(kPiece)) {
    if (!scores) scores.emplace(*data);
    score_piece(network, *data, *scores, visit, team);
  }
  return *std::move(scores);
}

}  // namespace rapt
