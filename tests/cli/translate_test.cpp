// rapt translate, summarize, and eval and score with pairs.
#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

#include "cli/little_translator.h"
#include "io/json.h"

using namespace rapt;

namespace {

// runs with two models: word (words), word2 (other weights), piece (other tokenizer).
const Workshop& shop() {
  static Workshop shop;
  static const bool done = [] {
    write_little_translator(shop, "word", 1);
    write_little_translator(shop, "word2", 2);
    write_little_translator(shop, "piece", 3, TokenizerType::kMetaspaceBpe);
    shop.write("many.txt", little_sentences(70));
    return true;
  }();
  (void)done;
  return shop;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string run(const std::vector<std::string>& arguments, const std::string& input = "") {
  const ProgramResult result = shop().rapt(arguments, input);
  INFO(result.err);
  REQUIRE(result.code == 0);
  return result.out;
}

void check_usage(const std::vector<std::string>& arguments, const std::string& message, int code = 64) {
  const ProgramResult result = shop().rapt(arguments, "red cat\n");
  CHECK(result.code == code);
  CHECK(result.err.find(message) != std::string::npos);
  INFO(result.err);
  CHECK(result.out.empty());
}

}  // namespace

TEST_CASE("translate: every line gives a line in the same order, whatever the batches and threads") {
  const std::string text = shop().read("many.txt");
  const std::string together = run({"translate", "word", "many.txt", "--json"});
  const auto lines = lines_of(together);
  REQUIRE(lines.size() == 70);
  const auto sources = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Json row = Json::parse(lines[i]);
    CHECK(row.at("line") == i + 1);
    CHECK(row.at("source") == sources[i]);
    CHECK(row.at("score").get<double>() < 0);
  }
  CHECK(run({"translate", "word", "many.txt", "--json", "--batch", "3", "--threads", "1"}) == together);
  CHECK(run({"translate", "word", "--json", "--batch-tokens", "9"}, text) == together);
  const std::string alone = run({"translate", "word", "--json"}, sources[0] + "\n");
  CHECK(alone == lines[0] + "\n");
  CHECK(lines_of(run({"translate", "word", "many.txt"})).size() == 70);
}

TEST_CASE("translate: empty lines stay empty") {
  const auto lines = lines_of(run({"translate", "word"}, "\nred cat\n\nblue dog\n"));
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].empty());
  CHECK_FALSE(lines[1].empty());
  CHECK(lines[2].empty());
  CHECK(run({"translate", "word"}, "").empty());
}

TEST_CASE("translate: greedy is one beam, and the best of several beams is first") {
  const std::string greedy = run({"translate", "word", "many.txt", "--greedy"});
  CHECK(run({"translate", "word", "many.txt", "--beam", "1"}) == greedy);
  const auto best = lines_of(run({"translate", "word", "many.txt", "--beam", "4"}));
  const auto all = lines_of(run({"translate", "word", "many.txt", "--beam", "4", "--n-best", "3"}));
  REQUIRE(all.size() == 3 * best.size());
  double before = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::istringstream row(all[i]);
    std::string number, score, text;
    std::getline(row, number, '\t');
    std::getline(row, score, '\t');
    std::getline(row, text);
    CHECK(number == std::to_string(i / 3 + 1));
    if (i % 3 == 0) CHECK(text == best[i / 3]);
    if (i % 3 > 0) CHECK(std::stod(score) <= before);
    before = std::stod(score);
  }
}

TEST_CASE("translate: samples depend on the seed and not on the batches") {
  const std::vector<std::string> command = {"translate", "word", "many.txt", "--sample", "--samples", "2", "--seed"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), command.begin(), command.end());
    return run(more);
  };
  const std::string five = with({"5"});
  CHECK(lines_of(five).size() == 140);
  CHECK(with({"5", "--batch", "2"}) == five);
  CHECK(with({"6"}) != five);
}

TEST_CASE("translate: lengths, prefixes and repeated words are as asked for") {
  for (const std::string& line : lines_of(run({"translate", "word", "many.txt", "--json", "--min-length", "3",
                                               "--max-length", "6", "--no-repeat-ngram", "1"}))) {
    const auto tokens = Json::parse(line).at("tokens").get<std::vector<int>>();
    CHECK(tokens.size() >= 3);
    CHECK(tokens.size() <= 6);
    for (std::size_t i = 0; i < tokens.size(); ++i) CHECK(std::count(tokens.begin(), tokens.end(), tokens[i]) == 1);
  }
  for (const std::string& line :
       lines_of(run({"translate", "word", "many.txt", "--max-length-ratio", "1", "--json"}))) {
    const Json row = Json::parse(line);
    const auto words = static_cast<std::size_t>(std::ranges::count(row.at("source").get<std::string>(), ' ')) + 1;
    CHECK(row.at("tokens").size() <= words + 1);
  }
  for (const std::string& line : lines_of(run({"translate", "word", "many.txt", "--prefix", "blue dog"}))) {
    CHECK(line.starts_with("blue dog"));
  }
}

