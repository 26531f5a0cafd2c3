#include "train/run/run.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <regex>

#include "nn/models/gpt.h"
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

// An integer in a checkpoint's state; -1 if it is missing.
std::int64_t state_of(const CheckpointFile& file, const std::string& name) {
  for (const auto& [key, value] : file.state()) {
    if (key == name && std::holds_alternative<std::int64_t>(value)) return std::get<std::int64_t>(value);
  }
  return -1;
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
  CHECK(gpt_of(open_pretrained(folder / "a").language_model()).config().width == 16);
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

TEST_CASE("a loss that is not finite stops the run; checkpoint and metrics are those of the update before it") {
  const TemporaryFolder folder;
  const RunRequest request = small_run(
      folder, "a",
      {{"learning-rate", {"1e30"}}, {"clip", {"0"}}, {"warmup", {"0"}}, {"save-every", {"1"}}, {"log-every", {"1"}}});
  std::string message;
  try {
    run(request);
  } catch (const NotFiniteError& error) {
    message = error.what();
  }
  std::smatch update;
  REQUIRE(std::regex_search(message, update, std::regex("^train: update ([0-9]+) is not finite: loss ")));
  const std::int64_t before = std::stoll(update[1]) - 1;
  REQUIRE(before > 0);
  const CheckpointFile last(folder / "a/last.h5");
  CHECK(state_of(last, "step") == before);
  for (const auto& t : last.tensors()) {
    std::vector<float> values(static_cast<std::size_t>(t.count()));
    last.read_into<float>(t.name, values);
    CHECK_MESSAGE(std::ranges::all_of(values, [](float x) { return std::isfinite(x); }), t.name);
  }
  const std::string metrics = metrics_without_clock(folder / "a");
  CHECK(metrics.find("\"event\":\"train\",\"step\":" + std::to_string(before) + ",") != std::string::npos);
  CHECK(metrics.find("\"event\":\"train\",\"step\":" + std::to_string(before + 1) + ",") == std::string::npos);
}

TEST_CASE("recompute does not change a bit of the results, and accumulation changes no more than rounding") {
  const TemporaryFolder folder;
  const std::vector<FlagValue> plain = {{"optimizer", {"sgd"}}};  // Adam amplifies rounding differences
  const auto with = [&](std::vector<FlagValue> more) {
    more.insert(more.begin(), plain.begin(), plain.end());
    return more;
  };
  run(small_run(folder, "a", with({})));
  run(small_run(folder, "b", with({{"recompute", {"on"}}})));
  run(small_run(folder, "c", with({{"batch", {"6"}}, {"accumulate", {"1"}}})));
  run(small_run(folder, "d", with({{"batch", {"1"}}, {"accumulate", {"6"}}})));
  check_same(folder / "a", folder / "b");
  const CheckpointFile first(folder / "a/last.h5");
  for (const char* other : {"c", "d"}) {
    CAPTURE(other);
    const CheckpointFile second(folder / (other + std::string("/last.h5")));
    CHECK(state_of(first, "samples") == state_of(second, "samples"));
    for (const auto& t : first.tensors()) {
      std::vector<float> x(static_cast<std::size_t>(t.count())), y = x;
      first.read_into<float>(t.name, x);
      second.read_into<float>(t.name, y);
      float largest = 0;
      for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
      CHECK_MESSAGE(largest < 1e-5f, t.name);
    }
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
  CHECK(gpt_of(open_pretrained(folder / "f").language_model()).config().width == 16);
}

TEST_CASE("stopping by epochs, tokens and early stopping") {
  const TemporaryFolder folder;
  CHECK(run(small_run(folder, "t", {{"steps", {"200"}}, {"tokens", {"960"}}})).steps == 10);
  const RunResult stopped = run(small_run(
      folder, "e", {{"learning-rate", {"0.5"}}, {"early-stop", {"1"}}, {"eval-every", {"1"}}, {"steps", {"200"}}}));
  CHECK(stopped.reason == "early-stop");
  CHECK(stopped.steps < 200);
}
