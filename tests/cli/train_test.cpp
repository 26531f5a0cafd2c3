#include <doctest/doctest.h>
#include <sys/file.h>

#include <csignal>
#include <regex>

#include "cli/run_program.h"

using namespace rapt;

namespace {

std::string little_text() {
  static const char* const words[] = {"the", "cat", "sat", "on", "a", "mat", "and", "ran", "far", "away"};
  std::string text;
  for (unsigned i = 0, x = 1; i < 1500; ++i) {
    x = x * 1664525 + 1013904223;
    text += words[x >> 16 & 7] + std::string(i % 8 == 7 ? "\n" : " ");
  }
  return text;
}

/// The options of a run of one second.
std::vector<std::string> flags(const std::string& out, const std::string& steps,
                               const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {
      "train",   "my.txt", "--layers",    "1",    "--heads",     "2", "--width",      "16", "--context",    "16",
      "--batch", "2",      "--tokenizer", "char", "--log-every", "5", "--eval-every", "10", "--save-every", "10",
      "--steps", steps,    "--threads",   "1",    "--out",       out};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// metrics.jsonl without values that depend on the clock.
std::string metrics(const Workshop& shop, const std::string& run) {
  return std::regex_replace(shop.read(run + "/metrics.jsonl"), std::regex(",\"wall_clock\":\\{[^}]*\\}"), "");
}

}  // namespace

TEST_CASE("text from standard input is read once, and its tokenizer is trained on all of it") {
  const Workshop shop;
  const ProgramResult result =
      shop.rapt({"train", "-", "--minutes", "0.01", "--threads", "1", "--layers", "1", "--heads", "2", "--width", "16"},
                little_text());
  CHECK(result.code == 0);
  CHECK(shop.has("runs/stdin/best.h5"));
}

TEST_CASE("a run trains, prints plain lines, leaves its folder, and names the next command") {
  const Workshop shop;
  shop.write("my.txt", little_text());
  const ProgramResult result = shop.rapt(flags("runs/a", "20"));
  CHECK(result.code == 0);
  CHECK(result.out.empty());
  CHECK(result.err.find('\r') == std::string::npos);
  CHECK(result.err.find('\033') == std::string::npos);
  CHECK(std::regex_search(
      result.err,
      std::regex("\nstep     5/20 \\(25\\.0%\\) \\| loss \\d\\.\\d{4} \\| lr \\d\\.\\d\\de-0\\d \\| gnorm ")));
  CHECK(result.err.find("\nvalidation at step 20 | loss ") != std::string::npos);
  CHECK(std::regex_search(result.err,
                          std::regex("trained 20 updates in .*; now: rapt generate runs/a --prompt \"...\"\n$")));
  for (const char* file : {"config.toml", "metrics.jsonl", "data.h5", "last.h5", "best.h5", "step-00000020.h5"}) {
    CAPTURE(file);
    CHECK(shop.has(std::string("runs/a/") + file));
  }
  CHECK(metrics(shop, "runs/a").find("{\"event\":\"end\",\"step\":20,\"reason\":\"steps\"}\n") != std::string::npos);
  CHECK(shop.rapt(flags("runs/b", "20", {"--quiet"})).err.empty());
  CHECK(metrics(shop, "runs/a") == metrics(shop, "runs/b"));
  CHECK(shop.rapt({"checkpoint", "diff", "runs/a", "runs/b"}).out.ends_with("equal\n"));
}

TEST_CASE("a finished run says so, changes nothing and is no error; other settings are") {
  const Workshop shop;
  shop.write("my.txt", little_text());
  shop.rapt(flags("runs/a", "10"));
  const std::string before = shop.read("runs/a/last.h5") + shop.read("runs/a/metrics.jsonl");
  const std::string finished =
      "runs/a is finished: 10 updates; to train it further: rapt train --resume runs/a --steps 20\n";
  for (const auto& arguments : {flags("runs/a", "10"), {"train", "--resume", "runs/a"}}) {
    const ProgramResult again = shop.rapt(arguments);
    CHECK(again.code == 0);
    CHECK(again.err == finished);
  }
  CHECK(shop.read("runs/a/last.h5") + shop.read("runs/a/metrics.jsonl") == before);
  check_error(shop.rapt(flags("runs/a", "20")), 73,
              "runs/a holds a finished run with --steps 10 (now 20); to continue it: rapt train --resume runs/a "
              "--steps 20; for a new run: rapt train my.txt --layers 1 --heads 2 --width 16 --context 16 --batch 2 "
              "--tokenizer char --log-every 5 --eval-every 10 --save-every 10 --steps 20 --threads 1 --out runs/a-2");
  check_error(shop.rapt({"train", "--resume", "runs/a", "--layers", "2", "--seed", "5"}), 78,
              "runs/a was started with --layers 1 (now 2), --seed 1 (now 5); resume it without those options, or start "
              "a new run "
              "with another --out");
}

TEST_CASE(
    "a run that is interrupted by a signal saves, exits with 75, and resumes to the same result on other threads") {
  const Workshop shop;
  shop.write("my.txt", little_text());
  shop.rapt(flags("runs/whole", "4000", {"--dropout", "0.1", "--accumulate", "2", "--steps", "300"}));
  for (const int number : {SIGINT, SIGTERM}) {
    const std::string run = "runs/" + std::to_string(number);
    const std::vector<std::string> call = flags(run, "300", {"--dropout", "0.1", "--accumulate", "2"});
    const pid_t child = shop.start(call);
    for (int i = 0; i < 3000 && shop.read(run + "/metrics.jsonl").empty(); ++i) ::usleep(10000);
    ::kill(child, number);
    const ProgramResult stopped = shop.wait(child);
    const std::string name = number == SIGINT ? "SIGINT" : "SIGTERM";
    // If the machine was fast enough to finish, there is nothing to test here.
    if (stopped.code == 0) {
      MESSAGE("skipped: the run was over before the signal came");
      continue;
    }
    CHECK(stopped.code == 75);
    CHECK(std::regex_search(
        stopped.err,
        std::regex("stopped by " + name + " after update \\d+; resume with: rapt train --resume " + run + "\n$")));
    CHECK(shop.rapt({"checkpoint", "verify", run + "/last.h5"}).code == 0);
    CHECK(shop.rapt({"train", "--resume", run, "--threads", "2"}).code == 0);
    CHECK(shop.rapt({"checkpoint", "diff", "runs/whole", run}).code == 0);
    CHECK(metrics(shop, "runs/whole") == metrics(shop, run));
  }
}

TEST_CASE("an impossible run is rejected in one line and leaves no folder") {
  const Workshop shop;
  shop.write("my.txt", little_text());
  check_error(shop.rapt({"train"}), 64,
              "rapt train needs text; give it a file, a folder or - for standard input: rapt train my.txt");
  check_error(shop.rapt({"train", "none.txt", "--steps", "5"}), 66, "none.txt: no such file");
  check_error(shop.rapt({"train", "my.txt", "--width", "100", "--heads", "3"}), 64,
              "--width 100 must be a multiple of --heads 3; try --width 99 or 102");
  check_error(shop.rapt({"train", "my.txt", "--steps", "5", "--warmup", "9"}), 64,
              "--warmup 9 must not be longer than the run, got --steps 5");
  check_error(shop.rapt({"train", "my.txt", "--lerning-rate", "1"}), 64,
              "unknown option --lerning-rate; did you mean --learning-rate?");
  check_error(shop.rapt({"train", "my.txt", "--schedule", "cosin"}), 64,
              "--schedule must be one of constant|linear|cosine|inverse-sqrt|noam|plateau|wsd, got \"cosin\"; did you "
              "mean cosine?");
  check_error(shop.rapt({"train", "my.txt", "--save-every", "often"}), 64,
              "--save-every must be a number of updates (500), epochs (2e), tokens (1Mt), time (90s, 30m, 2h) or off, "
              "got \"often\"");
  check_error(shop.rapt({"train", "my.txt", "--config", "none.toml"}), 66, "none.toml: no such file");
  check_error(shop.rapt({"train", "--resume", "runs/none"}), 66, "run not found: runs/none");
  shop.write("bad.txt", "abc\xff");
  check_error(
      shop.rapt({"train", "bad.txt", "--steps", "5"}), 65,
      "bad.txt: must be text in UTF-8, got 0xFF at byte 3; convert Latin-1 text with: iconv -f LATIN1 -t UTF-8");
  CHECK_FALSE(shop.has("runs"));
  shop.write("notes/letter.doc", "x");
  std::filesystem::create_directories(shop.path("notes"));
  shop.write("notes/letter.doc", "x");
  check_error(shop.rapt(flags("notes", "5")), 73,
              "notes must be empty or a run folder, got letter.doc in it; use another --out");
}

TEST_CASE("a folder in use is rejected at once") {
  const Workshop shop;
  shop.write("my.txt", little_text());
  shop.rapt(flags("runs/a", "10"));
  const int lock = ::open(shop.path("runs/a/lock").c_str(), O_RDWR);
  REQUIRE(lock >= 0);
  REQUIRE(::flock(lock, LOCK_EX) == 0);
  const ProgramResult second = shop.rapt(flags("runs/a", "10"));
  CHECK(second.code == 73);
  CHECK(second.err.find("error: runs/a is in use by ") == 0);
  CHECK(second.err.ends_with("; use another --out or stop that run\n"));
  ::close(lock);
}

TEST_CASE("--print-config shows every setting with its origin") {
  const Workshop shop;
  shop.write("my.txt", little_text());
  shop.write("run.toml", "heads = 8\n");
  const ProgramResult shown = shop.rapt({"train", "my.txt", "--preset", "shakespeare-char-cpu", "--config", "run.toml",
                                         "--lr", "2e-3", "--print-config"});
  CHECK(shown.code == 0);
  CHECK(shown.err == "note: read --lr as --learning-rate\n");
  CHECK(std::regex_search(shown.out, std::regex("\nheads = 8 +# file\n")));
  CHECK(std::regex_search(shown.out, std::regex("\nlearning-rate = 0.002 +# flag\n")));
  CHECK(std::regex_search(shown.out, std::regex("\nsteps = 2000 +# preset shakespeare-char-cpu\n")));
  CHECK(shown.out.find("\nlabel-smoothing = 0\n") != std::string::npos);
  CHECK_FALSE(shop.has("runs"));
}

TEST_CASE("config.toml of a run repeats the run") {
  const Workshop shop;
  shop.write("my.txt", little_text());
  shop.rapt(flags("runs/a", "10"));
  CHECK(shop.rapt({"train", "--config", "runs/a/config.toml", "--out", "runs/b"}).code == 0);
  CHECK(metrics(shop, "runs/a") == metrics(shop, "runs/b"));
}

// Previously, a sample's first token was omitted, so the sample started inside a word.
TEST_CASE("samples start at the start of a line, or show the first character that they continue") {
  Workshop shop;
  std::string line, lines;
  for (int i = 0; i < 400; ++i) {
    line += "xyz ";
    lines += "xyz xyz\n";
  }
  shop.write("line.txt", line);
  shop.write("lines.txt", lines);
  for (const auto& [name, prompt] : {std::pair<std::string, std::string>{"line", "x"}, {"lines", ""}}) {
    const ProgramResult run =
        shop.rapt({"train",           name + ".txt", "--tokenizer", "char", "--steps",   "4", "--layers",       "1",
                   "--heads",         "1",           "--width",     "8",    "--context", "8", "--sample-every", "2",
                   "--sample-tokens", "5",           "--out",       name,   "--quiet"});
    CHECK(run.code == 0);
    CHECK(shop.read(name + "/metrics.jsonl").find("\"event\":\"sample\",\"step\":2,\"prompt\":\"" + prompt + "\",") !=
          std::string::npos);
  }
}
