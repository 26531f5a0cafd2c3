#include <set>

#include "cli/little_bert.h"
#include "cli/little_translator.h"
#include "io/base64.h"
#include "io/json.h"

using namespace rapt;

namespace {

/// runs/m: a GPT of two layers with two heads, trained for a moment.
const Workshop& little_gpt() {
  static Workshop shop;
  static const bool done = [] {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "the cat sat on the mat\n";
    shop.write("my.txt", text);
    const ProgramResult result =
        shop.rapt({"train",   "my.txt",    "--layers", "2",       "--heads",   "2",           "--width",
                   "16",      "--context", "16",       "--batch", "4",         "--tokenizer", "byte",
                   "--steps", "5",         "--out",    "runs/m",  "--threads", "1",           "--quiet"});
    REQUIRE(result.code == 0);
    shop.write("lines.txt", "the cat\n<mat> \xE2\x82\xAC\nsat\n");
    return true;
  }();
  (void)done;
  return shop;
}

// The data inside a page.
Json data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const std::size_t at = page.find(begin) + begin.size();
  return parse_json(page.substr(at, page.find("</script>", at) - at), "page");
}

}  // namespace

TEST_CASE("attention --json gives the weights of every layer and head of a GPT") {
  const Workshop& shop = little_gpt();
  shop.write("one.txt", "the cat\n");
  const ProgramResult result = shop.rapt({"attention", "runs/m", "--data", "one.txt", "--json"});
  REQUIRE(result.code == 0);
  const Json told = parse_json(result.out, "out");
  CHECK(told["decoder"] == Json({"t", "h", "e", " ", "c", "a", "t"}));
  CHECK(!told.contains("encoder"));
  REQUIRE(told["attention"].size() == 2);
  CHECK(told["attention"][1]["kind"] == "decoder");
  CHECK(told["attention"][1]["layer"] == 1);
  const Json& head = told["attention"][1]["weights"][1];
  REQUIRE(head.size() == 7);
  CHECK(head[0] == Json({1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}));
  double sum = 0;
  for (const Json& weight : head[6]) sum += weight.get<double>();
  CHECK(sum == doctest::Approx(1).epsilon(1e-5));
  CHECK(told["rollout"]["decoder"].size() == 2);
  CHECK(told["rollout"]["decoder"][1].size() == 7);
}

TEST_CASE("the page of attention holds its data and needs no network") {
  const Workshop& shop = little_gpt();
  shop.write("two.txt", "the cat\nthe </script> mat\n");
  const ProgramResult result = shop.rapt({"attention", "runs/m", "--data", "two.txt", "--out", "page.html"});
  REQUIRE(result.code == 0);
  CHECK(result.out.empty());
  CHECK(result.err.find("wrote page.html: 2 texts in 0.0 MB; open it in a browser") != std::string::npos);
  const std::string page = shop.read("page.html");
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.find("{{") == std::string::npos);
  for (const char* outside : {"http:", "https:", "src=", "@import", "url("})
    CHECK(page.find(outside) == std::string::npos);
  const Json data = data_of(page);
  REQUIRE(data["examples"].size() == 2);
  const Json& map = data["examples"][0]["maps"][0];
  CHECK(map["layers"] == 2);
  CHECK(map["heads"] == 2);
  const std::string bytes = from_base64(map["weights"].get<std::string>()).value();
  CHECK(bytes.size() == 2 * 2 * 2 * 7 * 7);
  CHECK(bytes.substr(0, 4) == std::string("\xFF\xFF\0\0", 4));  // the first token sees only itself
  CHECK(from_base64(map["rollout"].get<std::string>()).value().size() == 2 * 2 * 7 * 7);
}

TEST_CASE("BERT's attention is an encoder's, with the tokens around the text") {
  const Workshop& shop = little_bert();
  const ProgramResult result = shop.rapt({"attention", "runs/b", "--data", "-", "--json"}, "the cat sat .\n");
  REQUIRE(result.code == 0);
  const Json told = parse_json(result.out, "out");
  CHECK(told["encoder"].front() == "[CLS]");
  CHECK(told["encoder"].back() == "[SEP]");
  CHECK(told["attention"][0]["kind"] == "encoder");
  CHECK(told["attention"][0]["weights"].size() == 2);
}

TEST_CASE("an encoder-decoder has three kinds of attention, over given targets or its own") {
  const Workshop shop;
  write_little_translator(shop, "word", 1);
  shop.write("source.txt", little_sentences(1));
  shop.write("target.txt", little_sentences(1));
  const std::vector<std::string> call = {"attention", "word", "--source", "source.txt", "--json"};
  std::vector<std::string> given = call;
  given.insert(given.end(), {"--target", "target.txt"});
  for (const std::vector<std::string>& words : {given, call}) {
    const ProgramResult result = shop.rapt(words);
    INFO(result.err);
    REQUIRE(result.code == 0);
    const Json told = parse_json(result.out, "out");
    CHECK(told["encoder"].size() >= 2);
    CHECK(told["decoder"].size() == told["predicted"].size());
    std::set<std::string> kinds;
    for (const Json& map : told["attention"]) {
      kinds.insert(map["kind"].get<std::string>());
      if (map["kind"] != "cross") continue;
      CHECK(map["weights"][0].size() == told["predicted"].size());
      CHECK(map["weights"][0][0].size() == told["encoder"].size());
    }
    CHECK(kinds == std::set<std::string>{"cross", "decoder", "encoder"});
    CHECK(told["rollout"].size() == 2);
  }
  shop.write("two.txt", "a\nb\n");
  CHECK(shop.rapt({"attention", "word", "--source", "source.txt", "--target", "two.txt", "--json"}).err ==
        "error: --target: must have as many lines as --source, 1, got 2; line N of both must belong together\n");
  CHECK(shop.rapt({"attention", "word", "--data", "source.txt", "--json"})
            .err.ends_with("word reads a source and a target; use --source FILE instead of --data\n"));
}

TEST_CASE("attention says what it leaves out, and what is missing") {
  const Workshop& shop = little_gpt();
  CHECK(
      shop.rapt({"attention", "runs/m", "--data", "lines.txt", "--out", "p.html", "--lines", "1", "--max-length", "3"})
          .err.starts_with("note: shows the first 1 lines of lines.txt; --lines N shows more\n"
                           "note: lines.txt: line 1 is cut to 3 of 7 tokens; --max-length N shows more\n"));
  const auto error = [&](std::vector<std::string> more, int code) {
    more.insert(more.begin(), "attention");
    const ProgramResult result = shop.rapt(more);
    CHECK(result.code == code);
    return result.err;
  };
  CHECK(error({"runs/m", "--data", "lines.txt"}, 64) == "error: rapt attention needs --out FILE\n");
  CHECK(error({"runs/m", "--out", "p.html"}, 64) == "error: rapt attention needs --data FILE\n");
  CHECK(error({"runs/m", "--source", "lines.txt", "--json"}, 64) ==
        "error: attention: runs/m/best.h5 reads one text; use --data FILE instead of --source\n");
  shop.write("empty.txt", "");
  CHECK(error({"runs/m", "--data", "empty.txt", "--json"}, 65) ==
        "error: attention: there must be at least one line of text, got none\n");
  shop.write("gap.txt", "the\n\n");
  CHECK(error({"runs/m", "--data", "gap.txt", "--json"}, 65) ==
        "error: attention: gap.txt: line 2: must have at least one token, got none\n");
}
