// Recurrent language models through whole runs: training, exact resume, and what evaluation and decoding get.
#include <doctest/doctest.h>

#include "decode/generate.h"
#include "support/run_checks.h"
#include "support/thread_counts.h"
#include "support/with_precision.h"
#include "text/corpus/stories.h"
#include "train/files/pretrained.h"
#include "train/models/family.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

RunRequest language_model(const TemporaryFolder& folder, const std::string& out, const std::string& model,
                          const std::string& precision = "f32") {
  const std::string text = folder / "stories.txt";
  if (!std::filesystem::exists(text)) write_plainly(text, generate_stories(1, 20000));
  return run_of({{"data", {text}},
                 {"out", {folder / out}},
                 {"model", {model}},
                 {"precision", {precision}},
                 {"layers", {"2"}},
                 {"width", {"24"}},
                 {"context", {"24"}},
                 {"batch", {"3"}},
                 {"accumulate", {"2"}},
                 {"dropout", {"0.1"}},
                 {"learning-rate", {"1e-2"}},
                 {"warmup", {"4"}},
                 {"steps", {"30"}},
                 {"log-every", {"5"}},
                 {"eval-every", {"10"}},
                 {"save-every", {"7"}}});
}

}  // namespace

TEST_CASE("a recurrent language model ends with the same bits interrupted, resumed and on other numbers of threads") {
  const WithPrecision restored(Precision::kF32);  // runs set their own
  for (const std::string model : {"lstm", "gru"}) {
    for (const std::string precision : {"f32", "bf16"}) {
      CAPTURE(model);
      CAPTURE(precision);
      const TemporaryFolder folder;
      const WithThreads two(2);
      const auto start = [&](const std::string& out) { return language_model(folder, out, model, precision); };
      REQUIRE(run(start("whole")).finished);
      on_threads(1, [&] { return run(start("alone")); });
      check_same(folder / "whole", folder / "alone");
      for (const int n : {3, 5}) {
        const std::string out = "stopped" + std::to_string(n);
        const RunResult stopped = on_threads(1, [&] { return run_interrupted(start(out), n); });
        if (!stopped.finished) CHECK(run(start(out)).finished);
        check_same(folder / "whole", folder / out);
      }
    }
  }
}

TEST_CASE("a recurrent language model's loss falls, and its run folder opens as a model that generates") {
  const TemporaryFolder folder;
  const RunResult result = run(language_model(folder, "run", "gru"));
  REQUIRE(result.finished);
  const Pretrained model = open_pretrained(folder / "run");
  CHECK(model.config.model == "gru");
  CHECK(model.network->backbone().next_token() != nullptr);
  const auto decoder = make_decoder(*model.network, 2);
  GenerateOptions options;
  options.max_tokens = 60;  // more than the context of training
  options.sampling.greedy = true;
  const auto texts = generate(*decoder, {{1, 2}, {3}}, options);
  CHECK(texts[0].tokens.size() == 60);
  CHECK(texts[1].tokens.size() == 60);
}
