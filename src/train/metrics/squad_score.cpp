#include "train/metrics/squad_score.h"

#include <algorithm>
#include <map>
#include <vector>

#include "io/joined.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace rapt {

static bool is_ascii_punctuation(unsigned char c) { return c < 128 && (character_class(c) & kPunctuation) != 0; }

static std::string lower_case_without_punctuation(std::string_view text) {
  std::string out = full_lower_case(text);
  std::erase_if(out, [](char c) { return is_ascii_punctuation(static_cast<unsigned char>(c)); });
  return out;
}

// The text's words in the sense of Python's \w (letters and numbers; underscores are already removed), without
// articles. Other characters that are not spaces stay, attached to their neighbours.
static std::vector<std::string> answer_words(std::string_view raw) {
  const std::string text = lower_case_without_punctuation(raw);
  std::vector<std::string> words;
  std::string word, run;  // between spaces; letters and numbers at its end, not yet part of it
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  const auto end_run = [&] {
    if (run == "a" || run == "an" || run == "the") {
      end_word();  // an article becomes a space
    } else {
      word += run;
    }
    run.clear();
  };
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    const Utf8Character character = read_utf8(at, end);
    const std::string_view bytes(at, character.length);
    if ((character_class(character.code) & (kLetter | kNumber)) != 0) {
      run += bytes;
    } else {
      end_run();
      if (is_python_space(character.code)) {
        end_word();
      } else {
        word += bytes;
      }
    }
    at += character.length;
  }
  end_run();
  end_word();
  return words;
}

std::string normalize_answer(std::string_view text) { return joined(answer_words(text), " "); }

static double words_f1(const std::vector<std::string>& prediction, const std::vector<std::string>& gold,
                       bool may_be_unanswerable) {
  if (may_be_unanswerable && (prediction.empty() || gold.empty())) return prediction == gold ? 1 : 0;
  std::map<std::string_view, int> left;
  for (const std::string& word : gold) ++left[word];
  MatchCounts counts = {.found = static_cast<double>(prediction.size()), .gold = static_cast<double>(gold.size())};
  for (const std::string& word : prediction) {
    const auto found = left.find(word);
    if (found != left.end() && found->second-- > 0) ++counts.right;
  }
  return counts.f1();
}

AnswerScore score_answer(std::string_view prediction, std::span<const std::string> gold, bool may_be_unanswerable) {
  const std::vector<std::string> words = answer_words(prediction);
  AnswerScore best;
  bool any = false;
  const auto compare = [&](const std::vector<std::string>& wanted) {
    best.exact = std::max(best.exact, words == wanted ? 1.0 : 0.0);
    best.f1 = std::max(best.f1, words_f1(words, wanted, may_be_unanswerable));
    any = true;
  };
  for (const std::string& answer : gold) {
    const std::vector<std::string> wanted = answer_words(answer);
    if (!may_be_unanswerable || !wanted.empty()) compare(wanted);
  }
  if (may_be_unanswerable && !any) compare({});
  return best;
}

AnswerScore SquadScores::add(std::string_view prediction, std::span<const std::string> gold) {
  const AnswerScore score = score_answer(prediction, gold, may_be_unanswerable_);
  Sums& sums = gold.empty() ? unanswerable_ : answerable_;
  ++sums.questions;
  sums.exact += score.exact;
  sums.f1 += score.f1;
  return score;
}

MetricValues SquadScores::values() const {
  const double all = static_cast<double>(questions());
  const double with = static_cast<double>(answerable_.questions),
               without = static_cast<double>(unanswerable_.questions);
  MetricValues values = {{"f1", share(answerable_.f1 + unanswerable_.f1, all)},
                         {"exact_match", share(answerable_.exact + unanswerable_.exact, all)}};
  if (!may_be_unanswerable_) return values;
  if (with > 0) {
    values.emplace_back("exact_match_answerable", answerable_.exact / with);
    values.emplace_back("f1_answerable", answerable_.f1 / with);
  }
  if (without > 0) values.emplace_back("accuracy_unanswerable", unanswerable_.exact / without);
  return values;
}

}  // namespace rapt
