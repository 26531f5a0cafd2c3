// Pairs of texts as token ids in one HDF5 file, memory-mapped: it may be larger than memory, and opening it takes no
// time.
//
//     /tokens            u16 (vocabularies up to 65,536) or i32  [n]: of each pair, the source's and then the target's,
//                        without special tokens; first the training pairs, then those for validation
//     /sides             i64  [2p+1]: the start of each source and each target in /tokens, and n
//     /tokenizer_source, /tokenizer_target   string: tokenizer.json
//     /sources           string: JSON, the files it was made from
//     attributes         format, version, source_vocabulary, target_vocabulary, train_pairs, counts (JSON), key
//
// A store for BPE-dropout, which splits the texts anew in each epoch, also has
//
//     /texts             u8   [bytes]: the texts, in the same order
//     /text_sides        i64  [2p+1]: the start of each in /texts, and its size
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "text/batches/token_range.h"
#include "text/pairs/pair_corpus.h"
#include "text/tokenizer/tokenizer.h"

namespace rapt {

struct PairStoreOptions {
  /// Share of the pairs that is held out, spread over the corpus (HeldOut). Not used if there is a validation corpus.
  double validation_fraction = 0.1;
  /// Maximum tokens of a text together with the token that ends a source, or starts a target; the rest is cut off.
  /// 0: no maximum.
  Dim max_source_length = 0, max_target_length = 0;
  /// Training pairs with more tokens on one side than this multiple of the other's are left out; 0: none are.
  double max_length_ratio = 0;
  bool keeps_texts = false;  ///< for BPE-dropout
};

/// What became of the pairs.
struct PairStoreCounts {
  std::int64_t empty = 0;                         ///< left out: a side without text
  std::string first_empty;                        ///< "train.de: line 7"
  std::int64_t unequal = 0;                       ///< left out: max_length_ratio
  std::string first_unequal;                      ///< "train.de: line 7"
  std::int64_t cut_sources = 0, cut_targets = 0;  ///< texts that were too long
};

enum class PairSide { kSource, kTarget };

/// Read-only. Copies share it; safe to use from many threads.
class PairStore final {
 public:
  /// \throws MissingInputError, IoError  as open_regular_file
  /// \throws DataError                   if it is not such a file, or is damaged
  static PairStore open(const std::string& path);

  Dim pairs(Part part) const;
  /// Tokens of a part's sources or targets, without special tokens.
  Dim tokens(Part part, PairSide side) const;
  /// The tokens of one text, counted over both parts.
  /// \throws DataError  if the file is damaged
  TokenRange range(Dim pair, PairSide side) const;
  /// \throws DataError  for an id that is not in the vocabulary: the file is damaged
  void copy(TokenRange range, PairSide side, std::span<std::int32_t> to) const;
  bool keeps_texts() const;
  /// \pre keeps_texts()
  std::string_view text(Dim pair, PairSide side) const;

  const PairStoreOptions& options() const;  ///< lengths only
  const PairStoreCounts& counts() const;
  std::int32_t vocabulary_size(PairSide side) const;
  const std::string& path() const;
  const std::string& tokenizer_json(PairSide side) const;
  const std::string& sources_json() const;
  /// Equal keys mean equal contents.
  const std::string& key() const;

 private:
  struct Contents;
  explicit PairStore(std::shared_ptr<const Contents> contents) : contents_(std::move(contents)) {}
  std::shared_ptr<const Contents> contents_;
};

/// Whether the file at this path is a pair store.
bool is_pair_store(const std::string& path);

/// The tokenizers of both sides; the same one for a vocabulary that they share.
struct PairTokenizers {
  const Tokenizer& source;
  const Tokenizer& target;
};

/// Tokenises a corpus into a file and opens it. Uses all threads; the file's bytes do not depend on their number.
/// Memory does not grow with the corpus.
///
/// \param validation  may be null: then a part of `train` is held out
/// \throws DataError  for pairs that cannot be read (PairReader) or encoded; if no training pair is left
/// \throws CannotCreateError, IoError  as DurableFile
PairStore build_pair_store(const PairCorpus& train, const PairCorpus* validation, const PairTokenizers& tokenizers,
                           const std::string& path, const PairStoreOptions& options = {});

/// The store at `path` if it was made from the same bytes with the same tokenizers and options, otherwise a new one in
/// its place. A damaged file is replaced.
PairStore open_or_build_pair_store(const PairCorpus& train, const PairCorpus* validation,
                                   const PairTokenizers& tokenizers, const std::string& path,
                                   const PairStoreOptions& options = {});

}  // namespace rapt
