#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "io/temporary_folder.h"
#include "tensor/error.h"
#include "text/labelled/qa_answers.h"
#include "text/labelled/qa_windows.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;

// A text whose tokens are its words; ids from 100.
struct SpacedWords {
  explicit SpacedWords(std::string all) : text(std::move(all)) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      if (end > at) bytes.push_back({at, end});
      at = end + 1;
    }
    ids.resize(bytes.size());
    std::iota(ids.begin(), ids.end(), 100);
  }
  PlacedTokens tokens() const { return {ids, bytes}; }
  std::string text;
  std::vector<TokenSpan> bytes;
  Ids ids;
};

static QaWindowOptions bert(std::int64_t length, std::int64_t stride, std::int64_t query = 64) {
  return {.length = length, .stride = stride, .query_length = query, .before = {1}, .between = {2}, .after = {2}};
}

// ------------------------------------------------------------------------------------------------------------- windows

TEST_CASE("a short context is one window with special tokens, question, context and segments") {
  const SpacedWords context("the cat sat");
  const auto windows = qa_windows(Ids{7, 8}, context.tokens(), TokenSpan{4, 7}, bert(10, 4, 3));
  REQUIRE(windows.size() == 1);
  CHECK(windows[0].tokens == Ids{1, 7, 8, 2, 100, 101, 102, 2});
  CHECK(windows[0].segments == Ids{0, 0, 0, 0, 1, 1, 1, 1});
  CHECK(windows[0].offset == 4);
  CHECK(windows[0].first == 0);
  CHECK(windows[0].count == 3);
  CHECK(windows[0].start == 5);
  CHECK(windows[0].end == 5);
  CHECK(windows[0].most_context == std::vector<bool>{true, true, true});
}

TEST_CASE("a long context slides by the stride and ends with the context; a short question leaves it more room") {
  const SpacedWords context("a b c d e f g h i j");
  const auto windows = qa_windows(Ids{7}, context.tokens(), std::nullopt, bert(8, 2, 2));
  // 8 - 1 - 3 = 4 tokens per window, from 0, 2, 4, 6.
  REQUIRE(windows.size() == 4);
  for (std::size_t w = 0; w < 4; ++w) {
    CAPTURE(w);
    CHECK(windows[w].first == 2 * w);
    CHECK(windows[w].count == 4);
    CHECK(windows[w].tokens.size() == 8);
    CHECK(windows[w].start == 0);
  }
  // A last window may be shorter: run_squad.py's loop.
  const auto uneven = qa_windows(Ids{7}, context.tokens(), std::nullopt, bert(8, 3, 2));
  REQUIRE(uneven.size() == 3);
  CHECK(uneven[2].first == 6);
  CHECK(uneven[2].count == 4);
  const auto longer = qa_windows(Ids{7}, context.tokens(), std::nullopt, bert(11, 4, 2));
  REQUIRE(longer.size() == 2);
  CHECK(longer[1].first == 4);
  CHECK(longer[1].count == 6);
  // A stride longer than the window leaves nothing out.
  const auto apart = qa_windows(Ids{7}, context.tokens(), std::nullopt, bert(8, 100, 2));
  REQUIRE(apart.size() == 3);
  CHECK(apart[1].first == 4);
  CHECK(apart[2].count == 2);
}

TEST_CASE("each token is scored in one window, the one that gives it the most context") {
  const SpacedWords context("a b c d e f g h i j");
  const auto windows = qa_windows(Ids{7}, context.tokens(), std::nullopt, bert(8, 2, 2));
  // Windows 0-3, 2-5, 4-7, 6-9. Token 2 has 1 token after it in the first and 0 before it in the second.
  CHECK(windows[0].most_context == std::vector<bool>{true, true, true, false});
  CHECK(windows[1].most_context == std::vector<bool>{false, true, true, false});
  CHECK(windows[2].most_context == std::vector<bool>{false, true, true, false});
  CHECK(windows[3].most_context == std::vector<bool>{false, true, true, true});
  for (std::int64_t stride = 1; stride < 9; ++stride) {
    CAPTURE(stride);
    std::vector<int> judged(10);
    for (const QaWindow& window : qa_windows(Ids{7, 7}, context.tokens(), std::nullopt, bert(10, stride, 2))) {
      for (std::size_t i = 0; i < window.count; ++i) judged[window.first + i] += window.most_context[i] ? 1 : 0;
    }
    CHECK(judged == std::vector<int>(10, 1));
  }
}

