// --profile: the times of an update. Tests check the form, never a time.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "cli/run_program.h"

using namespace rapt;

namespace {

const std::string kNumber = " +[0-9]+\\.[0-9]", kRate = " +([0-9.]+ (GFLOP|GB)/s|-)";
const std::string kColumns = kNumber + "{3}" + kNumber + " %" + kRate;

bool has_line(const std::string& text, const std::string& pattern) {
  return std::regex_search(text, std::regex("(^|\n)" + pattern + "\n"));
}

std::vector<std::string> small_training(const Workshop& shop, std::vector<std::string> more) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "the cat sat on the mat\n";
  shop.write("my.txt", text);
  std::vector<std::string> arguments = {"train",   "my.txt", "--layers",  "2",      "--heads",     "2",
                                        "--width", "16",     "--context", "16",     "--tokenizer", "char",
                                        "--steps", "3",      "--out",     "runs/m", "--threads",   "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST_CASE("train --profile ends with a table of the ops, the time between them, and the time between updates") {
  const Workshop shop;
  const ProgramResult result = shop.rapt(small_training(shop, {"--profile"}));
  CAPTURE(result.err);
  CHECK(result.code == 0);
  CHECK(result.out.empty());
  CHECK(has_line(result.err, "profile of 3 updates, [0-9.]+ ms each; sgemm peak [0-9.]+ GFLOP/s"));
  CHECK(has_line(result.err, "op +calls +forward ms +share +rate +backward ms +share +rate"));
  CHECK(has_line(result.err, "self_attention +2" + kColumns + kColumns));
  CHECK(has_line(result.err, "feed_forward +2" + kColumns + kColumns));
  CHECK(has_line(result.err, "linear_cross_entropy +1" + kColumns + kColumns));
  CHECK(has_line(result.err, "all ops" + kColumns + kColumns));
  for (const char* part : {"data", "optimizer", "other"}) CHECK(has_line(result.err, part + kColumns));
  CHECK(has_line(result.err, "outside of updates: checkpoints [0-9.]+ s, other [0-9.]+ s, validation [0-9.]+ s"));
}

TEST_CASE("a profile does not change a run's files, and is printed with --quiet, too") {
  const Workshop shop;
  REQUIRE(shop.rapt(small_training(shop, {"--quiet"})).code == 0);
  const ProgramResult result = shop.rapt(small_training(shop, {"--quiet", "--profile", "--out", "runs/p"}));
  CHECK(result.code == 0);
  CHECK(result.err.starts_with("profile of 3 updates, "));
  CHECK(shop.rapt({"checkpoint", "diff", "runs/m", "runs/p"}).code == 0);
}

TEST_CASE("bench step --profile shows the work of an update as a table or in JSON") {
  const Workshop shop;
  std::vector<std::string> arguments = {"bench",     "step", "--layers",  "1", "--heads",  "2",  "--width", "16",
                                        "--context", "16",   "--batch",   "2", "--vocab",  "20", "--steps", "1",
                                        "--warm",    "0",    "--threads", "1", "--profile"};
  const ProgramResult table = shop.rapt(arguments);
  CHECK(table.code == 0);
  CHECK(has_line(table.out, "profile of 1 update, [0-9.]+ ms each"));
  CHECK(has_line(table.out, "feed_forward +1" + kColumns + kColumns));
  arguments.emplace_back("--json");
  const ProgramResult json = shop.rapt(arguments);
  REQUIRE(json.code == 0);
  const nlohmann::json profile = nlohmann::json::parse(json.out)["profile"];
  CHECK(profile["update_ms"] > 0);
  const nlohmann::json& product = profile["ops"]["feed_forward"];
  CHECK(product["forward"]["calls"] == 1);
  CHECK(product["forward"]["flop"] == 2 * 2 * 32 * 16 * 64);
  CHECK(product["backward"]["flop"] == 2 * 2 * 2 * 32 * 16 * 64);
  CHECK(profile["between_ops"]["optimizer"]["bytes"] > 0);
}
