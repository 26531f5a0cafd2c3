#include "data_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "io/escape.h"
#include "io/joined.h"
#include "text/tokenizer/files/tokenizer_files.h"

namespace rapt::app {

static Json part_json(const PairStore& store, Part part) {
  return {{"pairs", store.pairs(part)},
          {"source_tokens", store.tokens(part, PairSide::kSource)},
          {"target_tokens", store.tokens(part, PairSide::kTarget)}};
}

Json pairs_json(const PairStore& store) {
  const PairStoreCounts& counts = store.counts();
  return {{"source_vocabulary", store.vocabulary_size(PairSide::kSource)},
          {"target_vocabulary", store.vocabulary_size(PairSide::kTarget)},
          {"train", part_json(store, Part::kTrain)},
          {"validation", part_json(store, Part::kValidation)},
          {"empty", counts.empty},
          {"unequal", counts.unequal},
          {"cut_sources", counts.cut_sources},
          {"cut_targets", counts.cut_targets}};
}

std::string pairs_table(const PairStore& store) {
  std::string out = fmt::format("{:<12}{:>14}{:>18}{:>18}\n", "", "pairs", "source tokens", "target tokens");
  for (const auto& [name, part] : {std::pair{"train", Part::kTrain}, {"validation", Part::kValidation}}) {
    out += fmt::format("{:<12}{:>14}{:>18}{:>18}\n", name, fmt::group_digits(store.pairs(part)),
                       fmt::group_digits(store.tokens(part, PairSide::kSource)),
                       fmt::group_digits(store.tokens(part, PairSide::kTarget)));
  }
  const PairStoreCounts& counts = store.counts();
  out += fmt::format("vocabularies of {} and {} entries\n", fmt::group_digits(store.vocabulary_size(PairSide::kSource)),
                     fmt::group_digits(store.vocabulary_size(PairSide::kTarget)));
  return out +
         fmt::format("left out: {} with an empty side, {} by --max-length-ratio; truncated: {} sources, {} targets\n",
                     fmt::group_digits(counts.empty), fmt::group_digits(counts.unequal),
                     fmt::group_digits(counts.cut_sources), fmt::group_digits(counts.cut_targets));
}

std::string show_pairs(const PairStore& store, Part part, Dim count, Dim most) {
  const auto open = [&](PairSide side) { return tokenizer_from_json(store.tokenizer_json(side), store.path()); };
  const auto source = open(PairSide::kSource), target = open(PairSide::kTarget);
  const Dim first = part == Part::kTrain ? 0 : store.pairs(Part::kTrain);
  std::string out;
  for (Dim pair = first; pair < first + std::min(count, store.pairs(part)); ++pair) {
    out += fmt::format("pair {}\n", pair);
    for (const PairSide side : {PairSide::kSource, PairSide::kTarget}) {
      TokenRange range = store.range(pair, side);
      const bool more = range.size() > most;
      range.end = std::min(range.end, range.begin + most);
      std::vector<std::int32_t> ids(static_cast<std::size_t>(range.size()));
      store.copy(range, side, ids);
      const Tokenizer& tokenizer = side == PairSide::kSource ? *source : *target;
      const char* const rest = more ? " ..." : "";
      out += fmt::format("  {} {}{}\n         {}{}\n", side == PairSide::kSource ? "source" : "target",
                         joined(ids, " ", [](std::int32_t id) { return std::to_string(id); }), rest,
                         escape_for_terminal(tokenizer.decode(ids)), rest);
    }
  }
  return out;
}

}  // namespace rapt::app
