// rapt fill-mask: the most probable words for the masks of a text, from a BERT.
#include <fmt/format.h>

#include "commands.h"
#include "decode/fill_mask.h"
#include "io/escape.h"
#include "io/json.h"
#include "model_input.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/corpus/line_reader.h"

namespace rapt::app {
namespace {

void add_lines(Input input, std::vector<std::string>& texts) {
  LineReader lines(std::move(input));
  for (std::string line; lines.next(line);) {
    if (!line.empty()) texts.push_back(line);
  }
}

std::vector<std::string> texts_of(const Arguments& arguments) {
  std::vector<std::string> texts;
  for (std::size_t i = 1; i < arguments.positionals().size(); ++i) {
    if (arguments.positional(i) == "-") {
      add_lines(Input::from_standard_input(), texts);
    } else {
      texts.push_back(arguments.positional(i));
    }
  }
  for (const std::string& file : arguments.list("data")) {
    add_lines(file == "-" ? Input::from_standard_input() : Input::from_file(file), texts);
  }
  if (texts.empty()) {
    throw UsageError("rapt fill-mask needs a text that contains [MASK]: rapt fill-mask " + arguments.positional(0) +
                     " \"the [MASK] sat on the mat .\"");
  }
  return texts;
}

std::string as_json(const FilledText& result) {
  Json json;
  json["text"] = result.text;
  json["masks"] = Json::array();
  for (const std::vector<FilledWord>& mask : result.masks) {
    Json words = Json::array();
    for (const FilledWord& w : mask) words.push_back({{"word", w.word}, {"id", w.id}, {"probability", w.probability}});
    json["masks"].push_back(std::move(words));
  }
  json["filled"] = result.filled;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// One line with probability and word per candidate, an empty line between masks, and the whole text at the end.
std::string as_lines(const FilledText& result) {
  std::string text;
  for (const std::vector<FilledWord>& mask : result.masks) {
    if (!text.empty()) text += "\n";
    for (const FilledWord& w : mask) text += fmt::format("{:.4f}  {}\n", w.probability, escape_for_terminal(w.word));
  }
  return text + escape_for_terminal(result.filled) + "\n";
}

int run_fill_mask(const Arguments& arguments) {
  const std::int64_t top = arguments.whole("top", 5, 1);
  const std::vector<std::string> texts = texts_of(arguments);
  const Pretrained model = open_model(arguments);
  const BertPretraining& network = model.masked();
  const Tokenizer& tokenizer = require_tokenizer(model);
  return with_finite_results(model, [&] {
    bool first = true;
    for (const std::string& text : texts) {
      const FilledText result = fill_masks(network, tokenizer, text, top);
      if (arguments.has("json")) {
        out(as_json(result));
      } else {
        out((first ? "" : "\n") + as_lines(result));
      }
      first = false;
    }
    return 0;
  });
}

}  // namespace

Command fill_mask_command() {
  return {.name = "fill-mask",
          .summary = "predict the most probable words for each [MASK] in a text",
          .arguments = "MODEL [TEXT|-]...",
          .least = 1,
          .most = 1 << 20,
          .examples = {"rapt fill-mask runs/b \"the [MASK] sat on the mat .\" --top 5",
                       "rapt fill-mask runs/b --data lines.txt --json"},
          .options = {{.name = "top",
                       .value = "N",
                       .help = "number of words per [MASK]",
                       .aliases = {"k", "top-k"},
                       .fallback = "5"},
                      {.name = "data",
                       .kind = OptionKind::kList,
                       .value = "FILE",
                       .help = "one text per line; - for standard input"},
                      {.name = "json", .kind = OptionKind::kSwitch, .help = "one JSON object per text"}},
          .more = "[MASK] and <mask> are equivalent. Each mask is filled independently of the others.\n",
          .run = run_fill_mask};
}

}  // namespace rapt::app
