// rapt tokenizer train, encode, decode, inspect, import, export.
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "commands.h"
#include "io/durable_file.h"
#include "io/escape.h"
#include "io/joined.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "terminal.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer/training/corpus_trainer.h"

namespace rapt::app {
namespace {

const Option kTokenizer = {.name = "tokenizer",
                           .value = "FILE",
                           .help = "tokenizer.json, vocab.txt or .model, or a folder that has one",
                           .aliases = {"tokenizer-file"}};
const Option kOut = {.name = "out", .value = "FILE", .help = "output file", .aliases = {"o", "output"}};

std::unique_ptr<Tokenizer> open_tokenizer(const Arguments& arguments) {
  // `tokenizer inspect tok.json` needs no option.
  if (!arguments.has("tokenizer") && !arguments.positionals().empty()) return load_tokenizer(arguments.positional(0));
  return load_tokenizer(arguments.required("tokenizer"));
}

void write_tokenizer(const Tokenizer& tokenizer, const std::string& path) {
  write_file_durably(path, tokenizer.to_json());
  say("wrote " + escape_for_terminal(path) + ": " + tokenizer.kind() + ", " +
      std::to_string(tokenizer.vocabulary_size()) + " entries");
}

// ------------------------------------------------------------------------------------------------------------- train

int run_tokenizer_train(const Arguments& arguments) {
  const std::string path = arguments.required("out");
  TokenizerTrainerOptions options;
  options.type = tokenizer_type_named(arguments.text("type", "byte-bpe"));
  options.vocabulary = arguments.whole("vocab", options.vocabulary, 1, std::int64_t{1} << 20);
  options.min_frequency = arguments.whole("min-frequency", options.min_frequency, 1);
  options.lowercase = arguments.on("lowercase");
  options.special = arguments.has("special") ? arguments.list("special") : default_special_tokens(options.type);
  const bool keeps_case = options.type == TokenizerType::kByteBpe || options.type == TokenizerType::kByte ||
                          options.type == TokenizerType::kChar;
  if (options.lowercase && keeps_case) {
    throw UsageError(
        std::string("--lowercase requires --type bpe, wordpiece, metaspace-bpe, unigram or word, got --type ") +
        name_of(options.type));
  }
  CorpusOptions corpus;
  corpus.sources = arguments.positionals();
  for (const std::string& file : arguments.list("data")) corpus.sources.push_back(file);
  if (corpus.sources.empty()) throw UsageError("rapt tokenizer train needs FILE..., or - for standard input");
  corpus.text_field = arguments.text("text-field", corpus.text_field);
  const auto tokenizer =
      train_tokenizer(Corpus(corpus, [](const std::string& note) { say("note: " + note); }), options);
  const bool fills_up = options.type != TokenizerType::kChar && options.type != TokenizerType::kByte;
  if (fills_up && tokenizer->vocabulary_size() < options.vocabulary)
    say("note: the vocabulary has " + std::to_string(tokenizer->vocabulary_size()) + " entries, fewer than --vocab " +
        std::to_string(options.vocabulary));
  write_tokenizer(*tokenizer, path);
  return 0;
}

// ------------------------------------------------------------------------------------------------- encode and decode

/// Lines of standard input, processed many at once on all threads and written in order.
void map_lines(const std::function<std::string(const std::string& line, std::size_t number)>& map) {
  constexpr std::size_t kRound = std::size_t{1} << 22;
  std::ios::sync_with_stdio(false);
  std::vector<std::string> lines, mapped;
  std::size_t done = 0;
  for (bool more = true; more;) {
    lines.clear();
    std::string line;
    std::size_t bytes = 0;
    // A user who types gets each answer immediately.
    const bool all_at_once = std::cin.rdbuf()->in_avail() > 0 || done == 0;
    while (bytes < kRound && (more = static_cast<bool>(std::getline(std::cin, line)))) {
      bytes += line.size() + 1;
      lines.push_back(std::move(line));
      if (!all_at_once || std::cin.rdbuf()->in_avail() <= 0) break;
    }
    mapped.assign(lines.size(), "");
    parallel_for(
        static_cast<Dim>(lines.size()),
        [&](Dim i) {
          const auto n = static_cast<std::size_t>(i);
          mapped[n] = map(lines[n], done + n + 1) + '\n';
        },
        Schedule::kDynamic);
    for (const std::string& text : mapped) out(text);
    flush_out();
    done += lines.size();
  }
  if (std::cin.bad()) throw IoError("standard input: cannot read");
}

std::string ids_line(const std::vector<std::int32_t>& ids) {
  return joined(ids, " ", [](std::int32_t id) { return std::to_string(id); });
}

int run_tokenizer_encode(const Arguments& arguments) {
  const auto tokenizer = open_tokenizer(arguments);
  const SpecialTokens special = arguments.has("as-text") ? SpecialTokens::kAsText : SpecialTokens::kRecognise;
  const bool pieces = arguments.has("pieces");
  const auto encode = [&](const std::string& text) {
    const std::vector<std::int32_t> ids = tokenizer->encode(text, special);
    if (!pieces) return ids_line(ids);
    return joined(ids, " ", [&](std::int32_t id) { return escape_for_terminal(tokenizer->token_text(id)); });
  };
  if (arguments.has("whole")) {
    out(encode({std::istreambuf_iterator<char>(std::cin), {}}) + "\n");
    return 0;
  }
  map_lines([&](const std::string& line, std::size_t number) {
    try {
      return encode(line);
    } catch (const DataError& error) {
      throw DataError("standard input: line " + std::to_string(number) + ": " + error.what());
    }
  });
  return 0;
}

std::vector<std::int32_t> parse_ids(const std::string& line, std::size_t number) {
  std::vector<std::int32_t> ids;
  const char *at = line.data(), *const end = at + line.size();
  for (;;) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == ',' || *at == '\r')) ++at;
    if (at == end) return ids;
    std::int32_t id = 0;
    const auto [rest, error] = std::from_chars(at, end, id);
    const bool ends_well = rest == end || std::strchr(" \t,\r", *rest);
    if (error != std::errc() || !ends_well) {
      const std::string word(at, std::find_if(at, end, [](char c) { return c == ' ' || c == '\t' || c == ','; }));
      throw DataError("standard input: line " + std::to_string(number) + ": an id must be a whole number, got " +
                      in_quotes(word));
    }
    ids.push_back(id);
    at = rest;
  }
}

