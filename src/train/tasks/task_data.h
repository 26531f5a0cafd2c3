// The data of a run and what is done with it, one class a family of tasks: how it is read, which batches it gives, and
// how a network is judged by what is held out.
#pragma once

#include <memory>
#include <optional>

#include "train/files/run_folder.h"
#include "train/tasks/job.h"
#include "train/tasks/settle.h"

namespace rapt {

/// What reading depends on besides the settings.
struct ReadingRequest {
  const TrainConfig& config;
  const RunFolder& folder;  ///< where tokenised data is kept
  /// Of the model of --init or of the checkpoint; nullptr: --tokenizer says which
  std::shared_ptr<const Tokenizer> tokenizer;
  /// kCheckpoint: the settings are complete, what was found in the data is in them. Otherwise what is read is told.
  Start start = Start::kNothing;
  const Notice& notice;
};

class TaskData {
 public:
  virtual ~TaskData() = default;

  /// The text before it is tokenised; nothing where the data is tokens or examples.
  virtual std::optional<CorpusInfo> text() = 0;
  /// What a token store that is given as data proposes for masking.
  virtual std::optional<MaskingOptions> masking() const { return std::nullopt; }
  /// Reads and tokenises everything. The members below need it.
  /// \throws MissingInputError, DataError, UsageError, ConfigError
  virtual void read(const ReadingRequest& request) = 0;

  /// Whether it is tokens already, so that no tokenizer is needed.
  virtual bool is_tokens() const = 0;
  virtual std::shared_ptr<const Tokenizer> tokenizer() const = 0;
  virtual DataFacts facts() const = 0;
  /// Entries of the network's table. \param known  those of the model that it begins from; 0: none
  /// \throws DataError  the data has tokens that the model does not know
  virtual Dim vocabulary(Dim known) const = 0;
  virtual TrainingData batches(const TrainConfig& config) const = 0;
  /// Tokens that a validation of everything reads; 0: nothing is held out.
  virtual double validation_tokens(const TrainConfig& config) const = 0;
  /// Gives a job what judges its network, and what shows samples of it.
  virtual void judge(Job& job, const TrainConfig& config) const = 0;
};

/// Finds the data of the configuration's task; reads nothing yet but standard input.
/// \throws MissingInputError, UndecidedError
std::unique_ptr<TaskData> open_data(const TrainConfig& config, const Notice& notice);

std::unique_ptr<TaskData> open_language_model_data(const TrainConfig& config, const Notice& notice);  ///< --task lm
std::unique_ptr<TaskData> open_masked_words_data(const TrainConfig& config, const Notice& notice);    ///< mlm, mlm-nsp
std::unique_ptr<TaskData> open_labelled_data();  ///< classify, regress, multilabel, tag, qa, choice

/// Entries of a table that the data's tokens and a model's share.
/// \throws DataError  as TaskData::vocabulary
Dim shared_vocabulary(Dim in_data, Dim known);

}  // namespace rapt