TEST_CASE("translate: an ensemble of a model with itself is the model, with another it is not") {
  const std::string one = run({"translate", "word", "many.txt"});
  CHECK(run({"translate", "word", "many.txt", "--ensemble", "word"}) == one);
  const std::string two = run({"translate", "word", "many.txt", "--ensemble", "word2"});
  CHECK(two != one);
  CHECK(two != run({"translate", "word2", "many.txt"}));
}

TEST_CASE("translate: tables, output files, and sources that are too long") {
  shop().write("t.jsonl", "{\"de\": \"red cat\", \"id\": 1}\n{\"id\": 2, \"de\": \"blue dog\"}\n");
  const std::string plain = run({"translate", "word"}, "red cat\nblue dog\n");
  CHECK(run({"translate", "word", "t.jsonl", "--source-field", "de"}) == plain);
  CHECK(run({"summarize", "word", "--data", "t.jsonl", "--source-field", "de", "--no-repeat-ngram", "0",
             "--max-length-ratio", "3", "--out", "out.txt"})
            .empty());
  CHECK(lines_of(shop().read("out.txt")).size() == 2);
  check_usage({"translate", "word", "t.jsonl"},
              "t.jsonl: one column must hold the texts, got de, id; name it with --source-field de");
  std::string longer;
  for (int i = 0; i < 40; ++i) longer += "red ";
  const ProgramResult cut = shop().rapt({"translate", "word"}, "blue dog\n" + longer + "\n");
  CHECK(cut.code == 0);
  CHECK(lines_of(cut.out).size() == 2);
  CHECK(cut.err.find("1 source was longer than the model's context of 32 tokens and lost its end, first standard "
                     "input: line 2\n") != std::string::npos);
}

TEST_CASE("translate: unknown words are copied from the source") {
  // Every text consists of unknown words: with a word of the source, whatever is attended to.
  const std::string plain =
      run({"translate", "word", "--json", "--sample", "--samples", "40"}, "Xerxes Xerxes Xerxes\n");
  const std::string copied = run({"translate", "word", "--json", "--sample", "--samples", "40", "--replace-unknown"},
                                 "Xerxes Xerxes Xerxes\n");
  const auto before = lines_of(plain), after = lines_of(copied);
  REQUIRE(before.size() == after.size());
  int unknown = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Json a = Json::parse(before[i]), b = Json::parse(after[i]);
    CHECK(a.at("tokens") == b.at("tokens"));
    const auto tokens = a.at("tokens").get<std::vector<int>>();
    const auto count = std::count(tokens.begin(), tokens.end(), 3);
    unknown += count > 0 ? 1 : 0;
    const auto text = b.at("text").get<std::string>();
    CHECK((text.find("<unk>") == std::string::npos || text.find("</s>") != std::string::npos));
    if (count == 0) CHECK(text == a.at("text").get<std::string>());
  }
  CHECK(unknown > 0);
}

TEST_CASE("translate: what cannot be done is named") {
  check_usage({"translate", "word", "--beam", "2", "--n-best", "3"},
              "--n-best must be from 1 to the number of beams, 2, got 3");
  check_usage({"translate", "word", "--greedy", "--length-penalty", "2"},
              "--length-penalty requires beam search; add --beam 5");
  check_usage({"translate", "word", "--beam", "2", "--temperature", "2"},
              "--beam and --temperature exclude each other; give one of them");
  check_usage({"translate", "word", "--min-length", "9", "--max-length", "4"},
              "--min-length must be at most --max-length, 4, got 9");
  check_usage({"translate", "word", "--length-penalty-kind", "marian"},
              "--length-penalty-kind must be one of length|gnmt, got \"marian\"");
  check_usage({"translate", "word", "--samples", "3"}, "--samples requires sampling; add --sample, or use --n-best");
  check_usage({"translate", "word", "--ensemble", "piece"},
              "--ensemble: all models must have the same tokenizers, got different ones in word and piece");
  check_usage({"translate", "absent"}, "model not found: absent", 66);
  const std::string other =
      "model: word must be a language model, got a transformer for --task translate; use it with rapt translate, "
      "summarize, score or eval";
  check_usage({"generate", "word", "--prompt", "red"}, other);
  check_usage({"score", "word", "--data", "many.txt"},
              "many.txt: must have two columns, a source and a target, got one", 65);
}

