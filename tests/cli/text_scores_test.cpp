#include "cli/run_program.h"
#include "io/json.h"

using namespace rapt;

namespace {

const char* const kSaid = "the lamp was lit before dawn\nships sailed north in the fog\nnobody slept\n";
const char* const kOther = "the lamp was lit at dawn\nthe ships sailed north in fog\nnobody was asleep\n";
const char* const kWanted = "the lamp was lit at dawn\nships sailed to the north in the fog\nnobody slept that night\n";

}  // namespace

TEST_CASE("eval scores files of text without a model, with intervals and signatures") {
  const Workshop shop;
  shop.write("said", kSaid);
  shop.write("wanted", kWanted);
  const ProgramResult json = shop.rapt({"eval", "--hypotheses", "said", "--target", "wanted", "--target", "said",
                                        "--json", "--metrics", "bleu,ter,rouge-l"});
  REQUIRE(json.code == 0);
  const Json told = parse_json(json.out, "out");
  CHECK(told["bleu"].get<double>() == doctest::Approx(100));
  CHECK(told["ter"].get<double>() == 0);
  CHECK(told["rouge-l"].get<double>() == 100);
  CHECK(told["intervals"]["bleu"].size() == 2);
  CHECK(told["segments"] == 3);
  CHECK(told["references"] == 2);
  CHECK(told["hypotheses"] == "said");
  CHECK(told["signatures"]["bleu"].get<std::string>().starts_with("nrefs:2|bs:1000|seed:1|case:mixed|eff:no|tok:13a|"));

  const ProgramResult text =
      shop.rapt({"eval", "--hypotheses", "said", "--target", "wanted", "--resamples", "0", "--metrics", "ter"});
  CHECK(text.out.starts_with(
      "said\n  ter           27.78   5 edits, 18 words\n3 lines\nter|nrefs:1|case:lc|tok:tercom|"));
}

TEST_CASE("eval compares further files with the first") {
  const Workshop shop;
  shop.write("said", kSaid);
  shop.write("other", kOther);
  shop.write("wanted", kWanted);
  const std::vector<std::string> call = {"eval",     "--hypotheses", "said",      "--hypotheses", "other",
                                         "--target", "wanted",       "--metrics", "chrf"};
  std::vector<std::string> json_call = call;
  json_call.push_back("--json");
  const Json told = parse_json(shop.rapt(json_call).out, "out");
  REQUIRE(told["compared"].size() == 1);
  const Json& other = told["compared"][0];
  CHECK(other["hypotheses"] == "other");
  CHECK(other["differences"]["chrf"].get<double>() ==
        doctest::Approx(other["chrf"].get<double>() - told["chrf"].get<double>()));
  CHECK(other["p_values"]["chrf"].get<double>() > 0);
  CHECK(other["difference_intervals"]["chrf"].size() == 2);
  CHECK(shop.rapt(call).out.find("    difference ") != std::string::npos);
}

TEST_CASE("eval prints the scores of each line") {
  const Workshop shop;
  shop.write("said", "a b\n\nx\n");
  shop.write("wanted", "a b\nc\nx y\n");
  CHECK(shop.rapt({"eval", "--hypotheses", "said", "--target", "wanted", "--per-line", "--metrics", "bleu,ter"}).out ==
        "bleu\tter\n100.0000\t0.0000\n0.0000\t100.0000\n36.7879\t50.0000\n");
}

TEST_CASE("eval names files that do not fit together, and what is missing") {
  const Workshop shop;
  shop.write("said", kSaid);
  shop.write("short", "one line\n");
  shop.write("empty", "");
  const auto error = [&](std::vector<std::string> more, int code) {
    more.insert(more.begin(), "eval");
    const ProgramResult result = shop.rapt(more);
    CHECK(result.code == code);
    return result.err;
  };
  CHECK(error({"--hypotheses", "said", "--target", "short"}, 65) ==
        "error: eval: short must have as many lines as said, 3, got 1; line N of each must belong together\n");
  CHECK(error({"--hypotheses", "empty", "--target", "said"}, 65) ==
        "error: eval: empty must have at least one line, got none\n");
  CHECK(error({"--hypotheses", "said", "--target", "absent"}, 66).find("absent") != std::string::npos);
  CHECK(error({"--hypotheses", "said"}, 64) == "error: rapt eval needs --target FILE\n");
  CHECK(error({}, 64) == "error: rapt eval needs MODEL, or --hypotheses FILE and --target FILE; see rapt help eval\n");
  CHECK(error({"model", "--hypotheses", "said"}, 64) ==
        "error: eval: there must be a MODEL or --hypotheses, got both\n");
  CHECK(error({"--hypotheses", "said", "--target", "said", "--metrics", "blue"}, 64)
            .ends_with("got \"blue\"; did you mean bleu?\n"));
  CHECK(error({"--hypotheses", "said", "--hypotheses", "said", "--target", "said", "--per-line"}, 64) ==
        "error: --per-line: there must be one file of hypotheses, got several\n");
}
