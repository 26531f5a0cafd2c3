// One run on several processes: the same bits as on one, and what happens when a process fails. Needs mpirun and a rapt
// that was built with MPI; says so if there is none.
#include <doctest/doctest.h>
#include <sys/mount.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <string>

#include "several_processes.h"
#include "support/parallel_corpus.h"
#include "text/corpus/stories.h"

using namespace rapt;

namespace {

// Each on one thread, or all on one process with two.
ProgramResult run_on(const Workshop& shop, int processes, const Words& words) {
  if (processes == 1) return shop.rapt(words + Words{"--threads", "2"});
  return team(shop, processes, words + Words{"--threads", "1"});
}

void check_same_bits(const Workshop& shop, const std::function<Words(const std::string&)>& words) {
  const ProgramResult alone = run_on(shop, 1, words("runs/1"));
  CAPTURE(alone.err);
  REQUIRE(alone.code == 0);
  for (const int processes : {2, 4}) {
    CAPTURE(processes);
    const std::string out = "runs/" + std::to_string(processes);
    const ProgramResult several = run_on(shop, processes, words(out));
    CAPTURE(several.err);
    REQUIRE(several.code == 0);
    const ProgramResult same = shop.rapt({"checkpoint", "diff", "runs/1/last.h5", out + "/last.h5"});
    CHECK(same.out.ends_with("equal\n"));
    CHECK(validations(shop, out) == validations(shop, "runs/1"));
    CHECK(validations(shop, out).size() > 100);
    CHECK_FALSE(shop.has(out + "/start.h5"));
  }
}

}  // namespace

TEST_CASE("a GPT with dropout, clipping and accumulation has the same bits on one, two and four processes") {
  if (!have_mpi()) return;
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  check_same_bits(shop, gpt);
}

TEST_CASE("masked words with next sentences, a moving average and bf16 have the same bits on all of them, too") {
  if (!have_mpi()) return;
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  check_same_bits(shop, [](const std::string& out) {
    return Words{"train",       "my.txt",  "--model",
                 "bert",        "--task",  "mlm-nsp",
                 "--out",       out,       "--layers",
                 "2",           "--heads", "2",
                 "--width",     "32",      "--context",
                 "32",          "--vocab", "150",
                 "--batch",     "6",       "--dropout",
                 "0.1",         "--steps", "10",
                 "--warmup",    "2",       "--shards",
                 "4",           "--ema",   "0.9",
                 "--precision", "bf16",    "--optimizer-precision",
                 "bf16"};
  });
}

TEST_CASE("fine-tuning has the same bits on all of them, too") {
  if (!have_mpi()) return;
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  REQUIRE(shop.rapt({"train",   "my.txt", "--model",   "bert", "--out",   "base", "--layers", "2", "--heads",  "2",
                     "--width", "32",     "--context", "32",   "--vocab", "150",  "--steps",  "2", "--warmup", "off"})
              .code == 0);
  std::string table = "text\tlabel\n";
  for (int i = 0; i < 60; ++i) table += (i % 2 ? "the cat was happy\tcat\n" : "a dog and the bird saw it\tdog\n");
  shop.write("t.tsv", table);
  check_same_bits(shop, [](const std::string& out) {
    return Words{"finetune", "t.tsv",     "--task", "classify", "--init", "base",     "--out", out,        "--batch",
                 "7",        "--dropout", "0.1",    "--steps",  "10",     "--warmup", "2",     "--shards", "4"};
  });
}

TEST_CASE("a translator with BLEU and BPE-dropout has the same bits and the same validations on all of them, too") {
  if (!have_mpi()) return;
  const Workshop shop;
  const testing::ParallelCorpus corpus = testing::parallel_corpus(200);
  shop.write("a.en", corpus.source);
  shop.write("a.xx", corpus.target);
  check_same_bits(shop, [](const std::string& out) {
    return Words{"train",     "--task",       "translate", "--source",      "a.en", "--target",
                 "a.xx",      "--out",        out,         "--layers",      "1",    "--heads",
                 "2",         "--width",      "16",        "--vocab",       "60",   "--batch",
                 "13",        "--dropout",    "0.1",       "--bpe-dropout", "0.1",  "--valid-metrics",
                 "bleu,loss", "--eval-every", "4",         "--steps",       "9",    "--warmup",
                 "2",         "--shards",     "4"};
  });
}

// A run of 60 updates, `whole`, and the same on four processes, `parts`, which has begun: its mpirun.
pid_t start_parts(const Workshop& shop) {
  shop.write("my.txt", generate_stories(1, 20000));
  const Words longer = {"--steps", "60"};
  REQUIRE(run_on(shop, 1, gpt("whole") + longer).code == 0);
  const pid_t job = shop.start_mpirun(processes_of(4, gpt("parts") + longer + Words{"--threads", "1"}));
  wait_for(shop, "parts/step-00000004.h5");
  return job;
}