int run_tokenizer_decode(const Arguments& arguments) {
  const auto tokenizer = open_tokenizer(arguments);
  const bool skip_special = arguments.has("skip-special");
  map_lines([&](const std::string& line, std::size_t number) {
    const std::vector<std::int32_t> ids = parse_ids(line, number);
    try {
      return tokenizer->decode(ids, skip_special);
    } catch (const DataError& error) {
      throw DataError("standard input: line " + std::to_string(number) + ": " + error.what());
    }
  });
  return 0;
}

// --------------------------------------------------------------------------------------- inspect, import and export

int run_tokenizer_inspect(const Arguments& arguments) {
  const auto tokenizer = open_tokenizer(arguments);
  if (!arguments.has("list")) {
    const std::string text = describe(*tokenizer);
    out(text + (text.ends_with('\n') ? "" : "\n"));
    return 0;
  }
  for (std::int32_t id = 0; id < tokenizer->vocabulary_size(); ++id)
    out(std::to_string(id) + "\t" + escape_for_terminal(tokenizer->token_text(id)) +
        (tokenizer->is_special(id) ? "\tspecial" : "") + "\n");
  return 0;
}

int run_tokenizer_import(const Arguments& arguments) {
  write_tokenizer(*load_tokenizer(arguments.positional(0)), arguments.required("out"));
  return 0;
}

void make_folder(const std::string& path) {
  std::error_code trouble;
  std::filesystem::create_directories(path, trouble);
  if (trouble) throw CannotCreateError(escape_for_terminal(path) + ": cannot create the folder: " + trouble.message());
}

int run_tokenizer_export(const Arguments& arguments) {
  const std::string folder = arguments.required("out");
  const std::string format = arguments.choice("format", "hf", {"hf", "gpt2", "bert"});
  const std::int64_t context = arguments.whole("context", 1024, 1);
  const auto tokenizer = open_tokenizer(arguments);
  std::vector<std::pair<std::string, std::string>> files;
  if (format == "hf") {
    files = {{"tokenizer.json", tokenizer->to_json()}, {"tokenizer_config.json", tokenizer->to_config_json(context)}};
  } else if (format == "bert") {
    files = {{"vocab.txt", tokenizer->to_vocabulary_text()},
             {"tokenizer_config.json", tokenizer->to_config_json(context)}};
  } else {
    auto [vocabulary, merges] = tokenizer->to_vocabulary_and_merges();
    files = {{"vocab.json", std::move(vocabulary)}, {"merges.txt", std::move(merges)}};
  }
  make_folder(folder);
  for (const auto& [name, text] : files) write_file_durably(folder + "/" + name, text);
  say("wrote " + escape_for_terminal(folder) + "/" + files[0].first + " and " + files[1].first);
  return 0;
}

}  // namespace

