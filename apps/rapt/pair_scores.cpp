#include "pair_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/escape.h"
#include "io/json.h"
#include "model_input.h"
#include "tensor/error.h"
#include "tensor/matmul.h"
#include "terminal.h"
#include "text/pairs/pair_corpus.h"
#include "text_scores.h"
#include "train/tasks/lm_evaluation.h"
#include "translation_options.h"

namespace rapt::app {
namespace {

constexpr std::size_t kPairsPerBatch = 32;
constexpr const char* kSummarizeTask = "summarize";

// Sources with their targets: several of each, from several files of --target.
struct Pairs {
  std::vector<std::string> sources;
  std::vector<std::vector<std::string>> targets;
};

Pairs read_aligned(const Arguments& arguments) {
  const std::string source = arguments.required("source");
  arguments.required("target");
  Pairs pairs{.sources = read_lines(source), .targets = {}};
  if (pairs.sources.empty()) {
    throw DataError("--source: " + escape_for_terminal(source) + " must have at least one line, got none");
  }
  pairs.targets.resize(pairs.sources.size());
  for (const std::string& file : arguments.list("target")) {
    std::vector<std::string> lines = read_lines(file);
    if (lines.size() != pairs.sources.size()) {
      throw DataError(
          fmt::format("--target: {} must have as many lines as {}, {}, got {}; line N of each must belong "
                      "together",
                      escape_for_terminal(file), escape_for_terminal(source), pairs.sources.size(), lines.size()));
    }
    for (std::size_t i = 0; i < lines.size(); ++i) pairs.targets[i].push_back(std::move(lines[i]));
  }
  return pairs;
}

// The columns of --data: those that are named, or else those that the model was trained on.
Pairs read_tables(const Arguments& arguments, const TrainConfig& trained) {
  if (arguments.has("target")) throw UsageError("--target: --data has the targets, too; leave out one of the two");
  PairColumns columns{.source = arguments.text("source-field"), .target = arguments.text("target-field")};
  if (columns.source.empty() != columns.target.empty()) {
    throw UsageError("--source-field and --target-field must be given together, got one of them");
  }
  if (columns.source.empty()) columns = {.source = trained.source_field, .target = trained.target_field};
  Pairs pairs;
  for (const std::string& file : arguments.list("data")) {
    const auto reader = read_pair_table(file == "-" ? Input::from_standard_input() : Input::from_file(file), columns);
    for (Pair pair; reader->next(pair);) {
      pairs.sources.push_back(pair.source);
      pairs.targets.push_back({pair.target});
    }
  }
  if (pairs.sources.empty()) throw DataError("--data must have at least one pair, got none");
  return pairs;
}

Pairs read_pairs(const Arguments& arguments, const TrainConfig& trained) {
  if (arguments.has("data") && !arguments.has("source")) return read_tables(arguments, trained);
  return read_aligned(arguments);
}

std::vector<std::string> translations(const Arguments& arguments, const TranslationModel& model,
                                      const std::vector<std::string>& texts, Team& team) {
  const TranslationKind& kind = model.first().config.task == kSummarizeTask ? kSummarize : kTranslate;
  const TranslateOptions options = translate_options(arguments, kind, model);
  TokenLists ids;
  std::vector<SourceText> sources;
  std::vector<std::size_t> numbers;  // of the sources with tokens
  const auto first = static_cast<std::size_t>(team.rank()), step = static_cast<std::size_t>(team.size());
  for (std::size_t i = first; i < texts.size(); i += step) {
    sources.push_back(model.source(texts[i]));
    if (sources.back().ids.empty()) continue;
    numbers.push_back(sources.size() - 1);
    ids.push_back(sources.back().ids);
  }
  std::vector<std::string> result(sources.size());
  translate(
      ids, [&](const Stream& batch) { return model.decoder(batch); }, options, 0,
      [&](std::size_t i, const std::vector<Generated>& found) {
        result[numbers[i]] = model.text(sources[numbers[i]], options.prompt, found.front(), false);
        std::ranges::replace(result[numbers[i]], '\n', ' ');
      });
  return team.gather_in_turn(result);
}

// A pair as the network reads it.
struct ScoredPair {
  std::string source, target;
  std::vector<std::int32_t> source_ids, target_ids;
};

LmScore score_of(std::span<const float> log_probabilities, bool keep_each) {
  LmScore score;
  for (const float x : log_probabilities) score.log_probability += static_cast<double>(x);
  score.tokens = static_cast<std::int64_t>(log_probabilities.size());
  if (keep_each) score.each.assign(log_probabilities.begin(), log_probabilities.end());
  return score;
}

// The scores of some pairs, in one pass.
std::vector<LmScore> score_batch(const TranslationModel& model, std::span<const ScoredPair> pairs, bool keep_each) {
  TokenLists sources, inputs;
  std::vector<std::int32_t> ids;
  for (const ScoredPair& pair : pairs) {
    sources.push_back(pair.source_ids);
    std::vector<std::int32_t>& input = inputs.emplace_back(model.prompt(""));
    input.insert(input.end(), pair.target_ids.begin(), pair.target_ids.end());
    ids.insert(ids.end(), pair.target_ids.begin(), pair.target_ids.end());
    ids.push_back(model.stop_ids().front());
  }
  const std::vector<Dim> starts(pairs.size(), 0);
  Batch batch{.input = continued_stream(inputs, starts), .source = continued_stream(sources, starts)};
  const auto rows = static_cast<Dim>(ids.size());
  batch.targets = {.rows = all_rows(rows), .ids = Tensor::from(ids, {rows})};
  const SteadyProducts steady;
  const Tensor scores = model.first().encoder_decoder().log_probabilities(batch);
  std::vector<LmScore> result;
  std::size_t first = 0;
  for (const auto& input : inputs) {
    result.push_back(score_of(scores.span<float>().subspan(first, input.size()), keep_each));
    first += input.size();
  }
  return result;
}

// The loss per token of the first targets, and its perplexity. Texts that are longer than the context count with their
// beginnings, as in training.
MetricValues loss_of(const TranslationModel& model, const Pairs& pairs, Team& team) {
  const auto sums_of_batch = [&](std::int64_t begin) {
    const auto first = static_cast<std::size_t>(begin);
    std::vector<ScoredPair> some;
    for (std::size_t i = first; i < std::min(first + kPairsPerBatch, pairs.sources.size()); ++i) {
      ScoredPair& pair = some.emplace_back();
      pair.source_ids = model.source(pairs.sources[i]).ids;
      if (pair.source_ids.empty()) pair.source_ids = model.stop_ids();
      pair.target_ids = model.first().tokenizers.target->encode(pairs.targets[i].front());
      pair.target_ids.resize(std::min(pair.target_ids.size(), static_cast<std::size_t>(model.context()) - 1));
    }
    LmSums sums;
    for (const LmScore& score : score_batch(model, some, false)) sums += {score.log_probability, score.tokens};
    return sums;
  };
  const PartToRead all(static_cast<std::int64_t>(pairs.sources.size()), kPairsPerBatch, 0, 0);
  const LmSums sums = sum_over_batches(all, team, sums_of_batch);
  const LmScore total{.log_probability = sums.log_probability, .tokens = sums.tokens};
  return {{"loss", total.loss()}, {"perplexity", total.perplexity()}};
}

void print_pair(const LmScore& s, const ScoredPair& pair, bool json) {
  if (!json) {
    return out(fmt::format("{:.6f}\t{}\t{:.4f}\t{}\n", s.log_probability, s.tokens, s.perplexity(), pair.target));
  }
  Json row;
  row["log_probability"] = s.log_probability;
  row["tokens"] = s.tokens;
  row["perplexity"] = s.perplexity();
  if (!s.each.empty()) row["token_log_probabilities"] = s.each;
  row["source"] = pair.source;
  row["target"] = pair.target;
  out(row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

// The file that a message about a side is about.
std::string file_of(const Arguments& arguments, const char* side, std::size_t target) {
  if (!arguments.has("source")) return arguments.list("data").front();
  return side == std::string_view("source") ? arguments.text("source") : arguments.list("target")[target];
}

std::vector<ScoredPair> scored_pairs(const Arguments& arguments, const TranslationModel& model) {
  const Pairs pairs = read_pairs(arguments, model.first().config);
  const Tokenizer& tokenizer = *model.first().tokenizers.target;
  std::vector<ScoredPair> result;
  for (std::size_t i = 0; i < pairs.sources.size(); ++i) {
    SourceText source = model.source(pairs.sources[i]);
    if (source.ids.empty()) source.ids = model.stop_ids();
    for (std::size_t t = 0; t < pairs.targets[i].size(); ++t) {
      ScoredPair pair{pairs.sources[i], pairs.targets[i][t], source.ids, tokenizer.encode(pairs.targets[i][t])};
      const Dim tokens = static_cast<Dim>(pair.target_ids.size()) + 1;
      if (tokens > model.context() || source.cut) {
        throw DataError(fmt::format("{}: line {} must have at most {} tokens, the model's context{}; shorten it",
                                    escape_for_terminal(file_of(arguments, source.cut ? "source" : "target", t)), i + 1,
                                    model.context(), source.cut ? ", got more" : fmt::format(", got {}", tokens)));
      }
      result.push_back(std::move(pair));
    }
  }
  return result;
}

int score_with(const Arguments& arguments, const TranslationModel& model) {
  const bool each = arguments.has("per-token"), json = arguments.has("json") || each;
  const std::vector<ScoredPair> pairs = scored_pairs(arguments, model);
  LmScore total;
  for (std::size_t first = 0; first < pairs.size(); first += kPairsPerBatch) {
    const auto some = std::span(pairs).subspan(first, std::min(kPairsPerBatch, pairs.size() - first));
    const std::vector<LmScore> scores = score_batch(model, some, each);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (!std::isfinite(scores[i].log_probability)) {
        throw not_finite("score: the log-probability", scores[i].log_probability,
                         fmt::format("pair {}, {}", first + i + 1, in_quotes(some[i].target, 40)));
      }
      print_pair(scores[i], some[i], json);
      total.log_probability += scores[i].log_probability;
      total.tokens += scores[i].tokens;
    }
  }
  say(fmt::format("{} pairs, {} tokens, perplexity {:.4f}", pairs.size(), total.tokens, total.perplexity()));
  return 0;
}

}  // namespace

std::vector<Option> pair_options() {
  std::vector<Option> options = {
      {.name = "source", .value = "FILE", .help = "texts of an encoder-decoder, line by line; - is standard input"},
      {.name = "source-field", .value = "NAME", .help = "of --data: column or JSON field of the texts"},
      {.name = "target-field", .value = "NAME", .help = "of --data: column or JSON field of their targets"}};
  for (Option& option : decoding_options(kTranslate.decoding)) {
    for (const char* name : {"beam", "length-penalty", "length-penalty-kind", "coverage-penalty", "no-repeat-ngram"}) {
      if (option.name == name) options.push_back(std::move(option));
    }
  }
  for (Option& option : options) option.group = "translations";
  return options;
}

int eval_pairs(const Arguments& arguments, Team& team) {
  std::vector<TextSystem> systems;
  Pairs pairs;
  bool summarizes = false;
  for (const std::string& path : arguments.positionals()) {
    const TranslationModel model({path});
    if (systems.empty()) pairs = read_pairs(arguments, model.first().config);
    summarizes = model.first().config.task == kSummarizeTask;
    with_finite_results(model.first(), [&] {
      systems.push_back({path, translations(arguments, model, pairs.sources, team), loss_of(model, pairs, team)});
      return 0;
    });
  }
  return print_text_scores(arguments, systems, pairs.targets, summarizes ? "rouge-1,rouge-2,rouge-l" : "bleu,chrf");
}

int score_pairs(const Arguments& arguments) {
  const TranslationModel model({arguments.positional(0)});
  return with_finite_results(model.first(), [&] { return score_with(arguments, model); });
}

}  // namespace rapt::app
