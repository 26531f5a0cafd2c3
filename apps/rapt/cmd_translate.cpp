// rapt translate, rapt summarize: texts that an encoder-decoder makes from texts.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "commands.h"
#include "decode/translate.h"
#include "io/json.h"
#include "model_input.h"
#include "source_input.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text_output.h"
#include "translation_options.h"

namespace rapt::app {
namespace {

constexpr std::size_t kBatchesPerWindow = 16;  // texts that are read before they are sorted by length

// Writes the texts of each source as soon as those of all sources before it are written.
class Results {
 public:
  Results(const Arguments& arguments, const TranslationModel& model, const TranslateOptions& options,
          TextOutput& output)
      : model_(model),
        output_(output),
        json_(arguments.has("json")),
        replaces_(arguments.has("replace-unknown")),
        searches_(options.beam.has_value()),
        scores_(searches_ && options.beam->best > 1),
        several_(scores_ || (!searches_ && options.sampling.samples > 1)),
        prompt_(options.prompt) {}

  void put(std::size_t number, SourceText source, std::vector<Generated> texts) {
    waiting_.emplace(number, std::pair(std::move(source), std::move(texts)));
    for (auto it = waiting_.begin(); it != waiting_.end() && it->first == next_; it = waiting_.erase(it), ++next_) {
      const auto& [due, found] = it->second;
      for (std::size_t rank = 0; rank < found.size(); ++rank) write(due, found[rank], rank + 1);
    }
  }
  std::size_t tokens() const { return tokens_; }

 private:
  void write(const SourceText& source, const Generated& g, std::size_t rank) {
    tokens_ += g.tokens.size();
    std::string text = source.ids.empty() ? "" : model_.text(source, prompt_, g, replaces_);
    if (json_) {
      Json row;
      row["line"] = next_ + 1;
      if (several_) row["rank"] = rank;
      row["source"] = source.text;
      row["text"] = text;
      row["tokens"] = g.tokens;
      row["log_probability"] = g.log_probability;
      if (searches_) row["score"] = g.score;
      row["finish"] = g.ended ? "stop" : "length";
      return output_.write(row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    }
    std::ranges::replace(text, '\n', ' ');  // one line per text
    if (scores_) text = fmt::format("{}\t{:.4f}\t{}", next_ + 1, g.score, text);
    output_.write(text + "\n");
  }

  const TranslationModel& model_;
  TextOutput& output_;
  bool json_, replaces_, searches_, scores_, several_;
  std::vector<std::int32_t> prompt_;
  std::map<std::size_t, std::pair<SourceText, std::vector<Generated>>> waiting_;
  std::size_t next_ = 0;  // number of the first source that is not written
  std::size_t tokens_ = 0;
};

// Counts sources that were cut, and says so once.
class CutSources {
 public:
  explicit CutSources(Dim context) : context_(context) {}
  void note(const std::string& where) {
    if (count_++ == 0) first_ = where;
  }
  void tell() const {
    if (count_ == 0) return;
    say(fmt::format("{} {} longer than the model's context of {} tokens and lost {} end, first {}", count_,
                    count_ == 1 ? "source was" : "sources were", context_, count_ == 1 ? "its" : "their", first_));
  }