Command tokenizer_train_command() {
  return {.name = "tokenizer train",
          .summary = "train a tokenizer on text",
          .arguments = "FILE...",
          .most = 1000000,
          .examples = {"rapt tokenizer train my.txt --type byte-bpe --vocab 8000 --out tok.json",
                       "rapt tokenizer train my.txt --type wordpiece --lowercase --out wp.json",
                       "rapt tokenizer train texts/ --type char --out tok.json"},
          .options = {{.name = "type",
                       .value = "byte-bpe|bpe|wordpiece|char|byte|metaspace-bpe|unigram|word",
                       .help = "GPT-2's byte-level BPE, GPT-1's BPE (</w>), BERT's WordPiece (##), characters, bytes",
                       .aliases = {"kind", "model-type"},
                       .fallback = "byte-bpe"},
                      {.name = "vocab",
                       .value = "N",
                       .help = "maximum vocabulary size, special tokens included",
                       .aliases = {"vocabulary", "vocab-size"},
                       .fallback = "8000"},
                      kOut,
                      {.name = "min-frequency",
                       .value = "N",
                       .help = "do not merge pairs that occur less often",
                       .aliases = {"min-freq"},
                       .fallback = "2"},
                      {.name = "special",
                       .kind = OptionKind::kList,
                       .value = "TOKEN",
                       .help = "special token; may be repeated",
                       .aliases = {"special-tokens", "special-token"},
                       .fallback = "<|endoftext|>"},
                      {.name = "lowercase",
                       .kind = OptionKind::kSwitch,
                       .help = "convert to lower case and strip accents (--type bpe or wordpiece)",
                       .aliases = {"lower"}},
                      {.name = "data",
                       .kind = OptionKind::kList,
                       .value = "FILE",
                       .help = "same as the FILE argument",
                       .aliases = {"input", "files"},
                       .common = false},
                      {.name = "text-field",
                       .value = "NAME",
                       .help = "JSON lines field that holds the text",
                       .fallback = "text",
                       .common = false}},
          .run = run_tokenizer_train};
}

Command tokenizer_encode_command() {
  return {.name = "tokenizer encode",
          .summary = "encode standard input as token ids: one line of ids per input line",
          .arguments = "[FILE]",
          .most = 1,
          .examples = {"rapt tokenizer encode --tokenizer tok.json < my.txt",
                       "rapt tokenizer encode tok.json --pieces < my.txt"},
          .options = {kTokenizer,
                      {.name = "pieces",
                       .kind = OptionKind::kSwitch,
                       .help = "print tokens as the vocabulary spells them, instead of ids",
                       .aliases = {"tokens"}},
                      {.name = "whole",
                       .kind = OptionKind::kSwitch,
                       .help = "encode the whole input as one text, line ends included"},
                      {.name = "as-text",
                       .kind = OptionKind::kSwitch,
                       .help = "treat special tokens in the text as ordinary text"}},
          .run = run_tokenizer_encode};
}

Command tokenizer_decode_command() {
  return {.name = "tokenizer decode",
          .summary = "decode token ids on standard input: one line of text per line of ids",
          .arguments = "[FILE]",
          .most = 1,
          .examples = {"rapt tokenizer decode --tokenizer tok.json < ids.txt"},
          .options = {kTokenizer,
                      {.name = "skip-special",
                       .kind = OptionKind::kSwitch,
                       .help = "omit special tokens",
                       .aliases = {"skip-special-tokens"}}},
          .run = run_tokenizer_decode};
}

Command tokenizer_inspect_command() {
  return {
      .name = "tokenizer inspect",
      .summary = "describe a tokenizer",
      .arguments = "[FILE]",
      .most = 1,
      .examples = {"rapt tokenizer inspect --tokenizer tok.json", "rapt tokenizer inspect tok.json --list"},
      .options = {kTokenizer, {.name = "list", .kind = OptionKind::kSwitch, .help = "list every entry with its id"}},
      .run = run_tokenizer_inspect};
}

Command tokenizer_import_command() {
  return {.name = "tokenizer import",
          .summary = "convert a tokenizer from another format to tokenizer.json",
          .arguments = "FILE-OR-FOLDER",
          .least = 1,
          .most = 1,
          .examples = {"rapt tokenizer import gpt2/ --out tok.json"},
          .options = {kOut},
          .more =
              "Reads tokenizer.json, BERT's vocab.txt, SentencePiece's .model (unigram), vocab.json with merges.txt,\n"
              "OpenAI's encoder.json with vocab.bpe, also gzipped.\n",
          .run = run_tokenizer_import};
}

Command tokenizer_export_command() {
  return {.name = "tokenizer export",
          .summary = "write a tokenizer in a format that other programs read",
          .arguments = "[FILE]",
          .most = 1,
          .examples = {"rapt tokenizer export tok.json --format hf --out folder",
                       "rapt tokenizer export tok.json --format gpt2 --out folder",
                       "rapt tokenizer export wp.json --format bert --out folder"},
          .options = {kTokenizer,
                      {.name = "format",
                       .value = "hf|gpt2|bert",
                       .help = "tokenizer.json for transformers, vocab.json and merges.txt, or vocab.txt",
                       .fallback = "hf"},
                      {.name = "out", .value = "FOLDER", .help = "output folder", .aliases = {"o", "output"}},
                      {.name = "context",
                       .value = "N",
                       .help = "maximum sequence length of the model, for transformers",
                       .fallback = "1024"}},
          .run = run_tokenizer_export};
}

}  // namespace rapt::app
