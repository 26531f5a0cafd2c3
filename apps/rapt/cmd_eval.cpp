// rapt eval: evaluates a model on data, or texts against references. rapt score: the log-probability of each line under
// a language model.
#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "commands.h"
#include "evaluate.h"
#include "in_team.h"
#include "io/escape.h"
#include "io/joined.h"
#include "io/json.h"
#include "labelled_input.h"
#include "model_input.h"
#include "pair_scores.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "terminal.h"
#include "text_scores.h"
#include "train/run/run_inputs.h"
#include "train/run/run_start.h"
#include "train/tasks/lm_evaluation.h"
#include "train/team/agreement.h"

namespace rapt::app {
namespace {

void require_finite(double value, const char* name, const std::string& where = "") {
  if (!std::isfinite(value)) throw not_finite(name, value, where);
}

Dim context_of(const Arguments& arguments, const LanguageModel& model) {
  const Dim longest = model.backbone().context();
  return arguments.whole("context", longest, 1, longest);
}

int eval_language_model(const Arguments& arguments, const Pretrained& pretrained, Team& team) {
  const LanguageModel& model = pretrained.language_model();
  const Tokenizer& tokenizer = require_tokenizer(pretrained);
  const std::vector<std::string> documents = read_documents(arguments, false);
  std::uint64_t bytes = 0;
  for (const std::string& document : documents) bytes += document.size();
  const Dim context = context_of(arguments, model);
  const LmEvaluation evaluation(tokens_of(documents, tokenizer), Part::kTrain, context,
                                documents.size() > 1 ? LmOrder::kDocuments : LmOrder::kRandom);
  const LmScore total = score_text(model, evaluation, context, team);
  const double loss = total.loss();
  require_finite(loss, "eval: the loss");
  require_finite(total.perplexity(), "eval: the perplexity");
  Json json;
  json["loss"] = loss;
  json["perplexity"] = total.perplexity();
  json["bits_per_byte"] = bits_per_byte(loss, total.tokens, static_cast<double>(bytes));
  json["tokens"] = total.tokens;
  json["bytes"] = bytes;
  json["context"] = context;
  json["model"] = pretrained.source;
  if (arguments.has("json")) {
    out(json.dump() + "\n");
  } else {
    out(fmt::format("loss {:.4f} nats per token, perplexity {:.3f}, {:.4f} bits per byte, {} tokens\n", loss,
                    total.perplexity(), json["bits_per_byte"].get<double>(), total.tokens));
  }
  return 0;
}

int evaluate(const Arguments& arguments, Team& team) {
  const bool has_model = !arguments.positionals().empty();
  if (has_model && arguments.has("hypotheses")) {
    throw UsageError("eval: there must be a MODEL or --hypotheses, got both");
  }
  if (!has_model && !arguments.has("hypotheses")) {
    throw UsageError("rapt eval needs MODEL, or --hypotheses FILE and --target FILE; see rapt help eval");
  }
  if (!has_model) return eval_texts(arguments);
  if (arguments.has("source")) return eval_pairs(arguments, team);
  if (arguments.positionals().size() > 1) {
    if (arguments.has("data")) return eval_pairs(arguments, team);
    throw UsageError(
        "eval: several models need --source and --target, the texts that all of them translate; data for one model is "
        "given with --data FILE");
  }
  const Pretrained model = open_model(arguments);
  return with_finite_results(model, [&] {
    const Objective objective = model.network->config().objective;
    if (objective == Objective::kNextToken) return eval_language_model(arguments, model, team);
    if (objective == Objective::kTargetText) return eval_pairs(arguments, team);  // which names what is missing
    if (masks_words(objective)) return eval_masked_words(arguments, model, team);
    return eval_labelled(arguments, model, team);
  });
}

// The files that an evaluation reads.
std::vector<std::string> inputs_of(const Arguments& arguments) {
  std::vector<std::string> files;
  for (const std::string& model : arguments.positionals()) files.push_back(model_source(model));
  for (const char* option : {"data", "hypotheses", "target"}) {
    for (const std::string& file : arguments.list(option)) files.push_back(file);
  }
  if (arguments.has("source")) files.push_back(arguments.text("source"));
  return files;
}

int run_eval(const Arguments& arguments) {
  Team team = launched_team();
  if (team.size() == 1) return evaluate(arguments, team);
  if (!arguments.has("threads")) set_thread_count(threads_in_team(team));
  return in_team(team, [&] {
    std::vector<std::string> lines = computing_lines();
    lines.push_back("program: " + build_name());
    lines.push_back("command: " + joined(arguments.words(), " "));
    for (const std::string& file : inputs_of(arguments)) {
      if (file == "-") throw UsageError("standard input is read by a process alone; give a file");
      lines.push_back(in_quotes(file) + " with digest " + describe_path(file).digest);
    }
    require_agreement(team, lines);
    return evaluate(arguments, team);
  });
}

// Tokens, log-probability, perplexity and the line.
void print_scored(const LmScore& s, const std::string& line, bool json) {
  if (json) {
    Json row;
    row["log_probability"] = s.log_probability;
    row["tokens"] = s.tokens;
    row["perplexity"] = s.perplexity();
    if (!s.each.empty()) row["token_log_probabilities"] = s.each;
    row["text"] = line;
    return out(row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  out(fmt::format("{:.6f}\t{}\t{:.4f}\t{}\n", s.log_probability, s.tokens, s.perplexity(), line));
}

int score_texts(const Arguments& arguments, const Pretrained& pretrained) {
  const LanguageModel& model = pretrained.language_model();
  const Tokenizer& tokenizer = require_tokenizer(pretrained);
  const bool per_line = arguments.has("per-line");
  const Dim context = context_of(arguments, model);
  std::int64_t number = 0;
  for (const std::string& text : read_documents(arguments, per_line)) {
    ++number;
    const TokenStore store = tokens_of({text}, tokenizer);
    LmScore s;
    if (store.size() > (store.end_of_text() ? 0 : 1)) {
      const LmEvaluation evaluation(store, Part::kTrain, context, LmOrder::kDocuments);
      s = arguments.has("per-token") ? score_each(model, evaluation, context) : score_text(model, evaluation, context);
    }
    std::string shown = text;
    if (!per_line) shown = fmt::format("{} bytes", text.size());
    if (s.tokens > 0) {
      const std::string where = fmt::format("text {}, {}", number, in_quotes(shown, 40));
      require_finite(s.log_probability, "score: the log-probability", where);
      require_finite(s.perplexity(), "score: the perplexity", where);
    }
    print_scored(s, shown, arguments.has("json") || arguments.has("per-token"));
  }
  return 0;
}

int run_score(const Arguments& arguments) {
  if (arguments.has("source") || arguments.has("target")) return score_pairs(arguments);
  const Pretrained model = open_model(arguments);
  if (model.network->config().objective == Objective::kTargetText) return score_pairs(arguments);
  return with_finite_results(model, [&] { return score_texts(arguments, model); });
}

Option context_option() {
  return {.name = "context", .value = "N", .help = "tokens per window or sequence", .fallback = "the model's"};
}

}  // namespace

Command eval_command() {
  std::vector<Option> options = {
      data_option(),
      {.name = "hypotheses",
       .kind = OptionKind::kList,
       .value = "FILE",
       .help = "without a model: texts to score, one a line; several are compared with the first"},
      {.name = "target",
       .kind = OptionKind::kList,
       .value = "FILE",
       .help = "their references, or those of --source, line by line; several times for several references"},
      context_option(),
      {.name = "json", .kind = OptionKind::kSwitch, .help = "one JSON object"}};
  for (Option& option : pair_options()) options.push_back(std::move(option));
  for (Option& option : text_score_options()) options.push_back(std::move(option));
  for (Option& option : labelled_input_options()) options.push_back(std::move(option));
  return {
      .name = "eval",
      .summary = "evaluate a model on data, or any texts against references (BLEU, chrF, TER, ROUGE)",
      .arguments = "[MODEL]...",
      .least = 0,
      .most = 1000,
      .examples = {"rapt eval runs/my --data held-out.txt", "rapt eval runs/my --data held-out.txt --json",
                   "rapt eval runs/b-sst2 --data test.tsv", "rapt eval runs/b --data d.h5",
                   "rapt eval runs/de-en --source test.de --target test.en --metrics bleu,chrf --json",
                   "rapt eval runs/a runs/b --source test.de --target test.en",
                   "rapt eval runs/mails --data test.jsonl",
                   "rapt eval --hypotheses out.en --target ref1.en --target ref2.en",
                   "rapt eval --hypotheses a.en --hypotheses b.en --target ref.en --metrics bleu,chrf"},
      .options = options,
      .more =
          "A model with a task head reads the same columns as its training run, unless options name others.\n"
          "BLEU, chrF and TER equal sacreBLEU's, ROUGE (mean F1) equals rouge_score's, times 100. The signature says\n"
          "how a score was computed. Of several models or files of hypotheses, each is compared with the first: the "
          "interval\n"
          "of the difference, and p, the probability of such a difference if both were equally good.\n"
          "mpirun -n N rapt eval ... divides the work among N processes.\n",
      .in_team = true,
      .run = run_eval};
}

Command score_command() {
  return {.name = "score",
          .summary = "print the log-probability of texts, of each line, or of targets given their sources",
          .arguments = "MODEL",
          .least = 1,
          .most = 1,
          .examples = {"rapt score runs/my --data lines.txt --per-line",
                       "rapt score runs/de-en --source test.de --target test.en --json",
                       "rapt score runs/mails --data test.jsonl"},
          .options = {data_option(),
                      {.name = "source", .value = "FILE", .help = "of an encoder-decoder: sources, line by line"},
                      {.name = "target", .kind = OptionKind::kList, .value = "FILE", .help = "their targets"},
                      {.name = "source-field", .value = "NAME", .help = "of --data: column or JSON field of sources"},
                      {.name = "target-field", .value = "NAME", .help = "of --data: column or JSON field of targets"},
                      {.name = "per-line", .kind = OptionKind::kSwitch, .help = "score each line separately"},
                      {.name = "per-token",
                       .kind = OptionKind::kSwitch,
                       .help = "with --json: also the log-probability of each token"},
                      context_option(),
                      {.name = "json", .kind = OptionKind::kSwitch, .help = "one JSON object per line"}},
          .more =
              "Columns: natural-log probability of the line, tokens predicted, perplexity, text. The first token is\n"
              "predicted from the end-of-text token; without such a token in the tokenizer, it is not counted. Of a "
              "target,\n"
              "the end token counts.\n",
          .run = run_score};
}

}  // namespace rapt::app
