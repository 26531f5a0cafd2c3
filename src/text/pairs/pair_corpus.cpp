#include "text/pairs/pair_corpus.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/utf8.h"

namespace rapt {
namespace {

void check(const PairCorpusOptions& options) {
  const auto count = [](std::size_t n) { return std::to_string(n); };
  if (options.sources.size() != options.targets.size()) {
    throw UsageError("--source and --target must name equally many files, which belong together line by line, got " +
                     count(options.sources.size()) + " and " + count(options.targets.size()));
  }
  if (options.sources.empty() == options.tables.empty()) {
    throw UsageError(options.tables.empty()
                         ? "pairs must be given, got none; give --source FILE --target FILE, or a .tsv or .jsonl file"
                         : "pairs must come from --source and --target or from tables, got both; leave one out");
  }
  std::int64_t standard_input = 0;
  for (const auto* paths : {&options.sources, &options.targets, &options.tables}) {
    standard_input += std::count(paths->begin(), paths->end(), "-");
  }
  if (standard_input > 1) throw UsageError("- (standard input) can be given only once; give a file for the other side");
  if (options.columns.source.empty() != options.columns.target.empty()) {
    throw UsageError("--source-field and --target-field must be given together, got only --" +
                     std::string(options.columns.source.empty() ? "target" : "source") + "-field");
  }
}

Input open(const std::string& path) {
  if (path == "-") return Input::from_standard_input();
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw MissingInputError(escape_for_terminal(path) + ": must be a file of texts, got a folder; name its files");
  }
  return Input::from_file(path);
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos; }

}  // namespace

PairCorpus::PairCorpus(const PairCorpusOptions& options) : columns_(options.columns) {
  check(options);
  for (std::size_t i = 0; i < options.sources.size(); ++i) {
    files_.push_back({.source = open(options.sources[i]), .target = open(options.targets[i])});
  }
  for (const std::string& table : options.tables) files_.push_back({.source = open(table), .target = std::nullopt});
}

std::vector<Input> PairCorpus::inputs() const {
  std::vector<Input> inputs;
  for (const Files& files : files_) {
    inputs.push_back(files.source);
    if (files.target) inputs.push_back(*files.target);
  }
  return inputs;
}

PairCorpusReader PairCorpus::read() const { return PairCorpusReader(*this); }

const PairCorpusInfo& PairCorpus::scan() const {
  if (known_->info) return *known_->info;
  return scan([](const Pair&) {});
}

const PairCorpusInfo& PairCorpus::scan(const std::function<void(const Pair& pair)>& visit) const {
  PairCorpusInfo info;
  CharacterSet source, target;
  PairCorpusReader reader = read();
  for (Pair pair; reader.next(pair);) {
    ++info.pairs;
    info.source_bytes += pair.source.size();
    info.target_bytes += pair.target.size();
    source.add(pair.source);
    target.add(pair.target);
    visit(pair);
  }
  if (info.pairs == 0) throw DataError(escape_for_terminal(name()) + ": must hold pairs of texts, got none");
  info.source_characters = source.size();
  info.target_characters = target.size();
  info.empty = reader.empty();
  info.first_empty = reader.first_empty();
  return known_->info.emplace(std::move(info));
}

std::vector<InputFile> PairCorpus::files() const {
  const std::vector<Input> all = inputs();
  return known_->files.all(all.size(), [&](std::size_t i) { return describe(all[i]); });
}

void PairCorpus::expect(const std::vector<InputFile>& files) const {
  if (files.size() != inputs().size()) return;
  for (std::size_t i = 0; i < files.size(); ++i) known_->files.note(i, files[i]);
}

// ------------------------------------------------------------------------------------------------------------- reading

bool PairCorpusReader::next(Pair& pair) {
  while (file_ < corpus_.files_.size()) {
    const PairCorpus::Files& files = corpus_.files_[file_];
    if (reader_ == nullptr) {
      reader_ = files.target ? read_aligned_files(files.source, *files.target)
                             : read_pair_table(files.source, corpus_.columns_);
    }
    if (!reader_->next(pair)) {
      note_files();
      reader_.reset();
      ++file_;
    } else if (is_blank(pair.source) || is_blank(pair.target)) {
      if (empty_++ == 0) first_empty_ = reader_->where(pair);
    } else {
      return true;
    }
  }
  return false;
}

void PairCorpusReader::note_files() {
  const PairCorpus::Files& files = corpus_.files_[file_];
  const auto [first, second] = reader_->digests();
  const auto note = [&](const Input& input, const std::string& digest) {
    corpus_.known_->files.note(input_++, {escape_for_terminal(input.name()), input.bytes(), digest});
  };
  note(files.source, first);
  if (files.target) note(*files.target, second);
}

}  // namespace rapt
