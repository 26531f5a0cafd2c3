#include "train/files/run_folder.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/test_run.h"
#include "tensor/error.h"

using namespace rapt;
namespace fs = std::filesystem;

namespace {

int inspected = 0;

CheckpointSummary inspect(const std::string& path) {
  ++inspected;
  std::string text;
  std::ifstream(path) >> text;
  if (text == "finished") return {1000, true};
  if (text.empty() || text == "broken") throw DataError(path + ": checksum mismatch");
  return {std::stoll(text), false};
}

}  // namespace

TEST_CASE("a run is named after its first data file") {
  const auto named = [](std::vector<std::string> data) {
    TrainConfig config;
    config.data = std::move(data);
    return default_run_folder(config);
  };
  CHECK(named({"my.txt"}) == "runs/my");
  CHECK(named({"/a/b/my.jsonl.gz", "other.txt"}) == "runs/my");
  CHECK(named({fs::temp_directory_path().string() + "/"}) == "runs/" + fs::temp_directory_path().filename().string());
  CHECK(named({"-"}) == "runs/stdin");
  CHECK(named({".."}) != "runs/..");
  CHECK(named({".hidden"}) == "runs/.hidden");
}

TEST_CASE("the names of runs on the same data differ by the requested settings") {
  const auto named = [](const std::vector<FlagValue>& flags) {
    std::vector<FlagValue> all = flags;
    all.push_back({"data", {"d/my.txt"}});
    return default_run_folder(layer_config("", "", all).values);
  };
  CHECK(named({{"model", {"bert"}}}) == "runs/my-bert");
  CHECK(named({{"model", {"gpt1"}}}) == "runs/my-gpt1");
  CHECK(named({{"task", {"classify"}}}) == "runs/my-classify");
  CHECK(named({{"task", {"mlm"}}, {"model", {"bert"}}}) == "runs/my-bert-mlm");
  CHECK(named({{"task", {"classify"}}, {"init", {"runs/b"}}}) == "runs/b-classify-my");
  CHECK(named({{"task", {"classify"}}, {"init", {"runs/b/best.h5"}}, {"glue", {"sst2"}}}) == "runs/b-sst2-my");
  CHECK(named({{"task", {"lm"}}, {"init", {"models/imported.h5"}}}) == "runs/imported-lm-my");
}

TEST_CASE("the newest intact checkpoint is found, and newer damaged ones are named") {
  TestRun run;
  CHECK_FALSE(newest_checkpoint(run.folder, inspect));
  for (const std::int64_t step : {100, 200, 300}) run.checkpoint(step);
  name_checkpoint(run.folder, run.folder.checkpoint(300), run.folder.last());
  inspected = 0;
  auto found = newest_checkpoint(run.folder, inspect);
  REQUIRE(found);
  CHECK(found->summary.step == 300);
  CHECK(inspected == 1);  // step-00000300.h5 and last.h5 are one file, read once.

  run.put(run.folder.checkpoint(300), "broken");
  found = newest_checkpoint(run.folder, inspect);
  REQUIRE(found);
  CHECK(found->path == run.folder.checkpoint(200));
  REQUIRE(found->skipped.size() == 1);
  CHECK(found->skipped[0] == run.folder.checkpoint(300) + ": checksum mismatch");
}

TEST_CASE("leftovers, folders and foreign names are not checkpoints") {
  TestRun run;
  run.checkpoint(100);
  run.put(run.folder.path + "/step-00000900.h5.tmp.17", "900");
  run.put(run.folder.path + "/step-900.h5", "900");
  run.put(run.folder.path + "/step-00000900.h5.bak", "900");
  run.put(run.folder.checkpoint(800), "");
  const auto found = newest_checkpoint(run.folder, inspect);
  REQUIRE(found);
  CHECK(found->summary.step == 100);
  CHECK(run.folder.steps() == std::vector<std::int64_t>{100, 800});
}

TEST_CASE("a crash between the new checkpoint and last.h5 loses nothing") {
  TestRun run;
  run.checkpoint(100);
  name_checkpoint(run.folder, run.folder.checkpoint(100), run.folder.last());
  run.checkpoint(200);
  CHECK(newest_checkpoint(run.folder, inspect)->summary.step == 200);
  retire_checkpoints(run.folder, 1);
  CHECK(run.folder.steps() == std::vector<std::int64_t>{200});
  CHECK(fs::exists(run.folder.last()));
}

TEST_CASE("last.h5 alone, without hard links, is a checkpoint") {
  TestRun run;
  run.put(run.folder.last(), "70");
  CHECK(newest_checkpoint(run.folder, inspect)->path == run.folder.last());
  run.checkpoint(60);
  CHECK(newest_checkpoint(run.folder, inspect)->path == run.folder.last());
  run.checkpoint(80);
  CHECK(newest_checkpoint(run.folder, inspect)->path == run.folder.checkpoint(80));
}

TEST_CASE("it is an error if no checkpoint is intact") {
  TestRun run;
  run.put(run.folder.checkpoint(5), "broken");
  const std::string message =
      run.folder.path + ": none of its checkpoints is intact: " + run.folder.checkpoint(5) + ": checksum mismatch";
  CHECK_THROWS_WITH_AS(newest_checkpoint(run.folder, inspect), message.c_str(), DataError);
}

TEST_CASE("naming a checkpoint replaces the name atomically and can be repeated") {
  TestRun run;
  run.checkpoint(1);
  run.checkpoint(2);
  for (const std::int64_t step : {1, 2, 2}) name_checkpoint(run.folder, run.folder.checkpoint(step), run.folder.best());
  CHECK(fs::equivalent(run.folder.best(), run.folder.checkpoint(2)));
  for (const auto& entry : fs::directory_iterator(run.folder.path))
    CHECK(entry.path().string().find(".tmp.") == std::string::npos);
  CHECK_THROWS_AS(name_checkpoint(run.folder, run.folder.checkpoint(99), run.folder.best()), IoError);
}

TEST_CASE("the oldest checkpoints are removed, the newest and the best stay") {
  TestRun run;
  for (const std::int64_t step : {10, 20, 30, 40}) run.checkpoint(step);
  name_checkpoint(run.folder, run.folder.checkpoint(10), run.folder.best());
  retire_checkpoints(run.folder, 2);
  CHECK(run.folder.steps() == std::vector<std::int64_t>{30, 40});
  CHECK(inspect(run.folder.best()).step == 10);
}

TEST_CASE("a folder with nothing but its lock is removed, any other stays") {
  TestRun run;
  run.put(run.folder.path + "/lock", "");
  run.put(run.folder.data(), "");
  remove_if_unused(run.folder);
  CHECK(fs::exists(run.folder.path));
  fs::remove(run.folder.data());
  remove_if_unused(run.folder);
  CHECK_FALSE(fs::exists(run.folder.path));
  remove_if_unused(run.folder);
}
