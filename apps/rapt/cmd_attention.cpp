// rapt attention: what each token attends to, in every layer and head, as a page for a browser or as numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attention_page.h"
#include "commands.h"
#include "io/durable_file.h"
#include "io/escape.h"
#include "model_input.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/corpus/line_reader.h"
#include "text/labelled/sequence_frame.h"
#include "text/pairs/pair_batches.h"
#include "text/utf8.h"
#include "train/models/family.h"
#include "train/tasks/held_out_pairs.h"

namespace rapt::app {
namespace {

constexpr std::int64_t kLines = 8, kTokens = 128;  // by default: a page of some megabytes

struct Line {
  std::string text, where;  // "lines.txt: line 7"
};

// The first lines of all files; says so if there are more.
std::vector<Line> first_lines(const std::vector<std::string>& files, std::int64_t most) {
  std::vector<Line> lines;
  for (const std::string& file : files) {
    LineReader reader(file == "-" ? Input::from_standard_input() : Input::from_file(file));
    for (std::string text; reader.next(text);) {
      if (static_cast<std::int64_t>(lines.size()) == most) {
        say(fmt::format("note: shows the first {} lines of {}; --lines N shows more", most, escape_for_terminal(file)));
        return lines;
      }
      lines.push_back({text, reader.where()});
    }
  }
  if (lines.empty()) throw DataError("attention: there must be at least one line of text, got none");
  return lines;
}

// What each token adds to the text; special tokens and parts of characters as the vocabulary spells them.
std::vector<std::string> texts_of(const Tokenizer& tokenizer, std::span<const std::int32_t> ids) {
  std::vector<std::string> texts;
  for (const std::int32_t id : ids) {
    const std::string piece = tokenizer.piece(id, texts.empty(), false);
    const bool plain = !tokenizer.is_special(id) && !piece.empty() && !find_invalid_utf8(piece);
    texts.push_back(plain ? piece : utf8_lossy(tokenizer.token_text(id)));
  }
  return texts;
}

// Reads texts with a model, one at a time.
class AttentionReader {
 public:
  AttentionReader(const Arguments& arguments, const Pretrained& model)
      : model_(model),
        backbone_(model.network->backbone()),
        tokenizer_(require_tokenizer(model)),
        source_tokenizer_(model.tokenizers.source != nullptr ? *model.tokenizers.source : tokenizer_),
        longest_(std::min<std::int64_t>(arguments.whole("max-length", kTokens, 3), backbone_.context())) {}

  // A text of a GPT or a BERT.
  AttentionExample read(const Line& line) const {
    std::vector<std::int32_t> ids = encoded(tokenizer_, line);
    tell_cut(ids.size(), line);
    const SequenceFrame frame(model_.tokenizers.target, family_of(model_.config).framed_by_tokenizer, longest_);
    const TokenSequence sequence = frame.one(std::move(ids));
    if (sequence.ids.empty()) throw DataError("attention: " + line.where + ": must have at least one token, got none");
    const Dim length = static_cast<Dim>(sequence.ids.size());
    AttentionExample example;
    example.maps = maps_of({.input = make_stream({&length, 1}, sequence.ids, sequence.segments)});
    (backbone_.next_token() != nullptr ? example.decoder : example.encoder) = texts_of(tokenizer_, sequence.ids);
    return example;
  }

  // A source and its target; without one, the model's own.
  AttentionExample read(const Line& source, const Line* target) const {
    const auto end = static_cast<std::int32_t>(model_.config.end_token);
    const PairFrame frame = pair_frame(source_tokenizer_, static_cast<std::int32_t>(model_.config.start_token), end);
    PairIds pair{.source = cut(encoded(source_tokenizer_, source), frame.source_tokens(), source), .target = {}};
    if (target != nullptr) {
      pair.target = cut(encoded(tokenizer_, *target), 1, *target);
    } else {
      const Batch alone = make_pair_batch({&pair, 1}, frame);
      pair.target = write_texts(*model_.network, {ids_of(*alone.source)}, model_.config).front();
      pair.target.resize(std::min(pair.target.size(), static_cast<std::size_t>(longest_) - 1));
    }
    const Batch batch = make_pair_batch({&pair, 1}, frame);
    AttentionExample example;
    example.maps = maps_of(batch);
    example.encoder = texts_of(source_tokenizer_, ids_of(*batch.source));
    example.decoder = texts_of(tokenizer_, ids_of(batch.input));
    pair.target.push_back(end);
    example.predicted = texts_of(tokenizer_, pair.target);
    return example;
  }

 private:
  static std::vector<std::int32_t> ids_of(const Stream& stream) {
    const auto ids = stream.tokens.span<std::int32_t>();
    return {ids.begin(), ids.end()};
  }

  static std::vector<std::int32_t> encoded(const Tokenizer& tokenizer, const Line& line) {
    return tokenizer.encode(line.text, SpecialTokens::kAsText);
  }

  void tell_cut(std::size_t tokens, const Line& line) const {
    if (tokens <= static_cast<std::size_t>(longest_)) return;
    say(fmt::format("note: {} is cut to {} of {} tokens{}", line.where, longest_, tokens,
                    longest_ < backbone_.context() ? "; --max-length N shows more" : ""));
  }

