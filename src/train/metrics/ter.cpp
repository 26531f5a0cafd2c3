#include "train/metrics/ter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <tuple>

#include "text/unicode.h"
#include "text/utf8.h"
#include "train/metrics/ngrams.h"

namespace rapt {
namespace {

constexpr std::size_t kLongestMove = 10, kFarthestMove = 50, kMostMoves = 1000;
constexpr std::int64_t kBeam = 25;
constexpr std::int32_t kFar = std::numeric_limits<std::int32_t>::max() / 2;

enum class Edit : std::uint8_t { kNone, kReplace, kDelete, kInsert };  // of words of the hypothesis

// Edit distances to one reference of hypotheses of one length. Row i holds the distances of the first i words of the
// hypothesis to each start of the reference; rows of words that did not change are kept.
class EditDistance final {
 public:
  EditDistance(std::u32string_view reference, std::size_t length)
      : reference_(reference), words_(length, 0), rows_(length + 1, std::vector<Cell>(reference.size() + 1)) {
    for (std::size_t j = 0; j <= reference_.size(); ++j) rows_[0][j] = {static_cast<std::int32_t>(j), Edit::kInsert};
    ratio_ = length == 0 ? 1 : static_cast<double>(reference_.size()) / static_cast<double>(length);
    // Rows of texts of very different lengths would not overlap.
    beam_ = static_cast<double>(kBeam) < ratio_ / 2 ? static_cast<std::int64_t>(std::ceil(ratio_ / 2 + kBeam)) : kBeam;
  }

  std::int32_t distance(std::u32string_view hypothesis) {
    std::size_t same = 0;
    while (same < known_ && words_[same] == hypothesis[same]) ++same;
    for (std::size_t i = same + 1; i <= hypothesis.size(); ++i) fill_row(i, hypothesis[i - 1]);
    words_ = hypothesis;
    known_ = hypothesis.size();
    return rows_.back().back().cost;
  }

  /// The edits of the last hypothesis, from its start.
  std::vector<Edit> edits() const {
    std::vector<Edit> edits;
    for (std::size_t i = words_.size(), j = reference_.size(); i > 0 || j > 0;) {
      const Edit edit = rows_[i][j].edit;
      edits.push_back(edit);
      if (edit != Edit::kInsert) --i;
      if (edit != Edit::kDelete) --j;
    }
    std::reverse(edits.begin(), edits.end());
    return edits;
  }

 private:
  struct Cell {
    std::int32_t cost = kFar;
    Edit edit = Edit::kInsert;
  };

  void fill_row(std::size_t i, char32_t word) {
    const auto columns = static_cast<std::int64_t>(reference_.size()) + 1;
    const auto diagonal = static_cast<std::int64_t>(std::floor(static_cast<double>(i) * ratio_));
    const std::int64_t first = std::max<std::int64_t>(0, diagonal - beam_);
    const std::int64_t end = i == words_.size() ? columns : std::min(columns, diagonal + beam_);
    std::vector<Cell>& row = rows_[i];
    const std::vector<Cell>& above = rows_[i - 1];
    std::fill(row.begin(), row.end(), Cell{});
    for (auto j = static_cast<std::size_t>(first); j < static_cast<std::size_t>(std::max(end, first)); ++j) {
      if (j == 0) {
        row[0] = {above[0].cost + 1, Edit::kDelete};
        continue;
      }
      const bool equal = word == reference_[j - 1];
      const auto offer = [&](std::int32_t cost, Edit edit) {
        if (cost < row[j].cost) row[j] = {cost, edit};
      };
      // In this order: the first of equal costs stays.
      offer(above[j - 1].cost + (equal ? 0 : 1), equal ? Edit::kNone : Edit::kReplace);
      offer(above[j].cost + 1, Edit::kDelete);
      offer(row[j - 1].cost + 1, Edit::kInsert);
    }
  }

  std::u32string_view reference_;
  std::u32string words_;   // the last hypothesis
  std::size_t known_ = 0;  // rows of words_ that are filled
  std::vector<std::vector<Cell>> rows_;
  double ratio_ = 1;
  std::int64_t beam_ = kBeam;
};

// Where each word of the reference lies in the hypothesis (-1: before it), and sums of errors up to each word.
struct Alignment {
  std::vector<std::int64_t> place;
  std::vector<std::size_t> hypothesis_errors = {0}, reference_errors = {0};

  explicit Alignment(const std::vector<Edit>& edits) {
    std::int64_t at = -1;
    for (const Edit edit : edits) {
      const std::size_t error = edit == Edit::kNone ? 0 : 1;
      if (edit != Edit::kInsert) {
        ++at;
        hypothesis_errors.push_back(hypothesis_errors.back() + error);
      }
      if (edit != Edit::kDelete) {
        place.push_back(at);
        reference_errors.push_back(reference_errors.back() + error);
      }
    }
  }
};

bool has_errors(const std::vector<std::size_t>& errors, std::size_t begin, std::size_t length) {
  return errors[begin + length] > errors[begin];
}

// The words with the `length` ones at `start` moved to before the word at `target`; a target inside of them moves them
// back by as many words.
std::u32string moved(std::u32string_view words, std::size_t start, std::size_t length, std::size_t target) {
  const std::u32string phrase(words.substr(start, length));
  std::u32string rest(words.substr(0, start));
  rest += words.substr(start + length);
  const bool after = target > start + length;
  return rest.insert(std::min(after ? target - length : target, rest.size()), phrase);
}

struct Move {
  std::int64_t gain;  // edits saved; the first of the criteria by which moves are compared
  std::size_t length, start, target;
  std::u32string words;

