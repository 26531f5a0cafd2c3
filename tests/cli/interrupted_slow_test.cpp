// Training that is killed, whose disk is full, or whose folder is in use: the data that must survive survives.
#include <sys/mount.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <random>
#include <regex>
#include <system_error>
#include <thread>

#include "run_program.h"
#include "support/parallel_corpus.h"
#include "text/corpus/stories.h"

using namespace rapt;

namespace {

constexpr int kSaveEvery = 3;  // updates

std::vector<std::string> arguments_of(const std::string& out, int steps) {
  return {"train",
          "--data",
          "stories.txt",
          "--out",
          out,
          "--tokenizer",
          "char",
          "--layers",
          "2",
          "--heads",
          "2",
          "--width",
          "32",
          "--context",
          "32",
          "--batch",
          "4",
          "--accumulate",
          "2",
          "--dropout",
          "0.1",
          "--warmup",
          "10",
          "--log-every",
          "5",
          "--eval-every",
          "40",
          "--save-every",
          std::to_string(kSaveEvery),
          "--steps",
          std::to_string(steps),
          "--quiet"};
}

std::vector<std::string> masked_words_arguments(const std::string& out) {
  return {"train",        "stories.txt", "--out",        out,
          "--model",      "bert",        "--vocab",      "120",
          "--layers",     "2",           "--heads",      "2",
          "--width",      "32",          "--context",    "32",
          "--batch",      "4",           "--accumulate", "2",
          "--dropout",    "0.1",         "--warmup",     "10",
          "--steps",      "1500",        "--log-every",  "5",
          "--eval-every", "40",          "--save-every", std::to_string(kSaveEvery),
          "--quiet"};
}

std::vector<std::string> classifier_arguments(const std::string& init, const std::string& out) {
  return {"train",          "a.tsv", "--task",       "classify",
          "--init",         init,    "--out",        "tuned-" + out,
          "--batch-tokens", "60",    "--accumulate", "2",
          "--dropout",      "0.2",   "--warmup",     "10",
          "--steps",        "1500",  "--log-every",  "5",
          "--eval-every",   "40",    "--save-every", std::to_string(kSaveEvery),
          "--quiet"};
}

// Moving averages of the weights and BPE-dropout are part of the state that must survive.
std::vector<std::string> translation_arguments(const std::string& out) {
  return {"train",
          "--source",
          "a.en",
          "--target",
          "a.xx",
          "--out",
          out,
          "--layers",
          "1",
          "--heads",
          "2",
          "--width",
          "32",
          "--feed-forward",
          "32",
          "--vocab",
          "100",
          "--bpe-dropout",
          "0.1",
          "--ema",
          "0.99",
          "--dropout",
          "0.1",
          "--batch-tokens",
          "200",
          "--accumulate",
          "2",
          "--warmup",
          "10",
          "--steps",
          "1500",
          "--log-every",
          "5",
          "--eval-every",
          "40",
          "--save-every",
          std::to_string(kSaveEvery),
          "--quiet"};
}

std::string labelled_examples() {
  std::string text = "text\tlabel\n";
  for (int i = 0; i < 80; ++i) {
    text += std::string(i % 2 ? "the cat was happy and went home" : "a dog") + (i % 3 ? "" : " and the bird saw it") +
            (i % 2 ? "\tcat\n" : "\tdog\n");
  }
  return text;
}

std::string without_clock(const std::string& metrics) {
  return std::regex_replace(metrics, std::regex(",\"wall_clock\":\\{[^}]*\\}"), "");
}

std::string folder_of(const std::vector<std::string>& arguments) {
  return *std::next(std::ranges::find(arguments, "--out"));
}

// The update of the newest checkpoint in a run's folder.
int saved_updates(const std::string& folder) {
  int newest = 0;
  std::error_code none;  // the folder may not exist yet, and files appear and disappear
  for (auto file = std::filesystem::directory_iterator(folder, none); !none && file != std::filesystem::end(file);
       file.increment(none)) {
    const std::string name = file->path().filename().string();
    if (name.starts_with("step-") && name.ends_with(".h5")) newest = std::max(newest, std::stoi(name.substr(5)));
  }
  return newest;
}

// One run from start to end, and one that is killed twenty times at random moments before it runs to its end. The
// moment of a kill depends on what the run has saved, so on any machine twenty kills come long before its 500th
// checkpoint. \param arguments  of a run in folder "whole" or "killed"
void check_killed(const Workshop& shop, const std::function<std::vector<std::string>(const std::string&)>& arguments) {
  std::vector<std::string> whole = arguments("whole");
  whole.insert(whole.end(), {"--threads", "2"});
  const ProgramResult uninterrupted = shop.rapt(whole);
  REQUIRE_MESSAGE(uninterrupted.code == 0, uninterrupted.err);

  const std::string a = folder_of(arguments("whole")), b = folder_of(arguments("killed"));
  std::mt19937 random(20260101);
  for (int kills = 0; kills < 20; ++kills) {
    std::vector<std::string> killed = arguments("killed");
    killed.insert(killed.end(), {"--threads", std::to_string(1 + random() % 3)});
    // One kill in five comes during the start, the others a moment after one to five checkpoints.
    const auto start = std::chrono::steady_clock::now();
    const auto patience = std::chrono::milliseconds(kills % 5 == 0 ? random() % 100 : 60000);
    const int enough = saved_updates(shop.path(b)) + kSaveEvery * static_cast<int>(1 + random() % 5);
    const auto moments = std::chrono::microseconds(random() % 4000);
    const ProgramResult result = shop.rapt_until(
        killed,
        [&] {
          if (saved_updates(shop.path(b)) < enough) return std::chrono::steady_clock::now() - start > patience;
          std::this_thread::sleep_for(moments);
          return true;
        },
        SIGKILL);
    REQUIRE_MESSAGE(result.code == 128 + SIGKILL, result.err);
  }
  const ProgramResult resumed = shop.rapt(arguments("killed"));
  REQUIRE_MESSAGE(resumed.code == 0, resumed.err);
  CHECK(shop.rapt({"checkpoint", "diff", a, b}).code == 0);
  CHECK(without_clock(shop.read(a + "/metrics.jsonl")) == without_clock(shop.read(b + "/metrics.jsonl")));
}

}  // namespace

