// rapt attention: what each token attends to, in every layer and head, as a page for a browser or as numbers.
#include <fmt/format.h>

#include "attention_page.h"
#include "commands.h"
#include "io/durable_file.h"
#include "io/escape.h"
#include "model_input.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/corpus/line_reader.h"
#include "text/labelled/sequence_frame.h"
#include "text/utf8.h"
#include "train/models/family.h"

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
        say(fmt::format("note: shows the first {} lines; --lines N shows more", most));
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

Stream stream_of(const TokenSequence& sequence) {
  const Dim length = static_cast<Dim>(sequence.ids.size());
  return make_stream({&length, 1}, sequence.ids, sequence.segments);
}

// Texts of one model, one at a time.
class Reader {
 public:
  Reader(const Arguments& arguments, const Pretrained& model)
      : backbone_(model.network->backbone()),
        tokenizer_(require_tokenizer(model)),
        longest_(std::min<std::int64_t>(arguments.whole("max-length", kTokens, 1), backbone_.context())),
        frame_(model.tokenizers.target, family_of(model.config).framed_by_tokenizer, longest_) {}

  AttentionExample read(const Line& line) {
    std::vector<std::int32_t> ids = tokenizer_.encode(line.text, SpecialTokens::kAsText);
    const std::size_t whole = ids.size();
    const TokenSequence sequence = frame_.one(std::move(ids));
    if (sequence.ids.empty()) throw DataError("attention: " + line.where + ": must have at least one token, got none");
    if (sequence.ids.size() == static_cast<std::size_t>(longest_) && whole >= sequence.ids.size()) {
      say(fmt::format("note: {} is cut to {} of {} tokens (--max-length)", line.where, longest_, whole));
    }
    const NoGrad no_grad;
    Context ctx;
    AttentionRecord record;
    backbone_.states({.input = stream_of(sequence)}, ctx);
    AttentionExample example;
    example.maps = record.maps();
    (backbone_.next_token() != nullptr ? example.decoder : example.encoder) = texts_of(tokenizer_, sequence.ids);
    return example;
  }

 private:
  const Backbone& backbone_;
  const Tokenizer& tokenizer_;
  Dim longest_;
  SequenceFrame frame_;
};

void require_finite(const AttentionExample& example, const std::string& where) {
  for (const AttentionMap& map : example.maps) {
    for (const float weight : map.weights.at(0).span<float>()) {
      if (!std::isfinite(weight)) throw not_finite("attention: a weight", static_cast<double>(weight), where);
    }
  }
}

int run(const Arguments& arguments) {
  if (!arguments.has("json")) arguments.required("out");
  const Pretrained model = open_model(arguments);
  arguments.required("data");
  const std::vector<Line> lines = first_lines(arguments.list("data"), arguments.whole("lines", kLines, 1));
  return with_finite_results(model, [&] {
    Reader reader(arguments, model);
    std::vector<AttentionExample> examples;
    for (const Line& line : lines) {
      examples.push_back(reader.read(line));
      require_finite(examples.back(), line.where);
    }
    if (examples[0].maps.empty()) {
      throw UsageError("attention: the model must have attention, got " + escape_for_terminal(model.source) +
                       ", which has none");
    }
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
                       "rapt attention bert-directory --data lines.txt --json"},
          .options = {{.name = "data",
                       .kind = OptionKind::kList,
                       .value = "FILE",
                       .help = "one text per line; - for standard input"},
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
          .run = run};
}

}  // namespace rapt::app
