// How often a run reads its text.
#include <doctest/doctest.h>

#include "cli/run_program.h"

using namespace rapt;

namespace {

constexpr std::size_t kTextBytes = 6'000'000;

std::string long_text() {
  std::string text;
  for (unsigned i = 0, x = 1; text.size() < kTextBytes; ++i) {
    x = x * 1664525 + 1013904223;
    text += "word" + std::to_string((x >> 16) % 1000) + (i % 40 == 39 ? "\n\n" : i % 10 == 9 ? "\n" : " ");
  }
  return text;
}

/// Bytes read while `arguments` ran, as a multiple of the text's size.
double readings(const Workshop& shop, std::vector<std::string> arguments) {
  const auto run = shop.rapt_and_bytes_read(arguments);  // clang 14 does not capture bindings
  const ProgramResult& result = run.first;
  const auto bytes = run.second;
  CAPTURE(result.err);
  CHECK(result.code == 0);
  if (bytes == 0) MESSAGE("skipped: this system does not count what a process reads");
  return static_cast<double>(bytes) / static_cast<double>(kTextBytes);
}

std::vector<std::string> train_into(const std::string& out, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"train", "my.txt", "--layers", "1", "--heads", "2",   "--width",   "16",
                                        "--out", out,      "--batch",  "2", "--vocab", "400", "--context", "16"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST_CASE("a new run reads its text twice, a resumed one once, and so does data build") {
  const Workshop shop;
  shop.write("my.txt", long_text());
  CHECK(readings(shop, train_into("lm", {"--steps", "1", "--validation-fraction", "0.001"})) < 2.5);
  CHECK(readings(shop, {"train", "--resume", "lm", "--steps", "2"}) < 1.5);
  CHECK(readings(shop, train_into("mlm", {"--model", "bert", "--task", "mlm", "--documents", "paragraph", "--steps",
                                          "1", "--validation-fraction", "0.001"})) < 2.5);
  CHECK(readings(shop, {"data", "build", "my.txt", "--tokenizer", "byte-bpe", "--vocab", "400", "--out", "d.h5"}) <
        2.5);
}
