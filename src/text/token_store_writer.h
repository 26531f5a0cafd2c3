// How a token store is written: text gathered, encoded on all threads, and put into the file in order.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/hdf5_stream.h"
#include "text/corpus.h"
#include "text/spool.h"
#include "text/tokenizer.h"

namespace rapt {

/// The file being written: tokens as they come, documents' beginnings aside until the end.
class StoreWriter final {
 public:
  /// \throws as DurableFile
  StoreWriter(const std::string& path, std::int32_t vocabulary);

  void append(std::span<const std::int32_t> ids);
  /// The tokens since the last document are one; if there are none, there is no document.
  void end_document();
  Dim count() const { return static_cast<Dim>(tokens_.count()); }
  Dim document_count() const { return document_count_; }
  /// Adds /documents, /tokenizer, /sources and the attributes that `layout` has.
  void commit(Hdf5Layout layout, const std::string& tokenizer, const std::string& sources);

 private:
  bool narrow_;
  Hdf5Appender tokens_;
  Spool documents_;
  std::vector<std::uint16_t> halves_;
  std::int64_t begin_ = 0;
  Dim document_count_ = 0;
};

/// Gathers text until there is enough for all threads, encodes it, writes it.
class CorpusEncoder final {
 public:
  CorpusEncoder(const Tokenizer& tokenizer, std::optional<std::int32_t> end_of_text, StoreWriter& out)
      : tokenizer_(tokenizer), end_of_text_(end_of_text), out_(out) {}

  /// What the sources of the pieces that follow belong to.
  void begin_corpus(const Corpus& corpus) { corpus_ = &corpus; }
  /// Text that goes on where the last ended. \param mark  puts the token for that behind the document's end
  void add(std::string_view text, std::size_t source, std::uint64_t offset, bool ends, bool mark);
  /// Encodes and writes what was gathered, but for the tail of a document that goes on.
  void flush();

 private:
  // A part of a document that is encoded by itself.
  struct Job {
    std::string text;
    std::size_t source = 0;
    std::uint64_t offset = 0;  // in its document, for messages
    bool ends = false;         // its document
    bool mark = false;         // with the token for that
  };
  struct Encoded {
    std::vector<std::int32_t> ids;
    std::vector<std::size_t> document_ends;
  };

  void cut(bool ends, bool mark);
  void encode(const Job& job, Encoded& out) const;
  void write(const Encoded& block);

  const Tokenizer& tokenizer_;
  std::optional<std::int32_t> end_of_text_;
  StoreWriter& out_;
  const Corpus* corpus_ = nullptr;
  std::string pending_;  // of one document, not yet a job
  std::uint64_t pending_offset_ = 0;
  std::size_t enough_ = 0;  // so much pending text is worth cutting
  std::size_t source_ = 0;
  std::vector<Job> jobs_;
  std::size_t job_bytes_ = 0;
};

}  // namespace rapt
