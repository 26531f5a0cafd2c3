// The first of the two steps with which a run begins. Settling turns what was asked for, the data's facts and the
// machine's pace into one complete configuration; building (materials.h) makes network, data and judgement from that
// and chooses nothing. Only new runs are settled: a run that goes on has a complete configuration in its checkpoint.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/models/any_network.h"
#include "text/batches/instances.h"
#include "text/labelled/texts.h"
#include "train/tasks/choose.h"

namespace rapt {

/// What a new run begins from.
enum class Start {
  kNothing,     ///< random weights
  kModel,       ///< --init
  kOwnWords,    ///< a network that has trained on the words of the run's own examples (self_pretraining.h)
  kCheckpoint,  ///< it is not new
};
/// Of a new run.
Start start_of(const LayeredConfig& config);

/// The model that a run begins from, as far as settings depend on it.
struct StartFacts {
  NetworkConfig network;
  TrainConfig config;           ///< of the run that made it
  bool has_tokenizer = false;   ///< of its own
  bool same_tokenizer = false;  ///< --tokenizer names a file with the same one
};

/// What is found in the data.
struct DataFacts {
  std::vector<std::string> labels = {};  ///< names of the classes; empty where nothing is labelled
  TextColumns columns = {};              ///< that the examples were taken from
  std::int64_t validation_tokens = 0;    ///< held-out tokens of a text
  std::int64_t examples = 0;             ///< labelled ones
};

/// What settling asks about the start, the data and the machine: each at most once, in this order, and only where a
/// setting depends on it.
class Facts {
 public:
  virtual ~Facts() = default;
  virtual StartFacts start(const TrainConfig& config) = 0;
  /// The text before it is tokenised; nothing where the data is tokens or examples.
  virtual std::optional<CorpusInfo> text(const TrainConfig& config) = 0;
  /// What a token store that is given as data proposes for masking.
  virtual std::optional<MaskingOptions> masking(const TrainConfig& config) = 0;
  /// Reads and tokenises the data, and tells what was read.
  virtual DataFacts data(const TrainConfig& config, Start start) = 0;
  /// Floating-point operations per second of large matrix products.
  virtual double peak() = 0;
  virtual BatchFacts batches(const TrainConfig& config) = 0;
  virtual Pace pace(const TrainConfig& config) = 0;
};

/// The task that is meant where none is given, by the model.
void choose_task(LayeredConfig& config);

/// Everything that a new run needs, chosen where nobody gave it.
/// \param notice  told what was chosen
/// \throws UsageError  settings that exclude each other, or cannot be followed with the model of --init; and what
///                     `facts` throws
LayeredConfig settle(const LayeredConfig& asked, Facts& facts, const Notice& notice);

}  // namespace rapt
