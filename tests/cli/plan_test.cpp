#include <doctest/doctest.h>

#include <string>

#include "io/json.h"
#include "run_program.h"
#include "text/corpus/stories.h"

using namespace rapt;

namespace {

std::vector<std::string> plan(const std::vector<std::string>& more) {
  std::vector<std::string> words = {"plan",      "my.txt", "--layers", "2", "--heads",     "2",    "--width", "32",
                                    "--context", "32",     "--batch",  "8", "--tokenizer", "byte", "--steps", "10"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("rapt plan divides sequences, moments and bytes among ranks, and leaves no files") {
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  const ProgramResult result = shop.rapt(plan({"--ranks", "4", "--network", "1Gb", "--json"}));
  CAPTURE(result.err);
  REQUIRE(result.code == 0);
  const Json json = Json::parse(result.out);
  const Json &alone = json["alone"], &team = json["team"];
  const auto parameters = json["parameters"].get<double>();
  CHECK(parameters > 2 * 12 * 32 * 32);
  CHECK(alone["samples"] == 8);
  CHECK(team["samples"] == 2);
  CHECK(alone["sent_bytes"] == 0);
  // Parameters begin at multiples of 64 bytes.
  CHECK(team["sent_bytes"].get<double>() == doctest::Approx(2 * 0.75 * 4 * parameters).epsilon(0.01));
  CHECK(team["network_seconds"].get<double>() >= team["sent_bytes"].get<double>() / 2 / 125e6);
  for (const Json& one : {alone, team}) {
    CHECK(one["update_seconds"].get<double>() ==
          doctest::Approx(one["compute_seconds"].get<double>() + one["optimizer_seconds"].get<double>() +
                          one["network_seconds"].get<double>()));
    CHECK(one["compute_seconds"].get<double>() > 0);
    CHECK(one["memory_bytes"].get<double>() > 1e6 + 8 * parameters);
  }
  CHECK(alone["memory_bytes"].get<double>() > team["memory_bytes"].get<double>() + 0.7 * 8 * parameters);
  CHECK(json["efficiency"].get<double>() == doctest::Approx(json["speedup"].get<double>() / 4));
  CHECK_FALSE(shop.has("runs"));
}

TEST_CASE("rapt plan alone has one column; impossible ranks and rates are refused") {
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  const ProgramResult alone = shop.rapt(plan({}));
  CHECK(alone.code == 0);
  CHECK(alone.out.find("\nsequences an update                8\n") != std::string::npos);
  CHECK(alone.out.find("network") == std::string::npos);
  check_error(shop.rapt(plan({"--ranks", "3"})), 64, "--ranks must be a power of two, got 3");
  check_error(shop.rapt(plan({"--ranks", "2", "--network", "fast"})), 64,
              "--network must be a rate such as 10Gb (bits a second) or 3GB (bytes), got \"fast\"");
  check_error(shop.rapt(plan({"--ranks", "2", "--shards", "1"})), 64, "--ranks must divide --shards 1, got 2");
}
