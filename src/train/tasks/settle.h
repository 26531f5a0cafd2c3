// The first of the two steps at the start of a run: settling. It turns the request, the data's facts and the machine's
// speed into one complete configuration. Building (materials.h) then makes network, data and evaluation from it and
// chooses nothing. Only new runs are settled: a resumed run has a complete configuration in its checkpoint.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/models/any_network.h"
#include "text/batches/instances.h"
#include "text/labelled/texts.h"
#include "train/tasks/choose.h"

namespace rapt {

/// What a new run starts from.
enum class Start {
  kNothing,     ///< random weights
  kModel,       ///< --init
  kOwnWords,    ///< a network that was trained on the words of the run's own examples (self_pretraining.h)
  kCheckpoint,  ///< it is not new
};
/// The start of a new run.
Start start_of(const LayeredConfig& config);

/// The model that a run starts from, as far as settings depend on it.
struct StartFacts {
  NetworkConfig network;
  TrainConfig config;           ///< of the run that trained it
  bool has_tokenizer = false;   ///< of its own
  bool same_tokenizer = false;  ///< --tokenizer names a file with the same one
};

/// Ids of the tokens around a text.
struct FrameTokens {
  std::int32_t start = 0, end = 0, pad = 0;
};

/// Facts found in the data.
struct DataFacts {
  std::vector<std::string> labels = {};   ///< names of the classes; empty if nothing is labelled
  TextColumns columns = {};               ///< the columns of the examples
  std::int64_t validation_tokens = 0;     ///< held-out tokens of a text
  std::int64_t examples = 0;              ///< number of labelled examples, or of pairs
  std::optional<FrameTokens> frame = {};  ///< of pairs: those of the vocabulary
};

/// The facts about the start, the data and the machine that settling asks for: each at most once (the pace: once for
/// each precision), in this order, and only if a setting depends on it.
class Facts {
 public:
  virtual ~Facts() = default;
  virtual StartFacts start(const TrainConfig& config) = 0;
  /// The text before it is tokenised; nothing if the data is tokens or examples. The kind of tokenizer to train on it
  /// must be in the settings.
  virtual std::optional<CorpusInfo> text(const TrainConfig& config) = 0;
  /// The default masking options of a token store that is given as data.
  virtual std::optional<MaskingOptions> masking(const TrainConfig& config) = 0;
  /// Reads and tokenises the data, and reports it.
  virtual DataFacts data(const TrainConfig& config, Start start) = 0;
  /// Floating-point operations per second of large matrix products.
  virtual double peak() = 0;
  virtual BatchFacts batches(const TrainConfig& config) = 0;
  /// Whether the processor has instructions for products of bf16 operands.
  virtual bool has_bf16() = 0;
  virtual Pace pace(const TrainConfig& config) = 0;
};

/// The default task, by the model or the data; and for pairs, the default model.
void choose_task(LayeredConfig& config);

/// A complete configuration for a new run: settings that were not given are chosen.
/// \param notice  receives the choices
/// \throws UsageError  for settings that exclude each other, or cannot take effect with the model of --init; and the
///                     errors of `facts`
LayeredConfig settle(const LayeredConfig& asked, Facts& facts, const Notice& notice);

}  // namespace rapt
