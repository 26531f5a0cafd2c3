// rapt data build, stats, head: tokenise text once, and inspect the result.
#include <fmt/format.h>

#include "commands.h"
#include "data_instances.h"
#include "data_pairs.h"
#include "io/escape.h"
#include "io/joined.h"
#include "io/json.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/batches/token_store.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer/training/corpus_trainer.h"
#include "train/tasks/make_tokenizer.h"

namespace rapt::app {
namespace {

constexpr double kManyRandom = 0.6;  // it should be half of the pairs

DocumentUnit document_unit(const std::string& word) {
  return word == "line" ? DocumentUnit::kLine : word == "paragraph" ? DocumentUnit::kParagraph : DocumentUnit::kFile;
}

// ------------------------------------------------------------------------------------------------------------- build

/// A file to load, or a kind to train on the text.
std::shared_ptr<const Tokenizer> tokenizer_for(const Arguments& arguments, const Corpus& corpus) {
  TrainConfig config;
  config.tokenizer = arguments.text("tokenizer");
  if (config.tokenizer.empty()) {
    throw UsageError("rapt data build needs --tokenizer FILE, or a kind to train on the text: " +
                     joined(kTokenizerKinds, ", "));
  }
  config.vocabulary = arguments.whole("vocab", config.vocabulary, 1, std::int64_t{1} << 20);
  config.lowercase = arguments.on("lowercase", config.tokenizer == "wordpiece");
  return make_tokenizer(config, say,
                        [&](const TokenizerTrainerOptions& options) { return train_tokenizer(corpus, options); });
}

void tell_about_instances(const TokenStore& store) {
  const InstanceOptions& options = *store.instance_options();
  const InstanceCounts train = count_instances(store, Part::kTrain);
  const InstanceCounts validation = count_instances(store, Part::kValidation);
  say(fmt::format("for {}: {} training sequences in {} {}, {} validation sequences", name_of(options.task),
                  fmt::group_digits(train.sequences), fmt::group_digits(options.passes),
                  options.passes == 1 ? "pass" : "passes", fmt::group_digits(validation.sequences)));
  if (train.random_next <= kManyRandom) return;
  say(
      fmt::format("note: {:.0f} % of the pairs are random, because many documents are short; --document-lines 32 joins "
                  "consecutive paragraphs",
                  100 * train.random_next));
}

int run_data_build(const Arguments& arguments) {
  const std::string path = arguments.required("out");
  const auto notice = [](const std::string& note) { say("note: " + note); };
  CorpusOptions options;
  options.sources = arguments.positionals();
  for (const std::string& file : arguments.list("data")) options.sources.push_back(file);
  if (options.sources.empty()) throw UsageError("rapt data build needs FILE..., or - for standard input");
  TokenStoreOptions store_options;
  read_instance_options(arguments, store_options);
  const std::string unit = store_options.instances ? "paragraph" : "file";
  options.unit = document_unit(arguments.choice("documents", unit, {"file", "line", "paragraph"}));
  options.text_field = arguments.text("text-field", options.text_field);
  store_options.validation_fraction = arguments.number("validation-fraction", 0.1, {0, 1, true, false});
  const Corpus corpus(options, notice);
  std::optional<Corpus> validation;
  if (arguments.has("validation-data")) {
    CorpusOptions other = options;
    other.sources = {arguments.text("validation-data")};
    validation.emplace(other, notice);
  }
  const auto tokenizer = tokenizer_for(arguments, corpus);
  if (!store_options.instances) store_options.end_of_text = document_end(corpus, *tokenizer);
  const TokenStore store =
      build_token_store(corpus, validation ? &*validation : nullptr, *tokenizer, path, store_options);
  say(fmt::format("wrote {}: {} training tokens, {} validation tokens", escape_for_terminal(path),
                  fmt::group_digits(store.part(Part::kTrain).size()),
                  fmt::group_digits(store.part(Part::kValidation).size())));
  if (store.instance_options()) tell_about_instances(store);
  return 0;
}

// ------------------------------------------------------------------------------------------------------------- stats

Json part_json(const TokenStore& store, Part part) {
  const auto tokens = store.part(part).size();
  const std::uint64_t bytes = store.text_bytes(part);
  return {{"tokens", tokens},
          {"documents", store.documents(part).size()},
          {"bytes", bytes},
          {"bytes_per_token", tokens > 0 ? double(bytes) / double(tokens) : 0}};
}

int run_data_stats(const Arguments& arguments) {
  if (is_pair_store(arguments.positional(0))) {
    const PairStore pairs = PairStore::open(arguments.positional(0));
    out(arguments.has("json") ? pairs_json(pairs).dump() + "\n" : pairs_table(pairs));
    return 0;
  }
  const TokenStore store = TokenStore::open(arguments.positional(0));
  if (arguments.has("json")) {
    Json json;
    json["vocabulary"] = store.vocabulary_size();
    json["train"] = part_json(store, Part::kTrain);
    json["validation"] = part_json(store, Part::kValidation);
    if (store.instance_options()) json["instances"] = instances_json(store);
    out(json.dump() + "\n");
    return 0;
  }
  out(fmt::format("{:<12}{:>16}{:>14}{:>18}{:>18}\n", "", "tokens", "documents", "bytes of text", "bytes per token"));
  for (const auto& [name, part] : {std::pair{"train", Part::kTrain}, {"validation", Part::kValidation}}) {
    const auto json = part_json(store, part);
    out(fmt::format("{:<12}{:>16}{:>14}{:>18}{:>18.3f}\n", name, fmt::group_digits(json["tokens"].get<Dim>()),
                    fmt::group_digits(json["documents"].get<Dim>()),
                    fmt::group_digits(json["bytes"].get<std::uint64_t>()), json["bytes_per_token"].get<double>()));
  }
  out(fmt::format("vocabulary of {} entries\n", fmt::group_digits(store.vocabulary_size())));
  if (store.instance_options()) out(instances_table(store));
  return 0;
}

// -------------------------------------------------------------------------------------------------------------- head

int run_data_head(const Arguments& arguments) {
  const Part part = arguments.has("validation") ? Part::kValidation : Part::kTrain;
  const Dim documents = arguments.whole("documents", 3, 1), most = arguments.whole("tokens", 60, 1);
  if (is_pair_store(arguments.positional(0))) {
    out(show_pairs(PairStore::open(arguments.positional(0)), part, documents, most));
    return 0;
  }
  const TokenStore store = TokenStore::open(arguments.positional(0));
  const auto tokenizer =
      store.tokenizer_json().empty() ? nullptr : tokenizer_from_json(store.tokenizer_json(), arguments.positional(0));
  if (store.instance_options() && tokenizer) {
    out(show_instances(store, *tokenizer, part, documents, most));
    return 0;
  }
  const TokenRange range = store.documents(part);
  for (Dim index = range.begin; index < std::min(range.end, range.begin + documents); ++index) {
    const TokenRange tokens = store.document(index);
    std::vector<std::int32_t> ids(static_cast<std::size_t>(std::min(tokens.size(), most)));
    store.copy(tokens.begin, ids);
    const std::string numbers = joined(ids, " ", [](std::int32_t id) { return std::to_string(id); });
    const std::string more = tokens.size() > most ? " ..." : "";
    out(fmt::format("document {}: {} tokens\n  {}{}\n", index, fmt::group_digits(tokens.size()), numbers, more));
    if (tokenizer) out("  " + escape_for_terminal(tokenizer->decode(ids)) + more + "\n");
  }
  return 0;
}

}  // namespace

Command data_build_command() {
  std::vector<Option> options = setting_options(
      {"tokenizer", "vocab", "lowercase", "documents", "text-field", "validation-data", "validation-fraction", "data"});
  for (Option& option : options) {
    option.group.clear();
    if (option.name == "tokenizer" || option.name == "documents") option.fallback.clear();
    if (option.name == "documents") option.help += "; default file, with --task mlm and mlm-nsp paragraph";
    if (option.name == "vocab" || option.name == "lowercase" || option.name == "data") option.common = false;
  }
  for (Option& option : instance_options()) options.push_back(std::move(option));
  options.push_back({.name = "out", .value = "FILE", .help = "output file", .aliases = {"o", "output"}});
  return {.name = "data build",
          .summary = "tokenise text once into a file that training memory-maps",
          .arguments = "FILE...",
          .most = 1000000,
          .examples = {"rapt data build my.txt --tokenizer tok.json --out d.h5",
                       "rapt data build *.jsonl.gz --tokenizer byte-bpe --out d.h5",
                       "rapt data build my.txt --task mlm-nsp --tokenizer wp.json --context 128 --out d.h5"},
          .options = options,
          .run = run_data_build};
}

Command data_stats_command() {
  return {.name = "data stats",
          .summary = "count the documents or pairs and the tokens of a token file",
          .arguments = "FILE",
          .least = 1,
          .most = 1,
          .examples = {"rapt data stats d.h5", "rapt data stats runs/de-en/data.h5"},
          .options = {{.name = "json", .kind = OptionKind::kSwitch, .help = "one JSON object"}},
          .run = run_data_stats};
}

Command data_head_command() {
  return {.name = "data head",
          .summary = "print the beginnings of a token file's documents, sequences or pairs",
          .arguments = "FILE",
          .least = 1,
          .most = 1,
          .examples = {"rapt data head d.h5", "rapt data head d.h5 --validation --documents 10"},
          .options = {{.name = "documents",
                       .value = "N",
                       .help = "number of documents, sequences or pairs",
                       .aliases = {"n", "lines", "sequences", "pairs"},
                       .fallback = "3"},
                      {.name = "tokens", .value = "N", .help = "maximum tokens of each", .fallback = "60"},
                      {.name = "validation",
                       .kind = OptionKind::kSwitch,
                       .help = "take them from the validation part",
                       .aliases = {"valid"}}},
          .run = run_data_head};
}

}  // namespace rapt::app
