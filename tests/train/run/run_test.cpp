#include "train/run/run.h"

#include <doctest/doctest.h>

#include "support/run_checks.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "text/corpus/stories.h"
#include "train/files/checkpoint.h"
#include "train/files/pretrained.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

// A small run with every feature that could break exactness: dropout, accumulation, warm-up, validation, samples.
RunRequest small_run(const TemporaryFolder& folder, const std::string& out, std::vector<FlagValue> more = {}) {
  const std::string text = folder / "stories.txt";
  if (!std::filesystem::exists(text)) write_plainly(text, generate_stories(1, 30000));
  std::vector<FlagValue> flags = {
      {"data", {text}},         {"out", {folder / out}}, {"tokenizer", {"char"}},     {"layers", {"2"}},
      {"heads", {"2"}},         {"width", {"16"}},       {"context", {"16"}},         {"batch", {"3"}},
      {"accumulate", {"2"}},    {"dropout", {"0.1"}},    {"learning-rate", {"1e-2"}}, {"warmup", {"4"}},
      {"steps", {"24"}},        {"log-every", {"3"}},    {"eval-every", {"8"}},       {"save-every", {"5"}},
      {"sample-every", {"10"}}, {"sample-tokens", {"5"}}};
  flags.insert(flags.end(), more.begin(), more.end());
  return run_of(flags);
}

}  // namespace

TEST_CASE("a run's folder can be trained further, used for generation, and repeated") {
  const TemporaryFolder folder;
  const RunResult result = run(small_run(folder, "a"));
  CHECK(result.finished);
  CHECK(result.reason == "steps");
  CHECK(result.steps == 24);
  CHECK(result.bits_per_byte > 0);
  for (const char* name : {"config.toml", "metrics.jsonl", "data.h5", "last.h5", "best.h5"}) {
    CHECK(std::filesystem::exists(folder / (std::string("a/") + name)));
  }
  CHECK(open_pretrained(folder / "a").gpt().config().width == 16);
  run(small_run(folder, "b"));
  check_same(folder / "a", folder / "b");
  run(small_run(folder, "c", {{"seed", {"2"}}}));
  CHECK(metrics_without_clock(folder / "a") != metrics_without_clock(folder / "c"));
}

TEST_CASE("interrupted anywhere and resumed on another number of threads, a run has the same bits") {
  const TemporaryFolder folder;
  const int before = thread_count();
  run(small_run(folder, "a"));
  for (const int n : {1, 3, 4, 6, 8, 10}) {
    CAPTURE(n);
    const std::string name = "b" + std::to_string(n);
    set_thread_count(1);
    const RunResult stopped = run_interrupted(small_run(folder, name), n);
    if (!stopped.finished) {
      CHECK(stopped.reason == "SIGTERM");
      set_thread_count(3);
      CHECK(run(small_run(folder, name)).finished);
    }
    check_same(folder / "a", folder / name);
  }
  set_thread_count(before);
}

TEST_CASE("a finished run is unchanged if requested again, and rejected with other settings") {
  const TemporaryFolder folder;
  run(small_run(folder, "a"));
  const std::string before = read_plainly(folder / "a/last.h5");
  CHECK(run(small_run(folder, "a")).already);
  CHECK(read_plainly(folder / "a/last.h5") == before);
  CHECK_THROWS_AS(run(small_run(folder, "a", {{"width", {"32"}}})), CannotCreateError);
}

TEST_CASE("an unfinished run is not resumed with other settings") {
  const TemporaryFolder folder;
  REQUIRE_FALSE(run_interrupted(small_run(folder, "a"), 4).finished);
  CHECK_THROWS_AS(run(small_run(folder, "a", {{"learning-rate", {"5"}}})), ConfigError);
}

TEST_CASE("a loss that is not finite stops the run before anything is changed") {
  const TemporaryFolder folder;
  RunRequest request = small_run(folder, "a", {{"learning-rate", {"1e30"}}, {"clip", {"0"}}, {"warmup", {"0"}}});
  std::string message;
  try {
    run(request);
  } catch (const NotFiniteError& error) {
    message = error.what();
  }
  CHECK(message.starts_with("train: update "));
  CHECK(message.find("is not finite") != std::string::npos);
}

TEST_CASE("recompute and accumulation do not change the results") {
  const TemporaryFolder folder;
  run(small_run(folder, "a"));
  run(small_run(folder, "b", {{"recompute", {"on"}}}));
  const CheckpointFile first(folder / "a/last.h5"), second(folder / "b/last.h5");
  for (const auto& t : first.tensors()) {
    std::vector<float> x(static_cast<std::size_t>(t.count())), y = x;
    first.read_into<float>(t.name, x);
    second.read_into<float>(t.name, y);
    CHECK_MESSAGE(x == y, t.name);
  }
}

TEST_CASE("a run starts from another one's weights and structure") {
  const TemporaryFolder folder;
  run(small_run(folder, "a"));
  RunRequest request = small_run(folder, "f", {});
  std::vector<FlagValue> flags = {
      {"data", {folder / "stories.txt"}}, {"out", {folder / "f"}}, {"init", {folder / "a"}}, {"steps", {"3"}}};
  request.config = layer_config("", "", flags);
  CHECK(run(request).finished);
  CHECK(open_pretrained(folder / "f").gpt().config().width == 16);
}

TEST_CASE("stopping by epochs, tokens and early stopping") {
  const TemporaryFolder folder;
  CHECK(run(small_run(folder, "t", {{"steps", {"200"}}, {"tokens", {"960"}}})).steps == 10);
  const RunResult stopped = run(small_run(
      folder, "e", {{"learning-rate", {"0.5"}}, {"early-stop", {"1"}}, {"eval-every", {"1"}}, {"steps", {"200"}}}));
  CHECK(stopped.reason == "early-stop");
  CHECK(stopped.steps < 200);
}