TEST_CASE("killed twenty times and resumed on other numbers of threads, a run ends with the same bits") {
  const Workshop shop;
  shop.write("stories.txt", generate_stories(3, 40000));
  check_killed(shop, [](const std::string& out) { return arguments_of(out, 2000); });
}

TEST_CASE("masked words and a classifier that starts from them, killed twenty times: the same bits") {
  const Workshop shop;
  shop.write("stories.txt", generate_stories(3, 40000));
  shop.write("a.tsv", labelled_examples());
  check_killed(shop, [](const std::string& out) { return masked_words_arguments(out); });
  check_killed(shop, [](const std::string& out) { return classifier_arguments("whole", out); });
}

TEST_CASE("a translation run with moving averages and BPE-dropout, killed twenty times: the same bits") {
  const Workshop shop;
  const testing::ParallelCorpus corpus = testing::parallel_corpus(200);
  shop.write("a.en", corpus.source);
  shop.write("a.xx", corpus.target);
  check_killed(shop, [](const std::string& out) { return translation_arguments(out); });
}

TEST_CASE("a disk that is full while saving: exit 74, and the previous checkpoint is intact") {
  const Workshop shop;
  shop.write("stories.txt", generate_stories(3, 40000));
  std::filesystem::create_directories(shop.path("disk"));
  // Room for the tokens and two checkpoints of 0.4 MB, but not for a third.
  if (::mount("tmpfs", shop.path("disk").c_str(), "tmpfs", 0, "size=1100k") != 0) {
    MESSAGE("skipped: tmpfs cannot be mounted here");
    return;
  }
  std::vector<std::string> arguments = arguments_of("disk/run", 60);
  arguments.insert(arguments.end(), {"--keep-last", "4"});
  const ProgramResult result = shop.rapt(arguments);
  const ProgramResult verified = shop.rapt({"checkpoint", "verify", "disk/run/last.h5"});
  std::size_t leftovers = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shop.path("disk/run"))) {
    leftovers += entry.path().string().find(".tmp.") != std::string::npos ? 1 : 0;
  }
  ::umount(shop.path("disk").c_str());
  CHECK(result.code == 74);
  CHECK(result.err.find("error: ") != std::string::npos);
  CHECK(result.err.find("cannot be written: disk full, ") != std::string::npos);
  CHECK(verified.code == 0);
  CHECK(leftovers == 0);
}

TEST_CASE("the second run in a folder is rejected, and TERM saves: exit codes 73 and 75") {
  const Workshop shop;
  shop.write("stories.txt", generate_stories(3, 40000));
  const pid_t running = shop.start(arguments_of("run", 100000));
  for (int i = 0; i < 60000 && !shop.has("run/last.h5"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const Workshop other;
  std::vector<std::string> arguments = arguments_of(shop.path("run"), 100000);
  arguments[2] = shop.path("stories.txt");
  const ProgramResult second = other.rapt(arguments);
  ::kill(running, SIGTERM);
  const ProgramResult first = shop.wait(running);
  CHECK(second.code == 73);
  CHECK(second.err.find("is in use by pid ") != std::string::npos);
  CHECK(first.code == 75);
  CHECK(shop.rapt({"checkpoint", "verify", "run/last.h5"}).code == 0);
}
