#include "model_input.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/matmul.h"
#include "terminal.h"
#include "text/corpus/corpus.h"

namespace rapt::app {

// Whether a model's weights are finite themselves.
static std::string state_of_weights(const Pretrained& model) {
  float most = 0;
  std::string largest;
  for (const NamedParameter& p : parameters_of(model.network->module())) {
    for (const float x : p.variable.value().span<float>()) {
      if (!std::isfinite(x)) {
        return fmt::format("{} has {} in {}", model.source, std::isnan(x) ? "nan" : "an infinity", p.name);
      }
      if (std::abs(x) <= most) continue;
      most = std::abs(x);
      largest = p.name;
    }
  }
  return fmt::format("the weights of {} are finite but too large to compute with, up to {:.3g} in {}", model.source,
                     most, largest);
}

Pretrained open_model(const Arguments& arguments) {
  check_matmul_provider();
  return open_pretrained(arguments.positional(0));
}

int with_finite_results(const Pretrained& model, const std::function<int()>& command) {
  try {
    return command();
  } catch (const NotFiniteError& error) {
    throw NotFiniteError(std::string(error.what()) + "; " + state_of_weights(model) +
                         "; use another checkpoint of the run, or the files that the model was converted from");
  }
}

std::vector<std::string> read_documents(const Arguments& arguments, bool per_line) {
  arguments.required("data");
  const std::vector<std::string> files = arguments.list("data");
  const Corpus corpus({.sources = files, .unit = per_line ? DocumentUnit::kLine : DocumentUnit::kFile});
  if (corpus.holds_tokens()) throw UsageError("--data must be text, got a file of tokens");
  std::vector<std::string> documents;
  CorpusReader reader = corpus.read();
  for (CorpusPiece piece; reader.next(piece);) {
    if (piece.begins) documents.emplace_back();
    documents.back() += piece.text;
  }
  return documents;
}

std::vector<std::string> input_files(const Arguments& arguments) {
  std::vector<std::string> files = arguments.list("data");
  const std::vector<std::string>& typed = arguments.positionals();
  files.insert(files.end(), typed.begin() + 1, typed.end());
  if (!files.empty()) return files;
  if (::isatty(STDIN_FILENO) == 1) say("reading texts from standard input, one per line; Ctrl-D ends them");
  return {"-"};
}

TokenStore tokens_of(const std::vector<std::string>& documents, const Tokenizer& tokenizer) {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> starts;
  for (const std::string& document : documents) {
    starts.push_back(static_cast<std::int64_t>(ids.size()));
    const std::vector<std::int32_t> more = tokenizer.encode_in_parallel(document);
    ids.insert(ids.end(), more.begin(), more.end());
  }
  if (ids.empty()) throw DataError("--data: must contain text, got none");
  const auto count = static_cast<Dim>(ids.size());
  starts.push_back(count);
  return TokenStore::from_ids(std::move(ids), tokenizer.vocabulary_size(), count, std::move(starts),
                              tokenizer.end_of_text());
}

Option data_option() {
  return {.name = "data",
          .kind = OptionKind::kList,
          .value = "FILE",
          .help = "text: files, folders, or - for standard input"};
}

}  // namespace rapt::app
