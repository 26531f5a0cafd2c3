// Scores against the files of ../shared/data/fixtures/metrics.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "io/json.h"
#include "io/shared_data.h"
#include "text/corpus/line_reader.h"
#include "train/metrics/bleu.h"
#include "train/metrics/chrf.h"
#include "train/metrics/rouge.h"
#include "train/metrics/text_metric.h"

using namespace rapt;
using Texts = std::vector<std::string>;

namespace {

Texts lines_of(const std::string& path) {
  LineReader reader(Input::from_file(path));
  Texts lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  return lines;
}

std::vector<Texts> each_alone(const Texts& lines) {
  std::vector<Texts> references;
  for (const std::string& line : lines) references.push_back({line});
  return references;
}

// Sums over segments, of references in streams.
std::vector<double> summed(const TextMetric& metric, const Texts& said, const std::vector<Texts>& streams) {
  std::vector<double> sums(metric.size());
  for (std::size_t i = 0; i < said.size(); ++i) {
    Texts references;
    for (const Texts& stream : streams) references.push_back(stream[i]);
    const std::vector<double> one = metric.compare(said[i], references);
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += one[k];
  }
  return sums;
}

BleuTokenization tokenization(const std::string& name) {
  return name == "13a" ? BleuTokenization::k13a : name == "intl" ? BleuTokenization::kIntl : BleuTokenization::kNone;
}

}  // namespace

TEST_CASE("two systems of WMT22 German-English have their published BLEU and chrF") {
  const std::string folder = shared_data("data/fixtures/metrics/bleu-wmt22-de-en");
  if (folder.empty()) return;
  const std::vector<Texts> references = each_alone(lines_of(folder + "/de-en.ref.A.en.gz"));
  const auto metrics = make_text_metrics("bleu,chrf");
  std::size_t checked = 0;
  for (const std::string& row : lines_of(folder + "/scores.tsv")) {
    Texts columns(1);
    for (const char c : row) c == '\t' ? static_cast<void>(columns.emplace_back()) : columns.back().push_back(c);
    if (columns[0] == "pair") continue;
    const Texts said = lines_of(folder + "/de-en.hyp." + columns[1] + ".en.gz");
    const MetricValues values = TextScores(metrics, said, references).values();
    const std::string metric = columns[4].substr(0, columns[4].find('-'));
    CHECK(std::abs(metric_value(values, metric) - std::stod(columns[5])) < 1e-9);
    ++checked;
  }
  CHECK(checked == 4);
}

TEST_CASE("sacreBLEU's own cases of BLEU and chrF") {
  const std::string path = shared_data("data/fixtures/metrics/bleu_chrf_cases.json");
  if (path.empty()) return;
  const Json cases = read_json_file(path);
  for (const Json& c : cases.at("bleu")) {
    CAPTURE(c.dump());
    BleuOptions options;
    std::vector<double> sums;
    if (c.contains("stats")) {
      const Json& stats = c.at("stats");
      sums = {stats.at("sys_len").get<double>(), stats.at("ref_len").get<double>()};
      for (const char* key : {"correct", "total"}) {
        for (const Json& count : stats.at(key)) sums.push_back(count.get<double>());
      }
    } else {
      options.tokenization = tokenization(c.at("tokenize").get<std::string>());
      options.order = c.value("max_ngram_order", options.order);
      sums = summed(Bleu(options), c.at("hyps").get<Texts>(), c.at("refs").get<std::vector<Texts>>());
    }
    const double close = c.contains("digits") ? 0.006 : 1e-6;
    CHECK(std::abs(Bleu(options).score(sums) - c.at("score").get<double>()) < close);
  }
  const auto check_chrf = [&](const char* key, const ChrfOptions& options) {
    for (const Json& c : cases.at(key)) {
      CAPTURE(c.dump());
      const Texts said = c[0].is_array() ? c[0].get<Texts>() : Texts{c[0].get<std::string>()};
      const Texts wanted = c[1].is_array() ? c[1].get<Texts>() : Texts{c[1].get<std::string>()};
      const Chrf chrf(options);
      CHECK(std::abs(chrf.score(summed(chrf, said, {wanted})) - c[2].get<double>()) < 1e-4);
    }
  };
  check_chrf("chrf_beta3_order6_eps_smoothing", {.beta = 3, .every_order = true});
  check_chrf("chrf_beta3_order6_effective_order", {.beta = 3});
  check_chrf("sentence_chrf_default(beta=2,order=6)", {.every_order = true});  // the default of its time
}

TEST_CASE("3,000 translations on text split at single spaces have the BLEU of tensorflow/nmt") {
  const std::string folder = shared_data("data/fixtures/metrics/nmt-deen");
  if (folder.empty()) return;
  const auto joined_at = [](Texts lines, const std::string& mark) {
    for (std::string& line : lines) {
      for (std::size_t at; (at = line.find(mark)) != std::string::npos;) line.erase(at, mark.size());
      if (line.empty()) line = "-";  // that program counts a word in an empty line
    }
    return lines;
  };
  const Texts said = joined_at(lines_of(folder + "/deen_output.gz"), "@@ ");
  const Texts wanted = joined_at(lines_of(folder + "/deen_ref_bpe.gz"), "@@ ");
  const auto metrics = make_text_metrics("bleu", {.tokenize = "none", .smooth = "none"});
  const double score = TextScores(metrics, said, each_alone(wanted)).values()[0].second;
  CHECK(std::abs(score - 22.5855084573) < 1e-9);
}

TEST_CASE("the values of ROUGE-1.5.5") {
  const std::string folder = shared_data("data/fixtures/metrics/rouge");
  if (folder.empty()) return;
  const Json expected = read_json_file(folder + "/rouge155_expected.json");
  const Texts said = lines_of(folder + "/prediction.txt"), wanted = lines_of(folder + "/target.txt");
  const auto check = [&](const RougeScore& score, const Json& values, double close) {
    CHECK(std::abs(score.precision - values.at("p").get<double>()) < close);
    CHECK(std::abs(score.recall - values.at("r").get<double>()) < close);
    CHECK(std::abs(score.f1 - values.at("f").get<double>()) < close);
  };
  const auto kind_of = [](const std::string& key) {
    return key.starts_with("rouge1")   ? RougeKind::k1
           : key.starts_with("rouge2") ? RougeKind::k2
           : key == "rougeLsum"        ? RougeKind::kLsum
                                       : RougeKind::kL;
  };
  for (const Json& pair : expected.at("pairs")) {
    const std::size_t line = pair.at("line").get<std::size_t>() - 1;
    for (const auto& [key, values] : pair.items()) {
      if (key != "line") check(rouge(kind_of(key), said[line], wanted[line], key.ends_with("_stem")), values, 5.1e-6);
    }
  }
  for (const Json& c : expected.at("small")) {
    const auto target = c.at("target").get<std::string>(), prediction = c.at("prediction").get<std::string>();
    for (const auto& [key, values] : c.items()) {
      if (values.is_object()) check(rouge(kind_of(key), prediction, target), values, 1e-9);
    }
  }
  const auto whole = [&](const char* name) {
    std::string text;
    for (const std::string& line : lines_of(folder + name)) text += line + "\n";
    return text;
  };
  check(rouge(RougeKind::kLsum, whole("/prediction_multi.0.txt"), whole("/target_multi.0.txt"), true),
        expected.at("multi.0 (newline = sentence break), rougeLsum with Porter stemming"), 5.1e-6);
}
