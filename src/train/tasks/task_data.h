// The data of a run, one class per family of tasks: reading, batches, and the evaluation of a network on held-out data.
#pragma once

#include <memory>
#include <optional>

#include "train/files/run_folder.h"
#include "train/tasks/job.h"
#include "train/tasks/run_text.h"
#include "train/tasks/settle.h"

namespace rapt {

/// What reading depends on besides the settings.
struct ReadingRequest {
  const TrainConfig& config;
  const RunFolder& folder;  ///< holds the tokenised data
  Tokenizers tokenizers;    ///< of the model of --init or of the checkpoint; none: given by --tokenizer
  /// kCheckpoint: the settings are complete and include the facts found in the data. Otherwise the data is reported.
  Start start = Start::kNothing;
  const Notice& notice;
};

class TaskData {
 public:
  virtual ~TaskData() = default;

  /// The text before it is tokenised; nothing if the data is tokens or examples. The kind of tokenizer must be settled,
  /// because the same reading collects its training data.
  virtual std::optional<CorpusInfo> text(const TrainConfig& config) = 0;
  /// The default masking options of a token store that is given as data.
  virtual std::optional<MaskingOptions> masking(const TrainConfig&) const { return std::nullopt; }
  /// Reads and tokenises everything. The members below need it.
  /// \throws MissingInputError, DataError, UsageError, ConfigError
  virtual void read(const ReadingRequest& request) = 0;

  /// Whether the data is already tokens, so that no tokenizer is needed.
  virtual bool is_tokens() const = 0;
  virtual Tokenizers tokenizers() const = 0;
  /// The files of the data, if read() has read them completely and knows their digests.
  virtual std::optional<DataFiles> files() const { return std::nullopt; }
  virtual DataFacts facts() const = 0;
  /// Number of entries of the network's table. \param known  those of the model that it starts from; 0: none
  /// \throws DataError  if the data has tokens that the model does not know
  virtual VocabularySizes vocabulary(VocabularySizes known) const = 0;
  virtual TrainingData batches(const TrainConfig& config) const = 0;
  /// Tokens of a validation on all held-out data; 0: nothing is held out. \param batches  of the same configuration
  virtual double validation_tokens(const TrainConfig& config, const TrainingData& batches) const = 0;
  /// Adds to a job the evaluation of its network and the generation of samples.
  virtual void judge(Job& job, const TrainConfig& config) const = 0;
};

/// Finds the data of the configuration's task; reads only standard input so far.
/// \param known  digests of the files that were computed before; nullptr: none
/// \throws MissingInputError, UndecidedError
std::unique_ptr<TaskData> open_data(const TrainConfig& config, const Notice& notice, const DataFiles* known);

std::unique_ptr<TaskData> open_language_model_data(const TrainConfig& config, const Notice& notice,
                                                   const DataFiles* known);  ///< --task lm
std::unique_ptr<TaskData> open_masked_words_data(const TrainConfig& config, const Notice& notice,
                                                 const DataFiles* known);                     ///< mlm, mlm-nsp
std::unique_ptr<TaskData> open_pair_data(const TrainConfig& config, const DataFiles* known);  ///< translate, summarize
std::unique_ptr<TaskData> open_labelled_data();  ///< classify, regress, multilabel, tag, qa, choice

/// Number of entries of a table that serves both the data's tokens and a model's.
/// \throws DataError  as TaskData::vocabulary
Dim shared_vocabulary(Dim in_data, Dim known);

}  // namespace rapt