TEST_CASE("only windows that hold the whole answer have it as their target") {
  const SpacedWords context("a b c d e f g h i j");
  const auto windows =
      qa_windows(Ids{7}, context.tokens(), TokenSpan{context.bytes[3].begin, context.bytes[4].end}, bert(8, 2, 2));
  CHECK(windows[0].start == 0);  // 0-3
  CHECK(windows[0].end == 0);
  CHECK(windows[1].start == windows[1].offset + 1);  // 2-5
  CHECK(windows[1].end == windows[1].offset + 2);
  CHECK(windows[2].start == 0);  // 4-7
}

TEST_CASE("an answer covers the tokens that it overlaps") {
  const SpacedWords context("The Japanese electronics");
  CHECK(answer_tokens(context.tokens(), 4, 9) == AnswerTokens{1, 2});  // "Japan" of "Japanese"
  CHECK(answer_tokens(context.tokens(), 4, 24) == AnswerTokens{1, 3});
  CHECK(answer_tokens(context.tokens(), 3, 4).empty());  // a space
  CHECK(answer_tokens(context.tokens(), 0, 24) == AnswerTokens{0, 3});
}

TEST_CASE(
    "a context without tokens is one window; questions are truncated; errors about impossible settings say what to "
    "change") {
  const SpacedWords empty("");
  const auto windows = qa_windows(Ids{7, 8, 9}, empty.tokens(), TokenSpan{0, 1}, bert(8, 2, 2));
  REQUIRE(windows.size() == 1);
  CHECK(windows[0].tokens == Ids{1, 7, 8, 2, 2});
  CHECK(windows[0].start == 0);
  const auto refusal = [&](const QaWindowOptions& options) {
    return message_of<UsageError>([&] { qa_windows(Ids{7}, empty.tokens(), std::nullopt, options); });
  };
  CHECK(
      refusal(bert(64, 16)) ==
      "qa: the length must leave room for the context beside 64 tokens of the question and the special tokens, got 64; "
      "raise --max-length or --context");
  CHECK(refusal(bert(64, 0)) == "qa: the stride must be at least 1, got 0");
  CHECK(refusal(bert(64, 1, 0)) == "qa: the longest question must have at least 1 token, got 0");
}

// ------------------------------------------------------------------------------------------------------------- answers

// Scores of -9 everywhere except at the given pairs of (index, score).
using Peaks = std::vector<std::pair<std::size_t, float>>;
static std::vector<float> scores(const QaWindow& window, const Peaks& peaks) {
  std::vector<float> all(window.tokens.size(), -9.0F);
  for (const auto& [index, score] : peaks) all[index] = score;
  return all;
}

struct Search {
  Search(const SpacedWords& words, std::vector<QaWindow> given, const std::vector<Peaks>& starts,
         const std::vector<Peaks>& ends)
      : context(words), windows(std::move(given)) {
    for (std::size_t w = 0; w < windows.size(); ++w) {
      start.push_back(scores(windows[w], starts[w]));
      end.push_back(scores(windows[w], ends[w]));
    }
  }
  QaPrediction run(const QaSearchOptions& options = {}) const {
    std::vector<QaScores> both;
    for (std::size_t w = 0; w < windows.size(); ++w) both.push_back({start[w], end[w]});
    return find_answer(context.text, context.tokens(), windows, both, options);
  }
  const SpacedWords& context;
  std::vector<QaWindow> windows;
  std::vector<std::vector<float>> start, end;
};

TEST_CASE("the best pair in order gives the text between its bytes, spaces and all") {
  const SpacedWords context("in the  10th and 11th centuries");
  const Search search(context, qa_windows(Ids{7}, context.tokens(), std::nullopt, bert(20, 8, 2)),
                      {{{4, 1.0F}, {5, 5.0F}, {8, 6.0F}}}, {{{5, 2.0F}, {6, 3.0F}, {7, 4.0F}}});
  // offset 3; start 5 = "10th", end 7 = "11th"; the higher start 8 is after every high end.
  const QaPrediction found = search.run();
  CHECK(found.text == "10th and 11th");
  CHECK(found.candidates[0].begin == 8);
  CHECK(found.candidates[0].end == 21);
  CHECK(found.candidates[0].score() == 9);
  CHECK(found.candidates[1].text == "10th and");
  CHECK(found.candidates.size() == 20);
  double sum = 0;
  for (const QaCandidate& candidate : found.candidates) sum += candidate.probability;
  CHECK(sum == doctest::Approx(1));
  CHECK(search.run({.n_best = 2}).candidates.size() == 2);
  CHECK(search.run({.max_answer_tokens = 2}).text == "10th and");
}