  // The start of a side of a pair that leaves room for `frame` tokens.
  std::vector<std::int32_t> cut(std::vector<std::int32_t> ids, Dim frame, const Line& line) const {
    tell_cut(ids.size(), line);
    ids.resize(std::min(ids.size(), static_cast<std::size_t>(longest_ - std::min(longest_, frame))));
    return ids;
  }

  std::vector<AttentionMap> maps_of(const Batch& batch) const {
    const NoGrad no_grad;
    Context ctx;
    AttentionRecord record;
    backbone_.states(batch, ctx);
    return record.maps();
  }

  const Pretrained& model_;
  const Backbone& backbone_;
  const Tokenizer& tokenizer_;
  const Tokenizer& source_tokenizer_;
  Dim longest_;
};

void require_finite(const AttentionExample& example, const std::string& where) {
  for (const AttentionMap& map : example.maps) {
    for (const float weight : map.weights.at(0).span<float>()) {
      if (!std::isfinite(weight)) throw not_finite("attention: a weight", static_cast<double>(weight), where);
    }
  }
}

std::vector<AttentionExample> read_examples(const Arguments& arguments, const Pretrained& model) {
  const bool pairs = model.network->config().objective == Objective::kTargetText;
  const char* const wanted = pairs ? "source" : "data";
  for (const char* other : {"data", "source", "target"}) {
    if (!arguments.has(other) || pairs == (std::string_view(other) != "data")) continue;
    throw UsageError(fmt::format("attention: {} reads {}; use --{} FILE instead of --{}",
                                 escape_for_terminal(model.source), pairs ? "a source and a target" : "one text",
                                 wanted, other));
  }
  arguments.required(wanted);
  const std::int64_t most = arguments.whole("lines", kLines, 1);
  const std::vector<Line> lines = first_lines(arguments.list(wanted), most);
  std::vector<Line> targets;
  if (arguments.has("target")) targets = first_lines(arguments.list("target"), most);
  if (arguments.has("target") && targets.size() != lines.size()) {
    throw DataError(
        fmt::format("--target: must have as many lines as --source, {}, got {}; line N of both must belong "
                    "together",
                    lines.size(), targets.size()));
  }
  const AttentionReader reader(arguments, model);
  std::vector<AttentionExample> examples;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    examples.push_back(pairs ? reader.read(lines[i], targets.empty() ? nullptr : &targets[i]) : reader.read(lines[i]));
    require_finite(examples.back(), lines[i].where);
  }
  if (examples[0].maps.empty()) {
    throw UsageError("attention: the model must have attention, got " + escape_for_terminal(model.source) +
                     ", which has none");
  }
  return examples;
}

int run_attention(const Arguments& arguments) {
  if (!arguments.has("json")) arguments.required("out");
  const Pretrained model = open_model(arguments);
  return with_finite_results(model, [&] {
    const std::vector<AttentionExample> examples = read_examples(arguments, model);
    if (arguments.has("json")) {
      for (const AttentionExample& example : examples) {
        out(attention_json(example).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
      }
    }
    if (!arguments.has("out")) return 0;
    const std::string path = arguments.text("out"), page = attention_page(model.source, examples);
    write_file_durably(path, page);
    say(fmt::format("wrote {}: {} in {:.1f} MB; open it in a browser", escape_for_terminal(path),
                    examples.size() == 1 ? "1 text" : fmt::format("{} texts", examples.size()),
                    static_cast<double>(page.size()) / 1e6));
    return 0;
  });
}

}  // namespace

Command attention_command() {
  return {.name = "attention",
          .summary = "show what each token attends to, as a page for a browser or as numbers",
          .arguments = "MODEL",
          .least = 1,
          .most = 1,
          .examples = {"rapt attention runs/my --data lines.txt --out page.html",
                       "rapt attention bert-directory --data lines.txt --json",
                       "rapt attention runs/de-en --source two.de --out page.html"},
          .options = {{.name = "data",
                       .kind = OptionKind::kList,
                       .value = "FILE",
                       .help = "texts for a GPT or a BERT, one per line; - for standard input"},
                      {.name = "source",
                       .kind = OptionKind::kList,
                       .value = "FILE",
                       .help = "texts that an encoder-decoder reads, one per line"},
                      {.name = "target",
                       .kind = OptionKind::kList,
                       .value = "FILE",
                       .help = "what it writes, line by line",
                       .fallback = "its own translations"},
                      {.name = "out", .value = "FILE", .help = "the page: HTML that needs no network"},
                      {.name = "json", .kind = OptionKind::kSwitch, .help = "the numbers: one JSON object per text"},
                      {.name = "lines",
                       .value = "N",
                       .help = "number of lines that are shown",
                       .fallback = std::to_string(kLines)},
                      {.name = "max-length",
                       .value = "N",
                       .help = "tokens of a text; the rest is cut off",
                       .fallback = std::to_string(kTokens)}},
          .more =
              "The page shows all heads at once, one of them as a heat map or as lines between tokens, the mean of\n"
              "the heads, and attention rollout (Abnar and Zuidema 2020).\n",
          .run = run_attention};
}

}  // namespace rapt::app
