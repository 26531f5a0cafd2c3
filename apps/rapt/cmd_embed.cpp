// rapt embed: computes a vector for each line of a text from any network's hidden states.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "commands.h"
#include "embedding_output.h"
#include "io/names.h"
#include "model_input.h"
#include "nn/sentence_embedding.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/corpus/line_reader.h"
#include "text/tokenizer/post_processor.h"
#include "train/labelled/labelled_data.h"
#include "train/metrics/evaluation.h"
#include "train/models/family.h"

namespace rapt::app {
namespace {

// Texts for one forward pass.
class Embedder {
 public:
  Embedder(const Backbone& backbone, Pooling pooling, bool normalize, EmbeddingOutput& output)
      : backbone_(backbone), pooling_(pooling), normalize_(normalize), output_(output) {}

  /// \param where  "lines.txt: line 7", for messages
  void add(std::string text, const TokenSequence& sequence, std::string where) {
    if (static_cast<Dim>(tokens_.size() + sequence.ids.size()) > kEvaluationRows) flush();
    tokens_.insert(tokens_.end(), sequence.ids.begin(), sequence.ids.end());
    segments_.insert(segments_.end(), sequence.segments.begin(), sequence.segments.end());
    lengths_.push_back(static_cast<Dim>(sequence.ids.size()));
    texts_.push_back(std::move(text));
    wheres_.push_back(std::move(where));
  }

  void flush() {
    if (texts_.empty()) return;
    const Stream input = make_stream(lengths_, tokens_, segments_);
    const Tensor vectors = sentence_embeddings(backbone_, input, pooling_, normalize_);
    const auto C = static_cast<std::size_t>(backbone_.width());
    for (std::size_t b = 0; b < texts_.size(); ++b) {
      const std::span<const float> vector = vectors.span<float>().subspan(b * C, C);
      const auto bad = std::ranges::find_if(vector, [](float x) { return !std::isfinite(x); });
      if (bad != vector.end()) throw not_finite("embed: a text's vector", static_cast<double>(*bad), wheres_[b]);
      output_.add(texts_[b], vector);
    }
    tokens_.clear();
    segments_.clear();
    lengths_.clear();
    texts_.clear();
    wheres_.clear();
  }

 private:
  const Backbone& backbone_;
  Pooling pooling_;
  bool normalize_;
  EmbeddingOutput& output_;
  std::vector<std::int32_t> tokens_, segments_;
  std::vector<Dim> lengths_;
  std::vector<std::string> texts_, wheres_;
};

int embed(const Arguments& arguments, const Pretrained& model, Pooling pooling) {
  const Backbone& backbone = model.network->backbone();
  const Dim longest = arguments.whole("max-length", backbone.context(), 1, backbone.context());
  const Tokenizer& tokenizer = require_tokenizer(model);
  const SequenceFrame frame(model.tokenizers.target, family_of(model.config).framed_by_tokenizer, longest);
  const auto output = open_embedding_output(arguments.text("out"), backbone.width());

  Embedder embedder(backbone, pooling, arguments.has("normalize"), *output);
  std::int64_t count = 0, cut = 0;
  for (const std::string& file : arguments.list("data")) {
    LineReader lines(file == "-" ? Input::from_standard_input() : Input::from_file(file));
    for (std::string line; lines.next(line); ++count) {
      std::vector<std::int32_t> ids = tokenizer.encode(line, SpecialTokens::kAsText);
      const std::size_t whole = ids.size() + frame.one({}).ids.size();
      const TokenSequence sequence = frame.one(std::move(ids));
      if (sequence.ids.empty()) {
        throw DataError(lines.where() +
                        ": the text must have at least one token, got an empty line; each line is one text");
      }
      if (sequence.ids.size() < whole) ++cut;
      embedder.add(std::move(line), sequence, lines.where());
    }
  }
  if (count == 0) throw DataError("embed: the data must have at least one line, got none");
  embedder.flush();
  output->finish();
  if (cut > 0)
    say(fmt::format("note: {} of {} texts are longer than {} tokens and were truncated", cut, count, longest));
  if (arguments.has("out")) {
    say(fmt::format("wrote {}: {} texts, {} dimensions each", arguments.text("out"), count, backbone.width()));
  }
  return 0;
}

int run_embed(const Arguments& arguments) {
  arguments.required("data");
  const Pooling pooling =
      value_named(arguments.choice("pool", "mean", {"mean", "cls", "last"}), pooling_names(), "--pool");
  const Pretrained model = open_model(arguments);
  return with_finite_results(model, [&] { return embed(arguments, model, pooling); });
}

}  // namespace

Command embed_command() {
  return {
      .name = "embed",
      .summary = "compute one embedding vector per line of text",
      .arguments = "MODEL",
      .least = 1,
      .most = 1,
      .examples = {"rapt embed DIR --data lines.txt --out e.npy",
                   "rapt embed DIR --data lines.txt --pool mean "
                   "--normalize --out e.h5"},
      .options = {{.name = "data",
                   .kind = OptionKind::kList,
                   .value = "FILE",
                   .help = "one text per line; - for standard input"},
                  {.name = "out",
                   .value = "FILE",
                   .help = ".npy, .h5 or .jsonl; JSON lines to standard output if not given",
                   .aliases = {"o", "output"}},
                  {.name = "pool",
                   .value = "mean|cls|last",
                   .help = "mean of the hidden states, or the state of the first or last token",
                   .aliases = {"pooling"},
                   .fallback = "mean"},
                  {.name = "normalize",
                   .kind = OptionKind::kSwitch,
                   .help = "scale each vector to length 1, so that dot products are cosines",
                   .aliases = {"normalise"}},
                  {.name = "max-length", .value = "N", .help = "maximum tokens per text", .fallback = "the model's"}},
      .run = run_embed};
}

}  // namespace rapt::app