 private:
  Dim context_;
  std::int64_t count_ = 0;
  std::string first_;
};

int translate_texts(const Arguments& arguments, const TranslationModel& model, const TranslateOptions& options) {
  SourceTexts texts(input_files(arguments), arguments.text("source-field"), model.first().config.source_field);
  TextOutput output(arguments.text("out"));
  Results results(arguments, model, options, output);
  CutSources cut(model.context());
  const std::size_t window = kBatchesPerWindow * options.batch_sources;
  const auto start = std::chrono::steady_clock::now();
  std::size_t read = 0, translated = 0;
  for (bool more = true; more;) {
    std::vector<SourceText> sources;
    TokenLists ids;
    std::vector<std::size_t> numbers;  // of the sources with tokens
    for (std::string text; sources.size() < window && (sources.empty() || !texts.would_wait());) {
      more = texts.next(text);
      if (!more) break;
      sources.push_back(model.source(text));
      if (sources.back().cut) cut.note(texts.where());
      if (sources.back().ids.empty()) continue;
      ids.push_back(sources.back().ids);
      numbers.push_back(sources.size() - 1);
    }
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (sources[i].ids.empty()) results.put(read + i, sources[i], std::vector<Generated>(1));
    }
    // Random numbers depend on a source's place among those that are not empty.
    translate(
        ids, [&](const Stream& batch) { return model.decoder(batch); }, options, translated,
        [&](std::size_t i, std::vector<Generated> found) {
          results.put(read + numbers[i], std::move(sources[numbers[i]]), std::move(found));
          output.flush();
        });
    output.flush();
    read += sources.size();
    translated += ids.size();
  }
  output.finish();
  cut.tell();
  if (const std::string path = arguments.text("out"); !path.empty()) say("wrote " + path);
  if (arguments.has("timing")) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    say(fmt::format("{} texts, {} tokens in {:.2f} s, {:.1f} tokens/s", read, results.tokens(), seconds,
                    static_cast<double>(results.tokens()) / seconds));
  }
  return 0;
}

int run(const Arguments& arguments, const TranslationKind& kind) {
  std::vector<std::string> paths = arguments.list("ensemble");
  paths.insert(paths.begin(), arguments.positional(0));
  const bool logarithms =
      arguments.choice("ensemble-mean", "probabilities", {"probabilities", "logarithms"}) == "logarithms";
  const TranslationModel model(paths, logarithms ? EnsembleMean::kLogarithms : EnsembleMean::kProbabilities);
  const TranslateOptions options = translate_options(arguments, kind, model);
  return with_finite_results(model.first(), [&] { return translate_texts(arguments, model, options); });
}

int run_translate(const Arguments& arguments) { return run(arguments, kTranslate); }
int run_summarize(const Arguments& arguments) { return run(arguments, kSummarize); }

std::vector<Option> options_for(const TranslationKind& kind) {
  const OptionKind flag = OptionKind::kSwitch;
  std::vector<Option> options = {
      {.name = "data",
       .kind = OptionKind::kList,
       .value = "FILE",
       .help = "texts, like the FILE argument",
       .fallback = "standard input"},
      {.name = "source-field", .value = "NAME", .help = "column or JSON field of the texts"},
      {.name = "out",
       .value = "FILE",
       .help = "output file",
       .aliases = {"o", "output"},
       .fallback = "standard output"},
      {.name = "json", .kind = flag, .help = "one JSON object per text"},
      {.name = "replace-unknown",
       .kind = flag,
       .help = "copy the source word with the most attention in place of an unknown one"},
      {.name = "ensemble",
       .kind = OptionKind::kList,
       .value = "MODEL",
       .help = "average the probabilities with this model's; may be repeated"},
      {.name = "ensemble-mean",
       .value = "probabilities|logarithms",
       .help = "what is averaged",
       .fallback = "probabilities",
       .common = false},
      {.name = "timing", .kind = flag, .help = "report tokens per second on standard error"}};
  for (Option& option : translation_options(kind)) options.push_back(std::move(option));
  return options;
}

constexpr const char* kMore =
    "Every line of the input gives a line of output, in the same order; an empty line gives an empty line. Standard\n"
    "input is answered as it arrives. Files ending in .jsonl, .csv or .tsv are tables. With --n-best, a line is the\n"
    "number of the source, the score and the text, separated by tabs. A text's score depends neither on the batch nor\n"
    "on threads.\n";

}  // namespace

Command translate_command() {
  return {.name = "translate",
          .summary = "translate texts with an encoder-decoder",
          .arguments = "MODEL [FILE]...",
          .least = 1,
          .most = 1 << 20,
          .examples = {"rapt translate runs/de-en < test.de > test.en",
                       "rapt translate runs/de-en test.de --beam 5 --n-best 5 --length-penalty 0.6 --json",
                       "rapt translate runs/a/best.h5 test.de --ensemble runs/b --out test.en",
                       "echo 'Guten Morgen!' | rapt translate runs/de-en --greedy"},
          .options = options_for(kTranslate),
          .more = kMore,
          .run = run_translate};
}

Command summarize_command() {
  return {.name = "summarize",
          .summary = "summarise texts with an encoder-decoder",
          .arguments = "MODEL [FILE]...",
          .least = 1,
          .most = 1 << 20,
          .examples = {"rapt summarize runs/mails --data test.jsonl --source-field body --out subjects.txt",
                       "rapt summarize runs/mails < mails.txt",
                       "rapt summarize runs/mails mails.txt --min-length 5 --max-length 30 --no-repeat-ngram 2"},
          .options = options_for(kSummarize),
          .more = kMore,
          .run = run_summarize};
}

}  // namespace rapt::app