TEST_CASE("a run that is stopped continues on another number of processes, with the bits of an uninterrupted one") {
  if (!have_mpi()) return;
  const Workshop shop;
  const pid_t job = start_parts(shop);
  ::kill(job, SIGTERM);
  const ProgramResult stopped = shop.wait(job);
  CAPTURE(stopped.err);
  const ProgramResult resumed = team(shop, 2, {"train", "--resume", "parts", "--threads", "1"});
  CAPTURE(resumed.err);
  CHECK(resumed.code == 0);
  CHECK(shop.rapt({"checkpoint", "diff", "whole/last.h5", "parts/last.h5"}).out.ends_with("equal\n"));
  const ProgramResult three = team(shop, 8, {"train", "--resume", "parts", "--steps", "80"});
  CHECK(three.code == 64);
  CHECK(three.err.find("--shards 4 allows 1, 2 or 4 processes, got 8") != std::string::npos);
}

TEST_CASE("if a process is killed, the others name it, and the run goes on from its last checkpoint") {
  if (!have_mpi()) return;
  const Workshop shop;
  const pid_t job = start_parts(shop);
  const pid_t third = pid_of_rank(shop, 3);
  REQUIRE(third > 0);
  ::kill(third, SIGKILL);
  const ProgramResult ended = shop.wait(job);
  CAPTURE(ended.err);
  CHECK(ended.code != 0);
  CHECK(ended.err.find("lost rank 3 on ") != std::string::npos);
  CHECK(run_on(shop, 1, {"train", "--resume", "parts"}).code == 0);
  CHECK(shop.rapt({"checkpoint", "diff", "whole/last.h5", "parts/last.h5"}).out.ends_with("equal\n"));
}

TEST_CASE("if a process does not go on, the others name it after --peer-timeout, and end with 80") {
  if (!have_mpi()) return;
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  const pid_t job = shop.start_mpirun(
      processes_of(2, gpt("a") + Words{"--steps", "100000", "--threads", "1", "--peer-timeout", "2"}));
  wait_for(shop, "a/step-00000004.h5");
  const pid_t second = pid_of_rank(shop, 1);
  REQUIRE(second > 0);
  ::kill(second, SIGSTOP);
  const auto start = std::chrono::steady_clock::now();
  const ProgramResult ended = shop.wait(job);
  ::kill(second, SIGKILL);
  CAPTURE(ended.err);
  CHECK(ended.code == 80);
  CHECK(ended.err.find("error: team: lost rank 1 on ") != std::string::npos);
  CHECK(ended.err.find("which has not been heard of for ") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
}

TEST_CASE("processes with other settings or other data are refused, with both values") {
  if (!have_mpi()) return;
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  // mpirun's colon separates the commands of one job.
  const Words first = gpt("a");
  Words batch = first;
  *std::find(batch.begin(), batch.end(), "6") = "5";
  const ProgramResult settings =
      shop.wait(shop.start_mpirun(processes_of(1, first) + Words{":"} + processes_of(1, batch)));
  CHECK(settings.code == 78);
  CHECK(settings.err.find(") has --batch 5, rank 0 (") != std::string::npos);
  CHECK(settings.err.find("has --batch 6; start the same command with the same program on all nodes\n") !=
        std::string::npos);
  CHECK_FALSE(shop.has("a"));

  const Words there = gpt(shop.path("a"));
  std::filesystem::create_directories(shop.path("copy"));
  shop.write("copy/my.txt", generate_stories(2, 20000));
  const ProgramResult data = shop.wait(
      shop.start_mpirun(processes_of(1, there) + Words{":", "-wdir", shop.path("copy")} + processes_of(1, there)));
  CHECK(data.code == 78);
  CHECK(data.err.find(") reads other data (my.txt) than rank 0 (") != std::string::npos);
}

TEST_CASE("if the leader's disk is full, all end with its error, and the last checkpoint is whole") {
  if (!have_mpi()) return;
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  std::filesystem::create_directories(shop.path("disk"));
  if (::mount("tmpfs", shop.path("disk").c_str(), "tmpfs", 0, "size=1300k") != 0) {
    MESSAGE("skipped: mounting a small disk is not permitted here");
    return;
  }
  const ProgramResult full =
      team(shop, 2, gpt("disk/run") + Words{"--steps", "60", "--threads", "1", "--keep-last", "9"});
  CAPTURE(full.err);
  CHECK(full.code == 74);
  CHECK(full.err.find("cannot be written: disk full") != std::string::npos);
  CHECK(shop.rapt({"checkpoint", "verify", "disk/run/last.h5"}).code == 0);
  ::umount(shop.path("disk").c_str());
}

TEST_CASE("teams of other sizes than the shards allow are refused with those that they do") {
  if (!have_mpi()) return;
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  const ProgramResult three = team(shop, 3, gpt("a"));
  CHECK(three.code == 64);
  CHECK(three.err.find("Open MPI started 3 processes, but their number must be a power of two; start 2 or 4\n") !=
        std::string::npos);
  const ProgramResult eight = team(shop, 8, gpt("a"));
  CHECK(eight.code == 64);
  CHECK(eight.err.find("error: --shards 4 allows 1, 2 or 4 processes, got 8\n") != std::string::npos);
  const ProgramResult other = team(shop, 2, {"generate", "a"});
  CHECK(other.code == 64);
  CHECK(other.err.find("rapt generate does not run on several processes") != std::string::npos);
}
