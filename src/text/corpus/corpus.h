// Corpora: text from files, folders, standard input, JSON lines and gzip, as a stream of documents.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "text/corpus/corpus_sources.h"
#include "text/corpus/known_files.h"
#include "text/corpus/text_reader.h"

namespace rapt {

/// The unit of plain text that counts as one document. In JSON lines, each object is always a document.
enum class DocumentUnit {
  kFile,       ///< the whole file, unchanged
  kLine,       ///< a line without its end; blank lines are skipped
  kParagraph,  ///< lines up to a blank line
};

struct CorpusOptions {
  std::vector<std::string> sources;  ///< files, folders, "-"
  DocumentUnit unit = DocumentUnit::kFile;
  std::string text_field = "text";          ///< field of JSON lines
  std::optional<SourceFormat> format = {};  ///< format of every source, regardless of its name; not set: by its name
};

/// A part of a document, because documents may be larger than memory: at most a few hundred kilobytes of whole
/// characters (from JSON lines, a whole document). May be empty if it only ends a document.
struct CorpusPiece {
  std::string text;
  bool begins = false;       ///< the first piece of its document
  bool ends = false;         ///< the last piece of its document
  std::size_t source = 0;    ///< index of the source
  std::uint64_t offset = 0;  ///< of the text in its document, in bytes
};

/// The contents of a corpus as documents, without byte-order marks, carriage returns and document separators.
struct CorpusInfo {
  std::int64_t documents = 0;
  std::uint64_t bytes = 0, characters = 0;
  std::size_t different_characters = 0;
};

/// Called with each piece of a corpus, in order.
using CorpusVisitor = std::function<void(const CorpusPiece& piece)>;

class CorpusReader;

/// A corpus whose files have been found. It can be read any number of times. Copying it is cheap.
///
/// The first reading of a file records its digest; a later reading that finds other bytes is an error. Copies share
/// these facts about the corpus. Only one thread may use them at a time.
class Corpus final {
 public:
  /// Finds the files, and reads standard input to its end. \throws as find_sources
  explicit Corpus(CorpusOptions options, const Notice& notice = nullptr);
  /// A text in memory.
  static Corpus from_text(std::string name, std::string text, DocumentUnit unit = DocumentUnit::kFile);

  const CorpusOptions& options() const { return options_; }
  const std::vector<CorpusSource>& sources() const { return sources_; }
  /// Whether it consists of token files, which hold no text and cannot be read() or scanned.
  bool holds_tokens() const { return !sources_.empty() && sources_.front().format() == SourceFormat::kTokens; }
  /// Whether every document is a whole file of plain text, so that the split may go through the middle of one.
  bool documents_are_files() const;

  /// \throws UsageError  if holds_tokens()
  CorpusReader read() const;
  /// The contents of the corpus. Reads it only if it has not been scanned before. \throws as CorpusReader::next
  const CorpusInfo& scan() const;
  /// The same, always in a new reading, which passes each piece to `visit`.
  const CorpusInfo& scan(const CorpusVisitor& visit) const;
  /// The stored sources, in order. Reads those whose digest is not known yet.
  std::vector<InputFile> files() const;
  /// Records digests that were computed before, one per source.
  void expect(const std::vector<InputFile>& files);
  /// Records the result of reading a source. \throws DataError  if it had other bytes before
  void note(std::size_t source, const InputFile& file) const;

 private:
  struct Known {
    KnownFiles files;
    std::optional<CorpusInfo> info;
  };

  Corpus() = default;
  void require_one_kind() const;

  CorpusOptions options_;
  std::vector<CorpusSource> sources_;
  std::shared_ptr<Known> known_ = std::make_shared<Known>();
};

/// Reads a corpus's documents in order, in bounded memory (a line of JSON lines is held as a whole).
class CorpusReader final {
 public:
  explicit CorpusReader(Corpus corpus) : corpus_(std::move(corpus)) {}

  /// The next piece; false at the end.
  /// \throws DataError  for text that is not UTF-8, with the byte; for a line that is not JSON or lacks the field, with
  ///     the line; for a file that has changed since it was read before
  bool next(CorpusPiece& piece);

 private:
  void open_source();
  bool fill();
  bool take_line(std::string& line, bool& complete, std::size_t limit);
  bool next_of_source(CorpusPiece& piece);
  bool next_of_file(CorpusPiece& piece);
  bool next_of_lines(CorpusPiece& piece);
  bool next_of_paragraphs(CorpusPiece& piece);
  bool next_of_json_lines(CorpusPiece& piece);
  std::string json_text(const std::string& line) const;
  bool give(CorpusPiece& piece, std::string text, bool ends);

  Corpus corpus_;
  std::size_t source_ = 0;            // index of the next source to open, or of the open one
  std::optional<TextReader> reader_;  // of the open source
  std::string buffer_;                // text that was read and not yet returned
  std::size_t taken_ = 0;             // of buffer_
  bool inside_ = false;               // pieces of an unfinished document were returned
  bool mid_line_ = false;             // the last piece ended in the middle of a line
  std::uint64_t offset_ = 0;          // of the next piece in its document
  std::int64_t line_ = 0;             // number of the last line
};

}  // namespace rapt
