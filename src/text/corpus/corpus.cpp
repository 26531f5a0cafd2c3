#include "text/corpus/corpus.h"

#include <algorithm>

#include "io/escape.h"
#include "io/joined.h"
#include "io/json.h"
#include "tensor/error.h"
#include "text/corpus/line_reader.h"
#include "text/utf8.h"

namespace rapt {

static constexpr std::size_t kPieceBytes = std::size_t{1} << 18;
static constexpr std::size_t kMaxJsonLine = std::size_t{256} << 20;

// -------------------------------------------------------------------------------------------------------------- corpus

Corpus::Corpus(CorpusOptions options, const Notice& notice)
    : options_(std::move(options)), sources_(find_sources(options_.sources, options_.format, notice)) {
  require_one_kind();
}

Corpus Corpus::from_text(std::string name, std::string text, DocumentUnit unit) {
  Corpus corpus;
  corpus.options_ = {.sources = {name}, .unit = unit};
  corpus.sources_.emplace_back(Input::from_memory(std::move(name), std::move(text)), SourceFormat::kText);
  return corpus;
}

void Corpus::require_one_kind() const {
  const auto is_tokens = [](const CorpusSource& source) { return source.format() == SourceFormat::kTokens; };
  const auto tokens = std::find_if(sources_.begin(), sources_.end(), is_tokens);
  const auto text = std::find_if_not(sources_.begin(), sources_.end(), is_tokens);
  if (tokens == sources_.end() || text == sources_.end()) return;
  throw UsageError("corpus: sources must be all text or all token files, got both (" +
                   escape_for_terminal(text->name()) + " and " + escape_for_terminal(tokens->name()) + ")");
}

bool Corpus::documents_are_files() const {
  return options_.unit == DocumentUnit::kFile &&
         std::none_of(sources_.begin(), sources_.end(),
                      [](const CorpusSource& source) { return source.format() == SourceFormat::kJsonLines; });
}

CorpusReader Corpus::read() const {
  if (holds_tokens()) {
    throw UsageError(escape_for_terminal(sources_.front().name()) + ": must be text, got token ids");
  }
  return CorpusReader(*this);
}

const CorpusInfo& Corpus::scan() const {
  if (known_->info) return *known_->info;
  return scan([](const CorpusPiece&) {});
}

const CorpusInfo& Corpus::scan(const CorpusVisitor& visit) const {
  CorpusInfo info;
  CharacterSet characters;
  CorpusReader reader = read();
  CorpusPiece piece;
  while (reader.next(piece)) {
    info.documents += piece.ends ? 1 : 0;
    info.bytes += piece.text.size();
    info.characters += static_cast<std::uint64_t>(std::count_if(
        piece.text.begin(), piece.text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    characters.add(piece.text);
    visit(piece);
  }
  info.different_characters = characters.size();
  return known_->info.emplace(info);
}

std::vector<InputFile> Corpus::files() const {
  return known_->files.all(sources_.size(), [this](std::size_t i) { return describe(sources_[i].open()); });
}

void Corpus::expect(const std::vector<InputFile>& files) {
  for (std::size_t i = 0; i < files.size(); ++i) note(i, files[i]);
}

void Corpus::note(std::size_t source, const InputFile& file) const { known_->files.note(source, file); }

// ------------------------------------------------------------------------------------------------------------- reading

bool CorpusReader::next(CorpusPiece& piece) {
  for (; source_ < corpus_.sources().size(); ++source_) {
    if (!reader_) open_source();
    if (next_of_source(piece)) return true;
    const Input& input = reader_->bytes().input();
    corpus_.note(source_, {escape_for_terminal(input.name()), input.bytes(), reader_->bytes().digest()});
    reader_.reset();
  }
  return false;
}

void CorpusReader::open_source() {
  reader_.emplace(corpus_.sources()[source_].open());
  buffer_.clear();
  taken_ = 0;
  line_ = 0;
  mid_line_ = false;
}

bool CorpusReader::next_of_source(CorpusPiece& piece) {
  if (corpus_.sources()[source_].format() == SourceFormat::kJsonLines) return next_of_json_lines(piece);
  switch (corpus_.options().unit) {
    case DocumentUnit::kFile:
      return next_of_file(piece);
    case DocumentUnit::kLine:
      return next_of_lines(piece);
    case DocumentUnit::kParagraph:
      return next_of_paragraphs(piece);
  }
  return false;
}

bool CorpusReader::give(CorpusPiece& piece, std::string text, bool ends) {
  piece.begins = !inside_;
  piece.ends = ends;
  piece.source = source_;
  piece.offset = offset_;
  offset_ = ends ? 0 : offset_ + text.size();
  piece.text = std::move(text);
  inside_ = !ends;
  return true;
}

// Appends more text; false at the end of the source.
bool CorpusReader::fill() {
  buffer_.erase(0, taken_);
  taken_ = 0;
  return reader_->read(buffer_);
}

// The next line without its end, or the first part of a line longer than `limit`, which is then incomplete.
bool CorpusReader::take_line(std::string& line, bool& complete, std::size_t limit) {
  complete = true;
  std::size_t searched = taken_;
  while (true) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      line.assign(buffer_, taken_, end - taken_);
      taken_ = end + 1;
      return true;
    }
    const std::size_t rest = buffer_.size() - taken_;
    complete = rest < limit;
    if (!complete || !fill()) break;
    searched = rest;
  }
  line.assign(buffer_, taken_);
  taken_ = buffer_.size();
  return !line.empty();
}

static bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\v\f\r") == std::string_view::npos; }

bool CorpusReader::next_of_file(CorpusPiece& piece) {
  if (buffer_.empty() && !fill()) return false;
  std::string text = std::move(buffer_);
  buffer_.clear();
  const bool more = fill();
  return give(piece, std::move(text), !more);
}

bool CorpusReader::next_of_lines(CorpusPiece& piece) {
  std::string line;
  bool complete = true;
  while (take_line(line, complete, kPieceBytes)) {
    if (inside_ || !complete || !is_blank(line)) return give(piece, std::move(line), complete);
  }
  return inside_ && give(piece, "", true);
}

bool CorpusReader::next_of_paragraphs(CorpusPiece& piece) {
  std::string text, line;
  bool complete = true;
  while (take_line(line, complete, kPieceBytes)) {
    const bool begun = inside_ || !text.empty();
    if (!mid_line_ && complete && is_blank(line)) {
      if (begun) return give(piece, std::move(text), true);
      continue;
    }
    if (!mid_line_ && begun) text += '\n';
    text += line;
    mid_line_ = !complete;
    if (text.size() >= kPieceBytes) return give(piece, std::move(text), false);
  }
  return (inside_ || !text.empty()) && give(piece, std::move(text), true);
}

bool CorpusReader::next_of_json_lines(CorpusPiece& piece) {
  std::string line;
  bool complete = true;
  while (take_line(line, complete, kMaxJsonLine)) {
    ++line_;
    if (!complete) {
      throw DataError(escape_for_terminal(reader_->name()) + ": line " + std::to_string(line_) +
                      " must not be longer than 256 MiB");
    }
    if (is_blank(line)) continue;
    std::string text = json_text(line);
    if (!is_blank(text)) return give(piece, std::move(text), true);
  }
  return false;
}

// "a", "b", ...: the fields of an object, for a message.
static std::string field_names(const Json& object) {
  std::vector<std::string> names;
  for (const auto& item : object.items()) names.push_back(in_quotes(item.key(), 40));
  return names.empty() ? "none" : joined_first(names, 6);
}

std::string CorpusReader::json_text(const std::string& line) const {
  const std::string where = escape_for_terminal(reader_->name()) + ": line " + std::to_string(line_);
  const Json json = parse_json_line(line, where);
  const std::string& field = corpus_.options().text_field;
  if (!json.is_object()) throw DataError(where + ": must be a JSON object, got " + describe(json));
  const auto found = json.find(field);
  if (found == json.end()) {
    throw DataError(where + ": must have a field " + in_quotes(field) + ", got " + field_names(json) +
                    "; say which one holds the text with --text-field");
  }
  if (!found->is_string()) {
    throw DataError(where + ": " + in_quotes(field) + " must be text, got " + describe(*found));
  }
  return found->get<std::string>();
}

}  // namespace rapt