TEST_CASE("score: the log-probability of each target does not depend on its neighbours") {
  shop().write("s.txt", little_sentences(40));
  shop().write("t.txt", little_sentences(40, 9));
  const auto all = lines_of(run({"score", "word", "--source", "s.txt", "--target", "t.txt", "--json", "--per-token"}));
  REQUIRE(all.size() == 40);
  shop().write("s1.txt", lines_of(shop().read("s.txt"))[33] + "\n");
  shop().write("t1.txt", lines_of(shop().read("t.txt"))[33] + "\n");
  CHECK(run({"score", "word", "--source", "s1.txt", "--target", "t1.txt", "--json", "--per-token"}) == all[33] + "\n");
  const Json row = Json::parse(all[33]);
  double sum = 0;
  for (const Json& x : row.at("token_log_probabilities")) sum += x.get<double>();
  CHECK(sum == doctest::Approx(row.at("log_probability").get<double>()));
  // A text's own score is the score that the search reported, of its tokens and the end token.
  const Json best = Json::parse(lines_of(run({"translate", "word", "s1.txt", "--json", "--length-penalty", "0"}))[0]);
  if (best.at("finish") == "stop" && !best.at("text").get<std::string>().empty()) {
    shop().write("t1.txt", best.at("text").get<std::string>() + "\n");
    const Json again = Json::parse(run({"score", "word", "--source", "s1.txt", "--target", "t1.txt", "--json"}));
    CHECK(again.at("log_probability").get<double>() == doctest::Approx(best.at("score").get<double>()).epsilon(1e-4));
  }
  shop().write("t1.txt", "red\nblue\n");
  check_usage({"score", "word", "--source", "s1.txt", "--target", "t1.txt"},
              "--target: t1.txt must have as many lines as s1.txt, 1, got 2; line N of each must belong together", 65);
}

TEST_CASE("eval: a model's translations against references, and two models against each other") {
  shop().write("s.txt", little_sentences(20));
  shop().write("own.txt", run({"translate", "word", "s.txt"}));
  const Json own =
      Json::parse(run({"eval", "word", "--source", "s.txt", "--target", "own.txt", "--metrics", "chrf", "--json"}));
  CHECK(own.at("chrf").get<double>() == doctest::Approx(100));
  const Json two = Json::parse(
      run({"eval", "word", "word2", "--source", "s.txt", "--target", "own.txt", "--metrics", "chrf", "--json"}));
  CHECK(two.at("compared")[0].at("hypotheses") == "word2");
  CHECK(two.at("compared")[0].at("chrf").get<double>() < 100);
  check_usage({"eval", "word"}, "rapt eval needs --source FILE");

  // The same pairs as a table, and the loss that score gives them.
  std::istringstream sources(shop().read("s.txt")), targets(shop().read("own.txt"));
  std::string table;
  for (std::string source, target; std::getline(sources, source) && std::getline(targets, target);) {
    table += Json{{"a", source}, {"b", target}}.dump() + "\n";
  }
  shop().write("s.jsonl", table);
  const std::vector<std::string> fields = {"--data", "s.jsonl", "--source-field", "a", "--target-field", "b"};
  const auto of_table = [&](std::vector<std::string> call, const std::string& last) {
    call.insert(call.end(), fields.begin(), fields.end());
    call.push_back(last);
    return run(call);
  };
  const Json tabled = Json::parse(of_table({"eval", "word", "--metrics", "chrf"}, "--json"));
  CHECK(tabled.at("chrf") == own.at("chrf"));
  CHECK(tabled.at("loss") == own.at("loss"));
  double sum = 0, tokens = 0;
  std::istringstream rows(of_table({"score", "word"}, "--json"));
  for (std::string row; std::getline(rows, row);) {
    sum += Json::parse(row).at("log_probability").get<double>();
    tokens += Json::parse(row).at("tokens").get<double>();
  }
  REQUIRE(tokens > 0);
  CHECK(own.at("loss").get<double>() == doctest::Approx(-sum / tokens));
  CHECK(own.at("perplexity").get<double>() == doctest::Approx(std::exp(-sum / tokens)));
  check_usage({"eval", "word", "--data", "s.jsonl", "--source-field", "a"},
              "--source-field and --target-field must be given together, got one of them");
}
