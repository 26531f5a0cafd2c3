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
  const Json &alone = json["alone"], &team = json["teams"][0], &network = team["networks"][0];
  const auto parameters = json["parameters"].get<double>();
  CHECK(parameters > 2 * 12 * 32 * 32);
  CHECK(alone["samples"] == 8);
  CHECK(team["samples"] == 2);
  CHECK(alone["sent_bytes"] == 0);
  // Parameters begin at multiples of 64 bytes.
  CHECK(team["sent_bytes"].get<double>() == doctest::Approx(2 * 0.75 * 4 * parameters).epsilon(0.01));
  CHECK(network["network_seconds"].get<double>() >= team["sent_bytes"].get<double>() / 2 / 125e6);
  CHECK(network["update_seconds"].get<double>() ==
        doctest::Approx(team["compute_seconds"].get<double>() + team["optimizer_seconds"].get<double>() +
                        network["network_seconds"].get<double>()));
  for (const Json& one : {alone, team}) {
    CHECK(one["compute_seconds"].get<double>() > 0);
    CHECK(one["memory_bytes"].get<double>() > 1e6 + 8 * parameters);
  }
  CHECK(alone["memory_bytes"].get<double>() > team["memory_bytes"].get<double>() + 0.7 * 8 * parameters);
  CHECK(network["efficiency"].get<double>() == doctest::Approx(network["speedup"].get<double>() / 4));
  CHECK_FALSE(shop.has("runs"));
}

TEST_CASE("rapt plan alone has one column; impossible ranks and rates are refused") {
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  const ProgramResult alone = shop.rapt(plan({}));
  CHECK(alone.code == 0);
  CHECK(alone.out.find("\nsequences an update                8\n") != std::string::npos);
  CHECK(alone.out.find("network") == std::string::npos);
  check_error(shop.rapt(plan({"--ranks", "3"})), 64, "--ranks must be a power of two, got \"3\"");
  check_error(shop.rapt(plan({"--ranks", ""})), 64, "--ranks must be a power of two, got \"\"");
  check_error(shop.rapt(plan({"--ranks", "2,"})), 64, "--ranks must be a power of two, got \"\"");
  check_error(shop.rapt(plan({"--ranks", "2", "--network", "fast"})), 64,
              "--network must be a rate such as 10Gb (bits a second) or 3GB (bytes), got \"fast\"");
  check_error(shop.rapt(plan({"--ranks", "2", "--shards", "1"})), 64, "--ranks must divide --shards 1, got 2");
}

TEST_CASE("several numbers of ranks and several networks make a table") {
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  const std::vector<std::string> grid = {"--ranks", "2,8", "--network", "1Mb,100Gb"};
  const ProgramResult text = shop.rapt(plan(grid));
  CAPTURE(text.out);
  CHECK(text.code == 0);
  CHECK(text.out.find("1Mb         100Gb\n     2           4") != std::string::npos);
  const Json teams = Json::parse(shop.rapt(plan({"--ranks", "2,8", "--network", "1Mb,100Gb", "--json"})).out)["teams"];
  REQUIRE(teams.size() == 2);
  CHECK(teams[1]["samples"] == 1);
  // A megabit a second is what an update waits for.
  const Json& slow = teams[1]["networks"][0];
  CHECK(slow["network_seconds"].get<double>() ==
        doctest::Approx(teams[1]["sent_bytes"].get<double>() / 125e3).epsilon(0.2));
  CHECK(slow["speedup"].get<double>() < teams[1]["networks"][1]["speedup"].get<double>());
}
