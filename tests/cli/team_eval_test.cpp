// rapt eval and rapt doctor on several processes. Needs mpirun and a rapt that was built with MPI; says so if there is
// none.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "several_processes.h"
#include "support/parallel_corpus.h"
#include "text/corpus/stories.h"

using namespace rapt;

namespace {

const Words kSmallModel = {"--layers", "1", "--heads", "2", "--width", "16", "--steps", "2", "--warmup", "off"};

// One process, two and four must print the same bytes.
void check_same_scores(const Workshop& shop, const Words& words) {
  const ProgramResult alone = shop.rapt(words);
  CAPTURE(alone.err);
  REQUIRE(alone.code == 0);
  CHECK(alone.out.size() > 50);
  for (const int processes : {2, 4}) {
    CAPTURE(processes);
    const ProgramResult several = team(shop, processes, words);
    CAPTURE(several.err);
    CHECK(several.code == 0);
    CHECK(several.out == alone.out);
  }
}

}  // namespace

TEST_CASE("a language model and a masked one have the same scores on one, two and four processes") {
  if (!have_mpi()) return;
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  shop.write("other.txt", generate_stories(2, 30000));
  REQUIRE(
      shop.rapt(Words{"train", "my.txt", "--out", "g", "--context", "16", "--tokenizer", "byte"} + kSmallModel).code ==
      0);
  check_same_scores(shop, {"eval", "g", "--data", "other.txt", "--json"});
  REQUIRE(shop.rapt(Words{"train", "my.txt", "--model", "bert", "--out", "b", "--context", "32", "--vocab", "150"} +
                    kSmallModel)
              .code == 0);
  check_same_scores(shop, {"eval", "b", "--data", "other.txt", "--json"});
}

TEST_CASE("a classifier's forward passes are divided, and a translator's sentences") {
  if (!have_mpi()) return;
  const Workshop shop;
  std::string table = "text\tlabel\n";
  for (int i = 0; i < 1500; ++i) {
    table += (i % 2 ? "the cat was happy and slept\tcat\n" : "a dog and the bird saw it\tdog\n");
  }
  shop.write("t.tsv", table);
  REQUIRE(shop.rapt(Words{"train", "t.tsv", "--task", "classify", "--model", "bert", "--out", "c", "--vocab", "80",
                          "--context", "32", "--self-pretrain", "off"} +
                    kSmallModel)
              .code == 0);
  check_same_scores(shop, {"eval", "c", "--data", "t.tsv", "--json"});
  const testing::ParallelCorpus corpus = testing::parallel_corpus(100);
  shop.write("a.en", corpus.source);
  shop.write("a.xx", corpus.target);
  REQUIRE(shop.rapt(Words{"train", "--task", "translate", "--source", "a.en", "--target", "a.xx", "--out", "t",
                          "--vocab", "60", "--batch", "13"} +
                    kSmallModel)
              .code == 0);
  check_same_scores(shop, {"eval", "t", "--source", "a.en", "--target", "a.xx", "--json"});
}

TEST_CASE("an error that all processes find is reported once; other data on one of them is refused") {
  if (!have_mpi()) return;
  const Workshop shop;
  shop.write("my.txt", generate_stories(1, 20000));
  REQUIRE(
      shop.rapt(Words{"train", "my.txt", "--out", "g", "--context", "16", "--tokenizer", "byte"} + kSmallModel).code ==
      0);
  const ProgramResult missing = team(shop, 2, {"eval", "g", "--data", "none.txt"});
  CAPTURE(missing.err);
  CHECK(missing.code == 66);
  CHECK(missing.err.find("error: none.txt") != std::string::npos);
  CHECK(missing.err.find("error: ", missing.err.find("error: ") + 1) == std::string::npos);

  std::filesystem::create_directories(shop.path("copy"));
  shop.write("copy/my.txt", generate_stories(2, 20000));
  const Words words = {"eval", shop.path("g"), "--data", "my.txt"};
  const ProgramResult other = shop.wait(
      shop.start_mpirun(processes_of(1, words) + Words{":", "-wdir", shop.path("copy")} + processes_of(1, words)));
  CAPTURE(other.err);
  CHECK(other.code == 78);
  CHECK(other.err.find(") has \"my.txt\" with digest ") != std::string::npos);
}

TEST_CASE("doctor measures the network between processes") {
  if (!have_mpi()) return;
  const ProgramResult result = team(Workshop(), 2, {"doctor"});
  CAPTURE(result.err);
  CHECK(result.code == 0);
  CHECK(result.out.find("GB/s in each direction, between 2 processes\n") != std::string::npos);
  CHECK(std::ranges::count(result.out, '\n') < 20);
}
