// The text of a run: found, read once to collect all facts about it, and read again to tokenise it. Its token store is
// built once, in the run folder.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "text/batches/token_store.h"
#include "text/corpus/corpus.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/training/corpus_trainer.h"
#include "train/files/run_folder.h"
#include "train/settings/train_config.h"

namespace rapt {

/// The corpus in a configuration, found but not read; nothing if its only data is a token store. Open it once: standard
/// input cannot be read again.
///
/// \throws MissingInputError
std::optional<Corpus> open_corpus(const TrainConfig& config, const Notice& notice);

/// Whether the only data is a token store that `rapt data build` made.
bool is_given_store(const TrainConfig& config);

/// The files of a run's data, at the time they were read.
struct DataFiles {
  std::vector<InputFile> train, validation;
};

struct RunData {
  std::shared_ptr<const Tokenizer> tokenizer;
  TokenStore store;
  std::optional<DataFiles> files;  ///< not set: the store was given
};

/// Before the first update, a new run reads its text twice. read() counts it, computes its digests and collects words;
/// tokenise() encodes it on all threads. If a file changes in between, this is an error. A resumed run only needs the
/// digests.
class RunText final {
 public:
  /// \param known  digests that were computed before; nullptr: none
  /// \throws as open_corpus
  RunText(const TrainConfig& config, const Notice& notice, const DataFiles* known = nullptr);

  /// Whether there is text to read(): neither a token store nor token files.
  bool is_text() const { return corpus_ && !corpus_->holds_tokens(); }
  bool is_given_store() const { return !corpus_; }
  /// See Corpus; false for a token store.
  bool documents_are_files() const { return corpus_ && corpus_->documents_are_files(); }

  /// The first reading. If the configuration trains a tokenizer, its kind must be settled; the size of its vocabulary
  /// may depend on the facts. \pre not is_given_store()
  /// \throws as CorpusReader::next and CorpusTrainer
  const CorpusInfo& read(const TrainConfig& config);

  /// The second reading, into the run folder, unless the tokenised text is already there; or opens the token store that
  /// is the configuration's only data.
  /// \param tokenizer  of the checkpoint or model that the run continues; nullptr: the file in the configuration, or
  ///                   one of the kind in the configuration, trained on the text
  /// \param instances  how to make sequences for masked words; not set: a language model's data
  RunData tokenise(const TrainConfig& config, const RunFolder& folder, std::shared_ptr<const Tokenizer> tokenizer,
                   const std::optional<InstanceOptions>& instances = std::nullopt);

 private:
  std::optional<Corpus> corpus_;
  std::vector<InputFile> known_validation_;
  std::optional<CorpusTrainer> words_;  // from read() to tokenise()
  Notice notice_;
};

}  // namespace rapt
