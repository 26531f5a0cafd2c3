// A corpus as token ids in one HDF5 file, memory-mapped: it may be larger than memory, and opening it takes no time.
//
//     /tokens      u16 (vocabularies up to 65,536) or i32  [n]: the training part, then the validation part
//     /documents   i64  [d+1]: the start of each document in /tokens, and n
//     /tokenizer   string: tokenizer.json
//     /sources     string: JSON, the sources it was made from
//     attributes   format, version, vocabulary, end_of_text, train_tokens, train_documents, train_bytes,
//                  validation_bytes, key
//
// A store that was built for masked language models also has
//
//     /sentences         i64  [s+1]: the start of each sentence (a line) in /tokens, and n
//     /instances/begin   i64  [k, 2]: the starts of the first and the second stretch of a sequence in /tokens
//     /instances/length  u16  [k, 2]: their lengths; 0 without a second one
//     /instances/random  u8   [k]: 1 if the second does not follow the first
//     /instances/passes  i64  [p+2]: the first instance of each pass over the training part, the first one of the
//                        validation part, and k
//     its attributes     task, context, passes, short_probability, document_lines, seed: InstanceOptions;
//                        mask_probability, max_predictions, whole_words, dynamic: MaskingOptions
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensor/types.h"
#include "text/batches/instances.h"
#include "text/batches/token_range.h"
#include "text/corpus/corpus.h"
#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// A tokenised corpus, read-only. Copies share it; safe to use from many threads.
class TokenStore final {
 public:
  /// \throws MissingInputError, IoError  as open_regular_file
  /// \throws DataError                   if it is not such a file, or is damaged
  static TokenStore open(const std::string& path);

  /// A corpus in memory.
  /// \param train_tokens  how many of the ids belong to the training part
  /// \param documents     the starts of the documents, then ids.size(); empty: one document per part
  static TokenStore from_ids(std::vector<std::int32_t> ids, std::int32_t vocabulary, Dim train_tokens,
                             std::vector<std::int64_t> documents = {}, std::optional<std::int32_t> end_of_text = {});

  Dim size() const;
  std::int32_t vocabulary_size() const;
  /// The token that ends each document, if there is one.
  std::optional<std::int32_t> end_of_text() const;

  TokenRange part(Part part) const;
  /// Indices of the part's documents.
  TokenRange documents(Part part) const;
  /// The tokens of one document, including the token that ends it. \throws DataError  if the file is damaged
  TokenRange document(Dim index) const;
  /// Number of UTF-8 bytes that the part's tokens stand for, without the tokens that end documents: the divisor of bits
  /// per byte.
  std::uint64_t text_bytes(Part part) const;

  /// Ids [begin, begin + to.size()). \throws DataError  for an id that is not in the vocabulary: the file is damaged
  void copy(Dim begin, std::span<std::int32_t> to) const;

  /// How its instances were made; nothing if it was not built for masked language models and has none.
  const std::optional<InstanceOptions>& instance_options() const;
  /// The file's default masking options.
  const MaskingOptions& masking() const;
  /// Indices of the instances of one pass over the training part, or of the validation part, which has one pass.
  TokenRange instances(Part part, Dim pass = 0) const;
  /// \throws DataError  if the file is damaged
  Instance instance(Dim index) const;
  /// The starts of sentences within a stretch of tokens, except at its first token; appended to `begins`.
  void sentences_within(TokenRange tokens, std::vector<Dim>& begins) const;

  const std::string& path() const;            ///< "" in memory
  const std::string& tokenizer_json() const;  ///< "" in memory
  const std::string& sources_json() const;
  /// Equal keys mean equal contents; see token_store_key.
  const std::string& key() const;

  /// \throws ConfigError  if the store was made with another tokenizer
  void require_tokenizer(const Tokenizer& tokenizer) const;

 private:
  struct Contents;
  explicit TokenStore(std::shared_ptr<const Contents> contents) : contents_(std::move(contents)) {}
  std::shared_ptr<const Contents> contents_;
};

/// Whether the file is HDF5, like token stores. \throws as open_regular_file
bool is_token_store(const std::string& path);

struct TokenStoreOptions {
  /// The share of the validation part, taken from the end; 0 <= fraction < 1. Not used if there is a validation corpus.
  /// Corpora of whole files are split at a character, the int((1 - fraction) * characters)-th of all; others between
  /// documents; token files at a token.
  double validation_fraction = 0.1;
  /// Appended to each document; see document_end.
  std::optional<std::int32_t> end_of_text = std::nullopt;
  /// Builds the store for masked language models: sentences (lines, without surrounding white space) are tokenised
  /// separately, with special tokens as text, and made into instances. The validation part is then taken from the ends
  /// of up to ten equal stretches of the documents, so that it covers all files; corpora of whole files are split at
  /// the end of a line.
  std::optional<InstanceOptions> instances = std::nullopt;
  MaskingOptions masking = {};  ///< stored beside the instances
};

/// The token that ends documents: the tokenizer's, but none for a corpus that is a single plain file.
std::optional<std::int32_t> document_end(const Corpus& corpus, const Tokenizer& tokenizer);

/// Digest of everything that determines the contents of a token store: the sources' bytes, how they are read and split,
/// the tokenizer. Reads the sources once. Renaming files does not change it.
std::string token_store_key(const Corpus& train, const Corpus* validation, const Tokenizer& tokenizer,
                            const TokenStoreOptions& options);

/// Called with how many of all bytes of text have been tokenised; may throw to stop.
using TokenStoreProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Tokenises a corpus into a file and opens it. Uses all threads; the file's bytes do not depend on their number. Needs
/// little memory, whatever the size of the corpus (a document that cannot be split, such as a long text without spaces,
/// is held as a whole).
///
/// \param validation  may be null: then a part of `train` is held out
/// \throws DataError  for text that cannot be read (see CorpusReader) or encoded; for an empty corpus; for one without
///                    pairs of consecutive sentences if InstanceTask::kMlmNsp needs them
/// \throws CannotCreateError, IoError  as DurableFile
TokenStore build_token_store(const Corpus& train, const Corpus* validation, const Tokenizer& tokenizer,
                             const std::string& path, const TokenStoreOptions& options = {},
                             const TokenStoreProgress& progress = nullptr);

/// The store at `path` if it exists and has this key, otherwise a new one in its place. A damaged file is replaced.
TokenStore open_or_build_token_store(const Corpus& train, const Corpus* validation, const Tokenizer& tokenizer,
                                     const std::string& path, const TokenStoreOptions& options = {},
                                     const TokenStoreProgress& progress = nullptr);

}  // namespace rapt
