#include "train/run/run_plan.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "support/test_run.h"
#include "tensor/error.h"

using namespace rapt;
namespace fs = std::filesystem;

TEST_CASE("the action on a folder follows from its contents and the request") {
  TestRun run;
  const std::string name = run.folder.path;
  const LayeredConfig same = layer_config("", "", {{"layers", {"4"}}, {"threads", {"9"}}});
  const LayeredConfig other = layer_config("", "", {{"layers", {"5"}}, {"seed", {"1"}}});
  const TrainConfig saved;

  CHECK(plan_run(run.folder, std::nullopt, std::nullopt, same, false) == RunPlan::kStart);
  CHECK(plan_run({name + "/none"}, std::nullopt, std::nullopt, same, false) == RunPlan::kStart);
  CHECK_THROWS_WITH_AS(
      plan_run(run.folder, std::nullopt, std::nullopt, same, true),
      (name + " has no checkpoint to resume from; start the run with: rapt train FILE --out " + name).c_str(),
      MissingInputError);
  run.put(name + "/letter.doc", "x");
  CHECK_THROWS_WITH_AS(plan_run(run.folder, std::nullopt, std::nullopt, same, false),
                       (name + " must be empty or a run folder, got letter.doc in it; use another --out").c_str(),
                       CannotCreateError);
  run.put(run.folder.config(), "");
  CHECK(plan_run(run.folder, std::nullopt, std::nullopt, same, false) == RunPlan::kStart);
  CHECK_THROWS_WITH_AS(plan_run({name + "/letter.doc"}, std::nullopt, std::nullopt, same, false),
                       (name + "/letter.doc must be a folder for the run, got a file; use another --out").c_str(),
                       CannotCreateError);

  const FoundCheckpoint half{run.folder.checkpoint(5), {5, false}, {}}, done{run.folder.checkpoint(9), {9, true}, {}};
  CHECK(plan_run(run.folder, half, saved, same, false) == RunPlan::kResume);
  CHECK(plan_run(run.folder, half, saved, same, true) == RunPlan::kResume);
  CHECK(plan_run(run.folder, done, saved, same, false) == RunPlan::kFinished);
  CHECK(plan_run(run.folder, done, saved, same, true) == RunPlan::kFinished);
  const CommandWords command = {"rapt", "train", "a b.txt", "--layers", "5", "--out", name};
  const std::string as_new = "; for a new run: rapt train 'a b.txt' --layers 5 --out " + name + "-2";
  CHECK_THROWS_WITH_AS(
      plan_run(run.folder, half, saved, other, false, command),
      (name + " was started with --layers 4 (now 5); to resume it: rapt train --resume " + name + as_new).c_str(),
      ConfigError);
  CHECK_THROWS_WITH_AS(
      plan_run(run.folder, done, saved, other, true, command),
      (name +
       " was started with --layers 4 (now 5); resume it without those options, or start a new run with another --out")
          .c_str(),
      ConfigError);
  CHECK_THROWS_WITH_AS(plan_run(run.folder, done, saved, other, false, command),
                       (name + " holds a finished run with --layers 4 (now 5)" + as_new).c_str(), CannotCreateError);
  fs::create_directories(name + "-2");
  CHECK_THROWS_WITH_AS(
      plan_run(run.folder, done, saved, other, false),
      (name + " holds a finished run with --layers 4 (now 5); use another --out for a new run").c_str(),
      CannotCreateError);
  CHECK_THROWS_AS(plan_run(run.folder, done, saved, other, false, command), CannotCreateError);
}

TEST_CASE("--resume may change a run's length and how it continues, and messages of other commands say so") {
  TestRun run;
  const FoundCheckpoint half{run.folder.checkpoint(5), {5, false}, {}}, done{run.folder.checkpoint(9), {9, true}, {}};
  TrainConfig saved;
  saved.steps = 9;
  const LayeredConfig more = layer_config("", "", {{"steps", {"20"}}, {"learning-rate", {"1e-4"}}});
  CHECK(plan_run(run.folder, half, saved, more, true) == RunPlan::kResume);
  CHECK(plan_run(run.folder, done, saved, more, true) == RunPlan::kResume);
  CHECK(plan_run(run.folder, done, saved, layer_config("", "", {{"steps", {"9"}}}), true) == RunPlan::kFinished);
  const std::string command = "; to continue it: rapt train --resume " + run.folder.path;
  CHECK_THROWS_WITH_AS(
      plan_run(run.folder, done, saved, more, false),
      (run.folder.path + " holds a finished run with --learning-rate 0.001 (now 1e-4), --steps 9 (now 20)" + command +
       " --learning-rate 1e-4 --steps 20; use another --out for a new run")
          .c_str(),
      CannotCreateError);
  saved.stretch_start = 9;  // it was asked to continue, and has not saved since
  saved.steps = 20;
  CHECK(plan_run(run.folder, done, saved, {}, true) == RunPlan::kResume);
}

TEST_CASE("a run on other data, from another model or with another tokenizer is a different run") {
  const RunFolder folder{"runs/none"};
  const RunInputs one{
      .data = {{"a/x.txt", 1, "11"}}, .validation = {}, .init = InputFile{"m", 1, "22"}, .tokenizer = {}};
  RunInputs other = one;
  other.data[0].name = "b/x.txt";
  CHECK_NOTHROW(require_same_inputs(folder, true, one, other));  // a different name is not a difference
  other.data[0].digest = "12";
  const CommandWords command = {"rapt", "train", "b/x.txt"};
  CHECK_THROWS_WITH_AS(require_same_inputs(folder, true, one, other, command),
                       "runs/none holds a finished run on a/x.txt, got b/x.txt with other content; for a new run: rapt "
                       "train b/x.txt --out runs/none-2",
                       CannotCreateError);
  CHECK_THROWS_WITH_AS(require_same_inputs(folder, false, one, other, command),
                       "runs/none was started on a/x.txt, got b/x.txt with other content; to resume it: rapt train "
                       "--resume runs/none; for a new run: rapt train b/x.txt --out runs/none-2",
                       ConfigError);
  other.data[0].name = "a/x.txt";
  CHECK_THROWS_WITH_AS(
      require_same_inputs(folder, true, one, other),
      "runs/none holds a finished run on a/x.txt, which has changed since; use another --out for a new "
      "run",
      CannotCreateError);
  other = one;
  other.init.reset();
  CHECK_THROWS_WITH_AS(require_same_inputs(folder, true, one, other),
                       "runs/none holds a finished run with --init m, got no --init; use another --out for a new run",
                       CannotCreateError);
  other = one;
  other.tokenizer = InputFile{"t.json", 1, "33"};
  CHECK_THROWS_WITH_AS(
      require_same_inputs(folder, true, one, other),
      "runs/none holds a finished run without --tokenizer, got t.json; use another --out for a new run",
      CannotCreateError);
}

TEST_CASE("a run that was killed before its first checkpoint starts again") {
  TestRun run;
  run.put(run.folder.path + "/lock", "");
  run.put(run.folder.data(), "");
  CHECK(plan_run(run.folder, std::nullopt, std::nullopt, {}, false) == RunPlan::kStart);
}
