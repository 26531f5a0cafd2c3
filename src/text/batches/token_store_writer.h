// Writes token stores: collects text, encodes it on all threads, and writes it to the file in order.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"
#include "io/hdf5_stream.h"
#include "text/batches/instances.h"
#include "text/corpus/corpus.h"
#include "text/corpus/spool.h"
#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// A dataset that grows along with the tokens, in a temporary file, until it is copied into the file.
class StoreColumn final {
 public:
  /// \param path   path of the final file
  /// \param width  numbers per row; 0: one axis
  StoreColumn(const std::string& path, std::string name, ElementType type, Dim width = 0);

  /// \pre T matches `type`
  template <typename T>
  void append(std::initializer_list<T> numbers) {
    append(std::span<const T>(numbers.begin(), numbers.size()));
  }
  template <typename T>
  void append(std::span<const T> numbers) {
    spool_.append(numbers.data(), numbers.size() * sizeof(T));
    count_ += static_cast<Dim>(numbers.size());
  }
  /// Ends writing: from here on it can be read.
  void finish();
  template <typename T>
  std::span<const T> read() const {
    return {static_cast<const T*>(static_cast<const void*>(file_.data())), static_cast<std::size_t>(count_)};
  }

  std::size_t add_to(Hdf5Layout& layout) const;
  void give(const ByteSink& sink) const;

 private:
  std::string name_;
  ElementType type_;
  Dim width_, count_ = 0;
  Spool spool_;
  MappedFile file_;
};

/// The file being written: tokens directly, other growing datasets in temporary files until the end.
class StoreWriter final {
 public:
  /// \param sentences  whether to store the starts of sentences, which instances need
  /// \throws as DurableFile
  StoreWriter(const std::string& path, std::int32_t vocabulary, bool sentences);

  void append(std::span<const std::int32_t> ids);
  /// The tokens since the last sentence form a sentence; without tokens, there is none.
  void end_sentence();
  /// The tokens since the last document form a document; without tokens, there is none. Ends the sentence.
  void end_document();
  Dim count() const { return static_cast<Dim>(tokens_.count()); }
  Dim document_count() const { return document_count_; }
  /// Ends the text.
  void finish();
  /// Makes the instances. \pre finish(); sentences are stored
  /// \param train_documents  how many of the documents belong to the training part
  /// \throws DataError  if the task needs pairs of consecutive sentences and there are none
  void add_instances(const InstanceOptions& options, Dim train_documents);
  /// Adds all of these, /tokenizer, /sources and the attributes of `layout`. \pre finish()
  void commit(Hdf5Layout layout, const std::string& tokenizer, const std::string& sources);

 private:
  struct Instances {
    StoreColumn begin, length, random, passes;
  };

  std::string path_;
  bool narrow_;
  Hdf5Appender tokens_;
  StoreColumn documents_;
  std::optional<StoreColumn> sentences_;
  std::optional<Instances> instances_;
  std::vector<std::uint16_t> halves_;
  std::int64_t begin_ = 0, sentence_begin_ = 0;
  Dim document_count_ = 0;
};

/// Collects text until there is enough for all threads, encodes it, and writes it.
class CorpusEncoder final {
 public:
  /// \param sentences  lines are encoded separately, and are sentences; see TokenStoreOptions::instances
  CorpusEncoder(const Tokenizer& tokenizer, std::optional<std::int32_t> end_of_text, bool sentences, StoreWriter& out)
      : tokenizer_(tokenizer), end_of_text_(end_of_text), sentences_(sentences), out_(out) {}

  /// The source of the pieces that follow.
  void begin_corpus(const Corpus& corpus) { corpus_ = &corpus; }
  /// Text that continues the previous text. \param mark  appends the token that ends the document
  void add(std::string_view text, std::size_t source, std::uint64_t offset, bool ends, bool mark);
  /// Encodes and writes the collected text, except the tail of a document that continues.
  void flush();

 private:
  // A part of a document that is encoded separately.
  struct Job {
    std::string text;
    std::size_t source = 0;
    std::uint64_t offset = 0;  // in its document, for messages
    bool ends = false;         // the last part of its document
    bool mark = false;         // followed by the token that ends the document
  };
  struct Encoded {
    std::vector<std::int32_t> ids;
    std::vector<std::size_t> sentence_ends, document_ends;
  };

  void cut(bool ends, bool mark);
  void encode(const Job& job, Encoded& out) const;
  void encode_sentences(const Job& job, Encoded& out) const;
  void write(const Encoded& block);

  const Tokenizer& tokenizer_;
  std::optional<std::int32_t> end_of_text_;
  bool sentences_;
  StoreWriter& out_;
  const Corpus* corpus_ = nullptr;
  std::string pending_;  // of one document, not yet a job
  std::uint64_t pending_offset_ = 0;
  std::size_t enough_ = 0;  // amount of pending text that is worth splitting
  std::size_t source_ = 0;
  std::vector<Job> jobs_;
  std::size_t job_bytes_ = 0;
};

}  // namespace rapt
