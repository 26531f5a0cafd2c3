// A corpus of pairs: the files that hold a source and a target each, found once and read any number of times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "text/corpus/corpus_sources.h"
#include "text/corpus/known_files.h"
#include "text/pairs/pair_reader.h"

namespace rapt {

struct PairCorpusOptions {
  std::vector<std::string> sources = {}, targets = {};  ///< line-aligned files, one to one; "-" is standard input
  std::vector<std::string> tables = {};                 ///< or files that hold both sides
  PairColumns columns = {};                             ///< of the tables
};

/// The contents of a corpus. Pairs with an empty side are skipped, and not counted in anything but `empty`.
struct PairCorpusInfo {
  std::int64_t pairs = 0;
  std::uint64_t source_bytes = 0, target_bytes = 0;
  std::size_t source_characters = 0, target_characters = 0;  ///< different ones
  std::int64_t empty = 0;                                    ///< pairs with a side that is empty or white space
  std::string first_empty = {};                              ///< "train.de: line 7"
};

class PairCorpusReader;

/// Copying it is cheap; copies share what is known of the files. Only one thread may use them at a time.
class PairCorpus final {
 public:
  /// Finds the files, and reads standard input to its end.
  /// \throws UsageError  for both kinds of files or neither, for different numbers of sources and targets, for standard
  ///                     input twice, for only one of two column names
  /// \throws MissingInputError, DataError  for a file that does not exist, or a folder
  explicit PairCorpus(const PairCorpusOptions& options);

  const PairColumns& columns() const { return columns_; }
  /// The name of the first file.
  const std::string& name() const { return files_.front().source.name(); }
  /// Whether the pairs are lines of two files.
  bool is_aligned() const { return files_.front().target.has_value(); }

  PairCorpusReader read() const;
  /// The contents. Reads the files only if that was not done before.
  /// \throws DataError  as PairReader; for a corpus without pairs
  const PairCorpusInfo& scan() const;
  /// The same, always in a new reading, which passes each pair to `visit`.
  const PairCorpusInfo& scan(const std::function<void(const Pair& pair)>& visit) const;

  /// The files, in order: of each two aligned ones, the source first. Reads those whose digest is not known yet.
  std::vector<InputFile> files() const;
  /// Records digests that were computed before, if there is one for each file.
  void expect(const std::vector<InputFile>& files) const;

 private:
  friend class PairCorpusReader;

  struct Files {
    Input source;
    std::optional<Input> target;
  };
  struct Known {
    KnownFiles files;
    std::optional<PairCorpusInfo> info;
  };
  std::vector<Input> inputs() const;

  PairColumns columns_;
  std::vector<Files> files_;
  std::shared_ptr<Known> known_ = std::make_shared<Known>();
};

/// Reads a corpus's pairs in order, in bounded memory, and skips those with an empty side.
class PairCorpusReader final {
 public:
  explicit PairCorpusReader(PairCorpus corpus) : corpus_(std::move(corpus)) {}

  /// \throws DataError  as PairReader; for a file that has changed since it was read before
  bool next(Pair& pair);

  /// "train.de: line 7". \pre it is the last pair that next() gave
  std::string where(const Pair& pair) const { return reader_->where(pair); }
  std::int64_t empty() const { return empty_; }  ///< pairs skipped so far
  const std::string& first_empty() const { return first_empty_; }

 private:
  void note_files();

  PairCorpus corpus_;
  std::size_t file_ = 0;   // index of the next files to open, or of the open ones
  std::size_t input_ = 0;  // index of the first of them among all inputs
  std::unique_ptr<PairReader> reader_;
  std::int64_t empty_ = 0;
  std::string first_empty_;
};

}  // namespace rapt
