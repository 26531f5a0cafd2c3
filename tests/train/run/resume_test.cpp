#include "train/run/resume.h"

#include <doctest/doctest.h>

#include <cmath>

#include "support/run_checks.h"
#include "tensor/error.h"
#include "tensor/matmul.h"
#include "text/corpus/stories.h"
#include "train/optimise/schedule.h"
#include "train/run/run_start.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

const Notice kSilent = [](const std::string&) {};

RunRequest little_run(const TemporaryFolder& folder, const std::string& out, std::vector<FlagValue> more = {}) {
  const std::string text = folder / "stories.txt";
  if (!std::filesystem::exists(text)) write_plainly(text, generate_stories(1, 20000));
  std::vector<FlagValue> flags = {
      {"data", {text}},  {"out", {folder / out}}, {"tokenizer", {"char"}},     {"layers", {"1"}},
      {"heads", {"2"}},  {"width", {"16"}},       {"context", {"16"}},         {"batch", {"3"}},
      {"warmup", {"2"}}, {"dropout", {"0.1"}},    {"learning-rate", {"1e-2"}}, {"log-every", {"1"}},
      {"steps", {"12"}}, {"eval-every", {"4"}},   {"save-every", {"3"}}};
  flags.insert(flags.end(), more.begin(), more.end());
  return run_of(flags);
}

RunRequest resumed(const TemporaryFolder& folder, const std::string& out, std::vector<FlagValue> more) {
  more.push_back({"out", {folder / out}});
  RunRequest request = run_of(more);
  request.resume = true;
  return request;
}

}  // namespace

TEST_CASE("a stretch has the learning rates of a run of its length") {
  RateSchedule first{.peak = 1, .minimum = 0.1, .warmup = 5, .total = 30};
  RateSchedule second = first;
  second.begin = 100;
  for (std::int64_t done = 0; done < 30; ++done) CHECK(second.rate(100 + done) == first.rate(done));
}

TEST_CASE("a finished run continues to more updates, exactly, wherever it is stopped") {
  const TemporaryFolder folder;
  run(little_run(folder, "a"));
  run(resumed(folder, "a", {{"steps", {"30"}}}));
  const CheckpointFile whole(folder / "a/last.h5");
  CHECK(whole.state_integer("step") == 30);
  CHECK(whole.state_integer("finished") == 1);
  for (const int n : {2, 5, 9}) {
    CAPTURE(n);
    const std::string name = "b" + std::to_string(n);
    run(little_run(folder, name));
    const RunResult stopped = run_interrupted(resumed(folder, name, {{"steps", {"30"}}}), n);
    CHECK_FALSE(stopped.finished);
    // The same command, or --resume alone, continues in the stretch that was started.
    CHECK(run(resumed(folder, name, n == 5 ? std::vector<FlagValue>{{"steps", {"30"}}} : std::vector<FlagValue>{}))
              .finished);
    check_same(folder / "a", folder / name);
  }
  CHECK(run(resumed(folder, "a", {})).already);
  CHECK(run(resumed(folder, "a", {{"steps", {"30"}}})).already);
}

TEST_CASE("a run that was extended and killed before it saved still continues") {
  const TemporaryFolder folder;
  run(little_run(folder, "a"));
  run(little_run(folder, "b"));
  run(resumed(folder, "a", {{"steps", {"20"}}}));
  TrainConfig config = from_toml(read_plainly(folder / "b/config.toml"), "config");
  config.steps = 20;
  config.stretch_start = 12;
  config.warmup = Period::updates(1);  // at most a tenth of the stretch
  write_plainly(folder / "b/config.toml", to_toml(config));
  CHECK(run(resumed(folder, "b", {})).steps == 20);
  check_same(folder / "a", folder / "b");
}

TEST_CASE("more minutes become updates of a new stretch") {
  const TemporaryFolder folder;
  run(little_run(folder, "a"));
  const RunResult more = run(resumed(folder, "a", {{"minutes", {"0.005"}}}));
  CHECK(more.finished);
  CHECK(more.steps >= 12 + 10);
  const TrainConfig config = from_toml(read_plainly(folder / "a/config.toml"), "config");
  CHECK(config.steps == more.steps);
  CHECK(config.stretch_start == 12);
  CHECK(config.minutes == 0);
  CHECK(config.planned_minutes == 0.005);
}