  bool better_than(const Move& other) const {
    return std::tuple(gain, length, other.start, other.target) > std::tuple(other.gain, other.length, start, target);
  }
};

// Tries moves of phrases that also occur in the reference, at a place where it and the hypothesis differ.
class MoveSearch final {
 public:
  MoveSearch(std::u32string_view hypothesis, std::u32string_view reference)
      : reference_(reference), distances_(reference, hypothesis.size()) {}

  std::optional<Move> best(std::u32string_view words) {
    const std::int64_t before = distances_.distance(words);
    const Alignment alignment(distances_.edits());
    std::optional<Move> best;
    for (std::size_t start = 0; start < words.size(); ++start) {
      for (std::size_t to = 0; to < reference_.size(); ++to) {
        if ((to > start ? to - start : start - to) > kFarthestMove) continue;
        for (std::size_t length = 1;
             length <= kLongestMove && start + length <= words.size() && to + length <= reference_.size() &&
             words[start + length - 1] == reference_[to + length - 1];
             ++length) {
          try_targets(words, before, alignment, start, to, length, best);
          if (exhausted()) return best;
        }
      }
    }
    return best;
  }

  bool exhausted() const { return tried_ >= kMostMoves; }
  std::int32_t distance(std::u32string_view words) { return distances_.distance(words); }

 private:
  void try_targets(std::u32string_view words, std::int64_t before, const Alignment& alignment, std::size_t start,
                   std::size_t to, std::size_t length, std::optional<Move>& best) {
    if (!has_errors(alignment.hypothesis_errors, start, length) ||
        !has_errors(alignment.reference_errors, to, length)) {
      return;
    }
    const auto first = static_cast<std::int64_t>(start), last = static_cast<std::int64_t>(start + length);
    if (alignment.place[to] >= first && alignment.place[to] < last) return;
    std::int64_t tried = -1;
    for (std::size_t offset = 0; offset <= length; ++offset) {  // after the reference's word to + offset - 1
      if (to + offset > alignment.place.size()) return;
      const std::int64_t target = to + offset == 0 ? 0 : alignment.place[to + offset - 1] + 1;
      if (target == tried) continue;
      tried = target;
      Move move{0, length, start, static_cast<std::size_t>(target),
                moved(words, start, length, static_cast<std::size_t>(target))};
      move.gain = before - distances_.distance(move.words);
      ++tried_;
      if (!best || move.better_than(*best)) best = std::move(move);
    }
  }

  std::u32string_view reference_;
  EditDistance distances_;
  std::size_t tried_ = 0;
};

}  // namespace

std::size_t translation_edits(std::u32string_view hypothesis, std::u32string_view reference) {
  if (reference.empty()) return hypothesis.size();
  MoveSearch search(hypothesis, reference);
  std::u32string words(hypothesis);
  std::size_t moves = 0;
  for (;;) {
    std::optional<Move> move = search.best(words);
    if (search.exhausted() || !move || move->gain <= 0) break;
    words = std::move(move->words);
    ++moves;
  }
  return moves + static_cast<std::size_t>(search.distance(words));
}

std::string Ter::settings() const {
  const auto yes_no = [](bool yes) { return yes ? "yes" : "no"; };
  return fmt::format("case:{}|tok:tercom|norm:{}|punct:{}|asian:{}", case_sensitive_ ? "mixed" : "lc",
                     yes_no(tokenization_.normalize), yes_no(tokenization_.punctuation), yes_no(tokenization_.asian));
}

std::vector<double> Ter::compare(std::string_view hypothesis, std::span<const std::string> references) const {
  WordNumbers numbers;
  const auto words = [&](std::string_view text) {
    return ter_words(characters_of(case_sensitive_ ? std::string(text) : full_lower_case(text)), tokenization_);
  };
  const std::u32string said = numbers.of(words(hypothesis));
  double edits = std::numeric_limits<double>::infinity(), length = 0;
  for (const std::string& reference : references) {
    // Twice, as sacreBLEU does: separating ", .5" from "a,.5" lets the second pass separate the full stop, too.
    std::u32string once;
    for (const std::u32string& word : words(reference)) (once += word) += U' ';
    const std::u32string wanted = numbers.of(ter_words(once, tokenization_));
    edits = std::min(edits, static_cast<double>(translation_edits(said, wanted)));
    length += static_cast<double>(wanted.size());
  }
  return {edits, length / static_cast<double>(references.size())};
}

double Ter::score(std::span<const double> sums) const {
  if (sums[1] > 0) return 100 * sums[0] / sums[1];
  return sums[0] > 0 ? 100 : 0;
}

std::string Ter::details(std::span<const double> sums) const {
  return fmt::format("{:.0f} edits, {:.0f} words", sums[0], sums[1]);
}

}  // namespace rapt