TEST_CASE("nothing outside the context is an answer, and equal texts count once, the first") {
  const SpacedWords context("a b a");
  const Search search(context, qa_windows(Ids{7}, context.tokens(), std::nullopt, bert(20, 8, 2)),
                      {{{0, 9.0F}, {1, 9.0F}, {3, 2.0F}, {5, 3.0F}}}, {{{1, 9.0F}, {3, 2.0F}, {5, 3.0F}, {6, 9.0F}}});
  const QaPrediction found = search.run();
  CHECK(found.text == "a");
  CHECK(found.candidates[0].begin == 4);
  int times = 0;
  for (const QaCandidate& candidate : found.candidates) times += candidate.text == "a" ? 1 : 0;
  CHECK(times == 1);
}

TEST_CASE("an answer starts only where its window gives the most context") {
  const SpacedWords context("a b c d e f g h i j");
  // Token 2 is scored in window 0 (index 5 there), not in window 1 (index 3), where its score is higher.
  const Search search(context, qa_windows(Ids{7}, context.tokens(), std::nullopt, bert(8, 2, 2)),
                      {{{5, 1.0F}}, {{3, 8.0F}}, {}, {}}, {{{5, 1.0F}}, {{3, 8.0F}}, {}, {}});
  CHECK(search.run().text == "c");
  CHECK(search.run().candidates[0].score() == 2);
}

TEST_CASE("version 2: no answer wins if its lowest score beats the best answer by more than the threshold") {
  const SpacedWords context("a b c d e f g h i j");
  const auto windows = qa_windows(Ids{7}, context.tokens(), std::nullopt, bert(11, 4, 2));
  REQUIRE(windows.size() == 2);
  const Search search(context, windows, {{{0, 4.0F}, {4, 1.0F}}, {{0, 2.0F}}}, {{{0, 4.0F}, {4, 1.0F}}, {{0, 1.0F}}});
  QaPrediction found = search.run({.may_be_unanswerable = true});
  CHECK(found.null_score_difference == 1);  // 2 + 1 of the second window, less 1 + 1
  CHECK(found.text.empty());
  CHECK(found.candidates[0].text.empty());
  CHECK(found.candidates[1].text == "b");
  CHECK(search.run({.may_be_unanswerable = true, .null_threshold = 1}).text == "b");
  CHECK(search.run().text == "b");
  // If it is not among the best, it is added after them.
  const Search low(context, windows, {{{4, 1.0F}}, {}}, {{{4, 1.0F}}, {}});
  found = low.run({.n_best = 1, .may_be_unanswerable = true});
  REQUIRE(found.candidates.size() == 2);
  CHECK(found.candidates[1].text.empty());
  CHECK(found.text == "b");
}

TEST_CASE("without any candidate the answer is empty; scores that do not fit or are not finite are refused") {
  const SpacedWords context("a b");
  const auto windows = qa_windows(Ids{7}, context.tokens(), std::nullopt, bert(20, 8, 2));
  const Search nowhere(context, windows, {{{0, 5.0F}}}, {{{0, 5.0F}}});
  CHECK(nowhere.run({.n_best = 1}).text.empty());
  CHECK(nowhere.run({.n_best = 1}).candidates.empty());
  CHECK(nowhere.run({.n_best = 1, .may_be_unanswerable = true}).candidates.size() == 1);
  const std::vector<float> few(3);
  const std::vector<QaScores> wrong = {{few, few}};
  CHECK_THROWS_AS(find_answer(context.text, context.tokens(), windows, wrong), std::invalid_argument);
  CHECK_THROWS_AS(find_answer(context.text, context.tokens(), windows, {}), std::invalid_argument);
  const Search broken(context, windows, {{{4, std::numeric_limits<float>::quiet_NaN()}}}, {{}});
  CHECK(message_of<NotFiniteError>([&] { broken.run(); }) ==
        "qa: a model's scores must be finite, got nan for token 4");
}