TEST_CASE("--resume changes learning rates from the next update on, and reports it") {
  TrainConfig saved;
  saved.steps = 100;
  saved.learning_rate = 1e-2;
  saved.min_learning_rate = 1e-3;
  const CheckpointSummary half{50, false}, done{100, true};
  std::vector<std::string> told;
  const Notice listen = [&](const std::string& line) { told.push_back(line); };
  const LayeredConfig lower = layer_config("", "", {{"learning-rate", {"1e-4"}}, {"clip", {"0.5"}}});
  const Resumption resumption = resume_from(saved, lower, half, true, listen);
  CHECK(resumption.config.learning_rate == 1e-4);
  CHECK(resumption.config.min_learning_rate == 1e-4);  // not above it
  CHECK(resumption.config.clip == 0.5);
  CHECK_FALSE(resumption.new_stretch);
  CHECK(told == std::vector<std::string>{"train: --learning-rate is 1e-4 from update 51 on (previously 0.01)",
                                         "train: --clip is 0.5 from update 51 on (previously 1)"});
  CHECK(resume_from(saved, lower, half, false, listen).config.learning_rate == 1e-2);  // not without --resume
  CHECK_THROWS_WITH_AS(resume_from(saved, lower, done, true, kSilent),
                       "a finished run needs a new length before its settings can change; add --steps N or "
                       "--minutes N",
                       UsageError);
}

TEST_CASE("a run that continues with other kernels says so") {
  const TemporaryFolder folder;
  REQUIRE(run(little_run(folder, "a")).finished);
  Json manifest = manifest_of(CheckpointFile(folder / "a/last.h5"));
  CHECK(other_kernels(manifest).empty());
  CHECK(other_kernels(Json::object()).empty());
  manifest["matmul"] = "abacus 1.0";
  CHECK(other_kernels(manifest) == "warning: the run was computed with abacus 1.0, and continues with " +
                                       matmul_provider() +
                                       ": the last digits will differ from those of an uninterrupted run");
  manifest["instruction_set"] = "beads";
  CHECK(other_kernels(manifest).starts_with("warning: the run was computed with beads, and continues with "));
}

TEST_CASE("the minutes of a stopped run request nothing new, other minutes do, and after its end any minutes do") {
  TrainConfig saved;
  saved.steps = 100;
  saved.planned_minutes = 5;
  const LayeredConfig five = layer_config("", "", {{"minutes", {"5"}}}),
                      ten = layer_config("", "", {{"minutes", {"10"}}});
  CHECK_FALSE(resume_from(saved, five, {50, false}, true, kSilent).new_stretch);
  CHECK(resume_from(saved, ten, {50, false}, true, kSilent).new_stretch);
  CHECK(resume_from(saved, five, {100, true}, true, kSilent).more_minutes == 5);
  const LayeredConfig both = layer_config("", "", {{"minutes", {"5"}}, {"steps", {"200"}}});
  CHECK_THROWS_WITH_AS(resume_from(saved, both, {50, false}, true, kSilent),
                       "--resume takes one length, got --steps and --minutes; leave one of them out", UsageError);
}

TEST_CASE("a stretch must not be empty, and its warm-up is at most a tenth of it") {
  TrainConfig config;
  config.stretch_start = 100;
  config.warmup = Period::updates(50);
  CHECK_THROWS_WITH_AS(fit_stretch(config, 100, kSilent),
                       "train: the new end must be after update 100, which the run has reached, got update 100",
                       UsageError);
  fit_stretch(config, 200, kSilent);
  CHECK(config.warmup == Period::updates(10));
  config.warmup = parse_period("20%");
  fit_stretch(config, 200, kSilent);
  CHECK(to_string(config.warmup) == "20%");
}

TEST_CASE("the advice of a run with a loss that is not finite works") {
  const TemporaryFolder folder;
  // The first learning rate works and a checkpoint is saved; the peak of the warm-up is too high.
  const std::vector<FlagValue> wild = {{"learning-rate", {"1e12"}}, {"warmup", {"100%"}}, {"clip", {"0"}},
                                       {"save-every", {"1"}},       {"steps", {"200"}},   {"dropout", {"0"}}};
  std::string message;
  try {
    run(little_run(folder, "a", wild));
  } catch (const NotFiniteError& error) {
    message = error.what();
  }
  const std::string advice =
      " with a lower learning rate or --clip: rapt train --resume " + folder / "a" + " --learning-rate 2.5e11";
  INFO(message);
  REQUIRE(message.find("; nothing was changed; resume from update ") != std::string::npos);
  CHECK(message.ends_with(advice));
  // As the message says: it is accepted, whatever the result of so high a rate.
  try {
    run(resumed(folder, "a", {{"learning-rate", {"1e-9"}}}));
  } catch (const NotFiniteError&) {
  }
  CHECK(read_plainly(folder / "a/config.toml").find("\nlearning-rate = 1e-9\n") != std::string::npos);
}
