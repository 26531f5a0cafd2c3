// Whole runs of translation: metrics of texts in validations, and samples.
#include <doctest/doctest.h>

#include "support/run_checks.h"
#include "tensor/error.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

RunRequest translation(const TemporaryFolder& folder, const std::string& metrics) {
  const std::string source = folder / "a.src", target = folder / "a.tgt";
  std::string sources, targets;
  for (int i = 0; i < 60; ++i) {
    sources += "the dog sees the " + std::string(i % 2 ? "cat" : "bird") + "\n";
    targets += "der Hund sieht " + std::string(i % 2 ? "Katze" : "Vogel") + "\n";
  }
  write_plainly(source, sources);
  write_plainly(target, targets);
  return run_of({{"source", {source}},
                 {"target", {target}},
                 {"out", {folder / "run"}},
                 {"tokenizer", {"word"}},
                 {"layers", {"1"}},
                 {"heads", {"1"}},
                 {"width", {"16"}},
                 {"feed-forward", {"16"}},
                 {"batch", {"8"}},
                 {"learning-rate", {"2e-2"}},
                 {"dropout", {"0"}},
                 {"steps", {"60"}},
                 {"eval-every", {"20"}},
                 {"save-every", {"20"}},
                 {"sample-every", {"30"}},
                 {"valid-metrics", {metrics}}});
}

}  // namespace

TEST_CASE(
    "validations translate held-out texts, the first metric selects the best checkpoint, and samples are logged") {
  const TemporaryFolder folder;
  const RunResult result = run(translation(folder, "bleu,chrf,loss"));
  CHECK(result.finished);
  CHECK(result.metric == "bleu");
  CHECK(result.best_score == doctest::Approx(100));  // two sentences, learnt by heart
  const std::string metrics = metrics_without_clock(folder / "run");
  CHECK(metrics.find("\"bleu\":100") != std::string::npos);
  CHECK(metrics.find("\"chrf\":100") != std::string::npos);
  CHECK(metrics.find("\"event\":\"sample\",\"step\":30") != std::string::npos);
  CHECK(metrics.find("reference: der Hund sieht ") != std::string::npos);
}

TEST_CASE("an unknown metric of validations is named before the data is read") {
  const TemporaryFolder folder;
  CHECK(message_of<UsageError>([&] { run(translation(folder, "blue")); }).find("\"blue\"; did you mean bleu?") !=
        std::string::npos);
}
