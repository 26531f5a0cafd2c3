#include "data_instances.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/batches/mlm_batches.h"

namespace rapt::app {

// ------------------------------------------------------------------------------------------------------------ options

std::vector<Option> instance_options() {
  std::vector<Option> options = {
      {.name = "task",
       .value = "lm|mlm|mlm-nsp",
       .help = "training objective: next token (GPT), masked words (RoBERTa), or BERT's masked words and next sentence",
       .fallback = "lm"},
      {.name = "context",
       .value = "N",
       .help = "maximum tokens per sequence",
       .aliases = {"max-seq-length", "max-seq-len", "seq-len", "block-size", "max-len"},
       .fallback = "128"},
      {.name = "dupe-factor",
       .value = "N",
       .help = "passes over the text, each with different pairs; default 10 for mlm-nsp, 1 for mlm",
       .aliases = {"passes", "duplicates"}},
      {.name = "short-seq-prob",
       .value = "X",
       .help = "share of sequences shorter than --context; default 0.1 for mlm-nsp, 0 for mlm",
       .aliases = {"short-seq-probability", "short-probability"}},
      {.name = "document-lines",
       .value = "N",
       .help = "join paragraphs with fewer lines than this with the next one",
       .aliases = {"min-document-lines"},
       .fallback = "1"},
      {.name = "mlm-probability",
       .value = "X",
       .help = "share of tokens to predict",
       .aliases = {"masked-lm-prob", "mlm-prob", "mask-prob", "mask-probability"},
       .fallback = "0.15"},
      {.name = "max-predictions",
       .value = "N",
       .help = "maximum number of predicted tokens per sequence; 0: that share of the context",
       .aliases = {"max-predictions-per-seq"},
       .fallback = "0"},
      {.name = "whole-word",
       .kind = OptionKind::kOnOff,
       .help = "mask all tokens of a word together",
       .aliases = {"whole-words", "whole-word-mask", "do-whole-word-mask", "whole-word-masking", "wwm"}},
      {.name = "masking",
       .value = "dynamic|static",
       .help = "new masks each epoch, or the same masks always",
       .fallback = "dynamic"},
      {.name = "seed",
       .value = "N",
       .help = "random seed of pairs and lengths",
       .aliases = {"random-seed"},
       .fallback = "12345"},
  };
  for (std::size_t i = 1; i < options.size(); ++i) options[i].group = "masked language models";
  return options;
}

void read_instance_options(const Arguments& arguments, TokenStoreOptions& options) {
  const std::string task = arguments.choice("task", "lm", {"lm", "mlm", "mlm-nsp"});
  if (task == "lm") {
    for (const Option& option : instance_options()) {
      if (option.name == "task" || !arguments.has(option.name)) continue;
      throw UsageError("--" + option.name + " is for masked language models, got --task lm; say --task mlm-nsp or mlm");
    }
    return;
  }
  InstanceOptions instances = default_instance_options(instance_task_named(task));
  instances.context = arguments.whole("context", instances.context, 5, 65536);
  instances.passes = arguments.whole("dupe-factor", instances.passes, 1, 10000);
  instances.short_probability = arguments.number("short-seq-prob", instances.short_probability, {0, 1});
  instances.document_lines = arguments.whole("document-lines", instances.document_lines, 1);
  instances.seed = static_cast<std::uint64_t>(arguments.whole("seed", static_cast<std::int64_t>(instances.seed), 0));
  MaskingOptions& masking = options.masking;
  masking.probability = arguments.number("mlm-probability", masking.probability, {0, 1, false, true});
  masking.most = arguments.whole("max-predictions", 0, 0, std::int64_t{1} << 30);
  masking.whole_words = arguments.on("whole-word");
  masking.dynamic = arguments.choice("masking", "dynamic", {"dynamic", "static"}) == "dynamic";
  options.instances = instances;
}

// -------------------------------------------------------------------------------------------------------------- stats

InstanceCounts count_instances(const TokenStore& store, Part part) {
  const InstanceOptions& options = *store.instance_options();
  const Dim passes = part == Part::kTrain ? options.passes : 1;
  const TokenRange range{store.instances(part).begin, store.instances(part, passes - 1).end};
  Dim tokens = 0, random = 0;
  for (Dim i = range.begin; i < range.end; ++i) {
    const Instance instance = store.instance(i);
    tokens += instance.first.size() + instance.second.size() + frame_tokens(options.task);
    random += instance.random_next ? 1 : 0;
  }
  const double count = static_cast<double>(std::max<Dim>(1, range.size()));
  return {range.size(), static_cast<double>(tokens) / count, static_cast<double>(random) / count};
}

Json instances_json(const TokenStore& store) {
  const InstanceOptions& options = *store.instance_options();
  const MaskingOptions& masking = store.masking();
  Json json = {{"task", name_of(options.task)},      {"context", options.context},
               {"passes", options.passes},           {"mask_probability", masking.probability},
               {"whole_words", masking.whole_words}, {"masking", masking.dynamic ? "dynamic" : "static"}};
  for (const auto& [name, part] : {std::pair{"train", Part::kTrain}, {"validation", Part::kValidation}}) {
    const InstanceCounts counts = count_instances(store, part);
    json[name] = {
        {"sequences", counts.sequences}, {"mean_length", counts.mean_length}, {"random_next", counts.random_next}};
  }
  return json;
}

std::string instances_table(const TokenStore& store) {
  const InstanceOptions& options = *store.instance_options();
  std::string table = fmt::format("\nfor {}: sequences of at most {} tokens, {} {} over the training part\n",
                                  name_of(options.task), fmt::group_digits(options.context),
                                  fmt::group_digits(options.passes), options.passes == 1 ? "pass" : "passes");
  table += fmt::format("{:<12}{:>16}{:>14}{:>18}\n", "", "sequences", "mean length", "random next");
  for (const auto& [name, part] : {std::pair{"train", Part::kTrain}, {"validation", Part::kValidation}}) {
    const InstanceCounts counts = count_instances(store, part);
    const std::string random =
        options.task == InstanceTask::kMlm ? "-" : fmt::format("{:.1f} %", 100 * counts.random_next);
    table += fmt::format("{:<12}{:>16}{:>14.1f}{:>18}\n", name, fmt::group_digits(counts.sequences), counts.mean_length,
                         random);
  }
  return table;
}

// --------------------------------------------------------------------------------------------------------------- head

std::string show_instances(const TokenStore& store, const Tokenizer& tokenizer, Part part, Dim count, Dim most) {
  const bool pairs = store.instance_options()->task == InstanceTask::kMlmNsp;
  const MlmEvaluation sequences(store, tokenizer, part, store.masking());
  std::string text;
  for (Dim i = 0; i < std::min(count, sequences.sequences()); ++i) {
    const Batch batch = sequences.batch(i, 1);
    const auto* tokens = batch.input.tokens.data<std::int32_t>();
    const auto* rows = batch.targets.rows.data<std::int32_t>();
    const auto* targets = batch.targets.ids.data<std::int32_t>();
    const Dim M = batch.targets.count(), length = batch.input.layout.rows();
    std::string kind;
    if (pairs) kind = label_values(batch.labels).data<std::int32_t>()[0] == 1 ? ", random next" : ", is next";
    text += fmt::format("sequence {}: {} tokens, {} predicted{}\n ", i, fmt::group_digits(length), M, kind);
    Dim m = 0;
    for (Dim t = 0; t < std::min(length, most); ++t) {
      text += ' ' + escape_for_terminal(tokenizer.token_text(tokens[t]));
      if (m == M || rows[m] != t) continue;
      text += '(' + escape_for_terminal(tokenizer.token_text(targets[m])) + ')';
      ++m;
    }
    text += length > most ? " ...\n" : "\n";
  }
  return text;
}

}  // namespace rapt::app
